"""BH1750 (Rohm) on I2C: light in lux (data sheet BH1750FVI). The chip has neither an id nor a checksum."""

from . import const
from .i2c import Device

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

_POWER_ON = b"\x01"
_ONCE = b"\x20"  # one measurement in H-resolution mode, then power down
_MEASURE_MS = 180  # at most, with the standard measurement time
STANDARD = 69  # the register MTreg after power-on


class Driver(Device):
    """`address` "0x23" or "0x5c"; `window` 31 … 254: the register MTreg, larger behind dark glass (69: none)."""

    FIELDS: tuple = (("illuminance", "lx", 1, 0, 121_600),)

    def __init__(self, spec: "Spec", board: "Any") -> None:
        Device.__init__(self, spec, board, "0x23 0x5c")
        self._window = spec.integer("window", 31, 254, STANDARD)
        self._buffer = bytearray(2)

    async def start(self) -> None:
        """Power on and set the measurement time."""
        self.open()
        self.write(_POWER_ON)
        self.write(bytes((0x40 | self._window >> 5,)))
        self.write(bytes((0x60 | self._window & 0x1F,)))

    async def read(self) -> list:
        """[lx]"""
        raw = self._buffer
        self.write(_ONCE)
        await self.clock.sleep_ms(_MEASURE_MS * self._window // STANDARD + 1)
        self.fill(raw)
        return [lux(raw[0] << 8 | raw[1], self._window)]


def lux(raw: int, window: int = STANDARD) -> float:
    """raw / 1.2 · 69 / MTreg"""
    return raw * 5 * STANDARD / (6 * window)
