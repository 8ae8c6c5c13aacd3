"""HC-SR04 and its kind: distance by ultrasound. The echo is timed by waiting for it: 6 ms a metre of `range`, no more.

The echo output of a 5 V module needs a divider to 3.3 V.
"""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

PAUSE_MS = 60  # between pings, until old echoes have died


class Driver:
    """`trigger`, `echo`: pins; `range` in cm, 20 … 400; `samples`: pings, whose median counts; `temperature` of the
    air in °C."""

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._board = board
        self._trigger_gpio = spec.pin("trigger", board, "out")
        self._echo_gpio = spec.pin("echo", board, "in")
        self._range_cm = spec.integer("range", 20, 400, 200)
        self._samples = spec.integer("samples", 1, 5, 3)
        self._speed = sound_m_s(spec.number("temperature", -40, 60, 20))
        self.FIELDS = (("distance", "cm", 1, 1, self._range_cm),)
        self._longest_us = int(self._range_cm * 20_000 / self._speed) + 1000  # and the module's own delay
        self._trigger: "Any" = None
        self._echo: "Any" = None

    async def start(self) -> None:
        """Set up the pins."""
        pin = self._board.machine.Pin
        self._trigger = pin(self._trigger_gpio, pin.OUT, value=0)
        self._echo = self._board.input(self._echo_gpio)

    async def read(self) -> list:
        """[cm]"""
        times = []
        for i in range(self._samples):
            if i:
                await self._board.clock.sleep_ms(PAUSE_MS)
            if self._echo.value():
                raise ReadError("the echo on GPIO%d is stuck high" % self._echo_gpio)
            self._trigger.value(1)  # 10 µs at least; the calls take longer
            self._trigger.value(0)
            us = self._board.machine.time_pulse_us(self._echo, 1, self._longest_us)
            if us > 0:
                times.append(us)
        if not times:
            raise ReadError("no echo from within %d cm" % self._range_cm)
        times.sort()
        return [times[len(times) // 2] * self._speed / 20_000]


def sound_m_s(celsius: float) -> float:
    """Speed of sound in dry air."""
    return 331.3 + 0.606 * celsius
