"""BME280 (temperature, humidity, pressure) and BMP280 (without humidity), Bosch, on I2C.

Arithmetic is the data sheet's in integers (BST-BME280-DS002 4.2.3, the 64-bit form for pressure): the ESP8266's floats
hold 22 bits and pressure needs 25; Python's integers have no limit, so the 64-bit form is exact there too.
"""

import struct

from . import ReadError, const
from .i2c import Device

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

BME280 = 0x60
BMP280 = (0x58, 0x57, 0x56)
_RESET = b"\xe0\xb6"
_HUMIDITY_1 = b"\xf2\x01"  # oversampling: humidity 1
_FORCED = b"\xf4\x4d"  # temperature 2, pressure 4, one measurement, then sleep
_MEASURE_MS = 20  # 18.5 ms at most with these (DS002 9.1)
_MEASURING = 0x08
_SKIPPED = 0x80000


class Driver(Device):
    """`address` "0x76" or "0x77"; `altitude` in m: pressure is then reduced to sea level (0: as measured)."""

    FIELDS: tuple = (
        ("temperature", "°C", 2, -40, 85),
        ("pressure", "hPa", 1, 300, 1250),
        ("humidity", "%", 1, 0, 100),
    )

    def __init__(self, spec: "Spec", board: "Any") -> None:
        Device.__init__(self, spec, board, "0x76 0x77")
        self._humid = spec.get("type") == "bme280"
        if not self._humid:
            self.FIELDS = Driver.FIELDS[:2]
        self._altitude_m = spec.number("altitude", -500, 9000, 0)
        self._buffer = bytearray(8)
        self._trim: "Any" = None
        self._trim_h: "Any" = None

    async def start(self) -> None:
        """Check the chip's id, reset it, read its trimming values."""
        self.open()
        id_ = bytearray(1)
        self.read_register(0xD0, id_)
        if self._humid and id_[0] in BMP280:
            raise ReadError('this chip is a BMP280, it has no humidity: set the type to "bmp280"')
        if id_[0] != BME280 and id_[0] not in BMP280:
            raise ReadError("wrong chip id 0x%02x at 0x%02x" % (id_[0], self.address))
        self.write(_RESET)
        await self.clock.sleep_ms(5)
        trim = bytearray(26)
        self.read_register(0x88, trim)
        if trim[0] == trim[1] == 0 or trim == b"\xff" * 26:
            raise ReadError("no trimming values in the chip")
        self._trim = struct.unpack_from("<HhhHhhhhhhhh", trim)
        if self._humid:
            h1 = trim[25]
            trim = bytearray(7)
            self.read_register(0xE1, trim)
            self._trim_h = humidity_trim(h1, trim)

    async def read(self) -> list:
        """[°C, hPa] and % if the chip has it."""
        if self._humid:
            self.write(_HUMIDITY_1)
        self.write(_FORCED)
        await self.clock.sleep_ms(_MEASURE_MS)
        raw = self._buffer
        for _ in range(5):
            self.read_register(0xF3, raw)
            if not raw[0] & _MEASURING:
                break
            await self.clock.sleep_ms(5)
        else:
            raise ReadError("the measurement does not end")
        self.read_register(0xF7, raw)
        pressure = raw[0] << 12 | raw[1] << 4 | raw[2] >> 4
        temperature = raw[3] << 12 | raw[4] << 4 | raw[5] >> 4
        if _SKIPPED in (temperature, pressure):
            raise ReadError("the chip did not measure (it was reset)")
        fine = t_fine(self._trim, temperature)
        pa = pascals(self._trim, fine, pressure)
        if self._altitude_m:
            pa = pa / (1 - self._altitude_m / 44330) ** 5.255
        values = [centidegrees(fine) / 100, pa / 100]
        if self._humid:
            values.append(humidity_1024(self._trim_h, fine, raw[6] << 8 | raw[7]) / 1024)
        return values


def t_fine(trim: tuple, raw: int) -> int:
    """The temperature in the chip's fine unit, from the 20-bit reading."""
    t1, t2, t3 = trim[:3]
    a = (((raw >> 3) - (t1 << 1)) * t2) >> 11
    b = (raw >> 4) - t1
    return a + ((((b * b) >> 12) * t3) >> 14)


def centidegrees(fine: int) -> int:
    """Temperature in 0.01 °C."""
    return (fine * 5 + 128) >> 8


def pascals(trim: tuple, fine: int, raw: int) -> int:
    """Pressure in Pa, from the 20-bit reading. ReadError if the trimming values make no sense."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim[3:]
    a = fine - 128000
    b = a * a * p6 + ((a * p5) << 17) + (p4 << 35)
    a = ((a * a * p3) >> 8) + ((a * p2) << 12)
    a = (((1 << 47) + a) * p1) >> 33
    if a <= 0:
        raise ReadError("bad trimming values")
    p = (((1048576 - raw) << 31) - b) * 3125 // a
    a = (p9 * (p >> 13) * (p >> 13)) >> 25
    b = (p8 * p) >> 19
    return (((p + a + b) >> 8) + (p7 << 4)) >> 8


def humidity_trim(h1: int, data: bytes) -> tuple:
    """dig_H1 … dig_H6 from register 0xA1 and the 7 registers from 0xE1 on (H4 and H5 are 12-bit, signed)."""
    h2, h3 = struct.unpack_from("<hB", data)
    h4 = _signed(data[3] << 4 | data[4] & 0x0F, 12)
    h5 = _signed(data[5] << 4 | data[4] >> 4, 12)
    return h1, h2, h3, h4, h5, _signed(data[6], 8)


def humidity_1024(trim: tuple, fine: int, raw: int) -> int:
    """Relative humidity in 1/1024 %, from the 16-bit reading; limited to 0 … 100 % as in the data sheet."""
    h1, h2, h3, h4, h5, h6 = trim
    v = fine - 76800
    left = ((raw << 14) - (h4 << 20) - h5 * v + 16384) >> 15
    right = (((((v * h6) >> 10) * (((v * h3) >> 11) + 32768)) >> 10) + 2097152) * h2 + 8192
    v = left * (right >> 14)
    v -= ((((v >> 15) * (v >> 15)) >> 7) * h1) >> 4
    return min(max(v, 0), 419430400) >> 12


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
