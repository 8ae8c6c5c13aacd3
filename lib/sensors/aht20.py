"""AHT20 and AHT10 (Aosong) on I2C: temperature and humidity; only the AHT20 sends a CRC (data sheet AHT20 5.4)."""

from . import ReadError, const
from .i2c import Device, crc8

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

_INIT_AHT10 = b"\xe1\x08\x00"
_INIT_AHT20 = b"\xbe\x08\x00"
_MEASURE = b"\xac\x33\x00"
_MEASURE_MS = 80
_BUSY = 0x80
_CALIBRATED = 0x08


class Driver(Device):
    """`address` "0x38", or "0x39" on an AHT10 so wired."""

    FIELDS: tuple = (("temperature", "°C", 2, -40, 85), ("humidity", "%", 1, 0, 100))

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._aht10 = spec.get("type") == "aht10"
        Device.__init__(self, spec, board, "0x38 0x39" if self._aht10 else "0x38")
        self._buffer = bytearray(6 if self._aht10 else 7)

    async def start(self) -> None:
        """Load the factory calibration if the chip has not done so by itself."""
        self.open()
        await self.clock.sleep_ms(40)  # after power-on
        status = bytearray(1)
        self.fill(status)
        if not status[0] & _CALIBRATED:
            self.write(_INIT_AHT10 if self._aht10 else _INIT_AHT20)
            await self.clock.sleep_ms(10)
            self.fill(status)
            if not status[0] & _CALIBRATED:
                raise ReadError("the chip does not load its calibration (status 0x%02x)" % status[0])

    async def read(self) -> list:
        """[°C, %]"""
        raw = self._buffer
        self.write(_MEASURE)
        await self.clock.sleep_ms(_MEASURE_MS)
        for _ in range(5):
            self.fill(raw)
            if not raw[0] & _BUSY:
                break
            await self.clock.sleep_ms(10)
        else:
            raise ReadError("the measurement does not end")
        if not raw[0] & _CALIBRATED:
            raise ReadError("the chip lost its calibration")
        if not self._aht10 and crc8(raw, 0, 6) != raw[6]:
            raise ReadError("bad checksum")
        humidity = raw[1] << 12 | raw[2] << 4 | raw[3] >> 4
        temperature = (raw[3] & 0x0F) << 16 | raw[4] << 8 | raw[5]
        return [celsius(temperature), percent(humidity)]


def celsius(raw: int) -> float:
    """200 °C · raw / 2^20 - 50 °C"""
    return raw * 25 / 131072 - 50


def percent(raw: int) -> float:
    """100 % · raw / 2^20"""
    return raw * 25 / 262144
