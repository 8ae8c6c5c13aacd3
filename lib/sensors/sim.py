"""Simulated climate: smooth temperature, humidity and pressure from the clock, for a board without a sensor.

The same second gives the same values everywhere. Marked as simulated, so that nobody takes it for weather.
"""

from math import sin
from time import time

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

_DAY_S = const(86_400)
_FRONT_S = const(432_000)  # five days from high to high


class Driver:
    """A day of 21 ± 4 °C and 55 ∓ 15 %, weather of 1013 ± 12 hPa. `phase`: shift in seconds; two rooms differ."""

    FIELDS: tuple = (
        ("temperature", "°C", 2, -40, 85),
        ("humidity", "%", 1, 0, 100),
        ("pressure", "hPa", 1, 300, 1100),
    )
    SIMULATED = True

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._time = getattr(board.clock, "time", time)  # a stand-in clock may have its own
        self._phase_s = spec.integer("phase", 0, _FRONT_S, 0)

    async def read(self) -> list:
        """[°C, %, hPa]"""
        t = int(self._time()) + self._phase_s
        day = _wave(t, _DAY_S)
        draught = _wave(t, 600)
        return [21 + 4 * day + 0.2 * draught, 55 - 15 * day + draught, 1013 + 12 * _wave(t, _FRONT_S)]


def _wave(t: int, period_s: int) -> float:
    """-1 … 1; the remainder is taken in integers, for the chip's floats hold 22 bits."""
    return sin(6.2831853 * (t % period_s) / period_s)
