"""SHT30, SHT31, SHT35 (Sensirion) on I2C: temperature and humidity, each with a CRC (data sheet SHT3x-DIS 4)."""

from . import ReadError, const
from .i2c import Device, crc8

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

_RESET = b"\x30\xa2"
_MEASURE = b"\x24\x00"  # high repeatability, no clock stretching
_MEASURE_MS = 17  # 15.5 ms at most from 2.4 V supply on


class Driver(Device):
    """`address` "0x44" or "0x45"."""

    FIELDS: tuple = (("temperature", "°C", 2, -40, 125), ("humidity", "%", 1, 0, 100))

    def __init__(self, spec: "Spec", board: "Any") -> None:
        Device.__init__(self, spec, board, "0x44 0x45")
        self._buffer = bytearray(6)

    async def start(self) -> None:
        """Reset the chip."""
        self.open()
        self.write(_RESET)
        await self.clock.sleep_ms(2)

    async def read(self) -> list:
        """[°C, %]"""
        raw = self._buffer
        self.write(_MEASURE)
        await self.clock.sleep_ms(_MEASURE_MS)
        self.fill(raw)
        if crc8(raw, 0, 2) != raw[2] or crc8(raw, 3, 5) != raw[5]:
            raise ReadError("bad checksum")
        return [celsius(raw[0] << 8 | raw[1]), percent(raw[3] << 8 | raw[4])]


def celsius(raw: int) -> float:
    """-45 °C + 175 °C · raw / 65535"""
    return raw * 175 / 65535 - 45


def percent(raw: int) -> float:
    """100 % · raw / 65535"""
    return raw * 100 / 65535
