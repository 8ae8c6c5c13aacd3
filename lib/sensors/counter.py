"""Pulse counter: a water or gas meter's reed, an S0 output, an anemometer. Counted by interrupt, up to
about 100 a second; from 0 at every boot.
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec


class Driver:
    """`pin`, `edge` ("falling", "rising", "both"), `pull` ("up", "none"), `debounce` ms between counted pulses.

    Values: `total` = pulses · `scale` in `unit`; `rate` = the same per `per` seconds, since the last reading.
    """

    SPARSE = True  # no rate yet in the first reading

    def __init__(self, spec: "Spec", board: "Any") -> None:
        pull = spec.choice("pull", "up none", "up")
        pull = "" if pull == "none" else pull
        number = spec.pin("pin", board, "irq", pull)
        self._edge = spec.choice("edge", "falling rising both", "falling")
        self._debounce_ms = spec.integer("debounce", 0, 10_000, 10)
        self._scale = spec.number("scale", 1e-6, 1e6, 1)
        self._per_ms = spec.integer("per", 1, 86_400, 60) * 1000
        unit = spec.text("unit", 8, "")
        precision = spec.integer("precision", 0, 6, 0 if self._scale == 1 else 3)
        self.FIELDS = (
            ("total", unit, precision, 0, None),
            ("rate", "%s/%s" % (unit, _per(self._per_ms // 1000)), max(precision, 2), 0, None),
        )
        self._clock = board.clock
        self._board = board
        self._number, self._pull = number, pull
        self.count = 0  # pulses since boot
        self._counted = 0  # at the last reading
        self._pin: "Any" = None
        self._read_at: "Any" = None
        self._pulse_at: "Any" = None

    async def start(self) -> None:
        """Attach the interrupt, once."""
        if self._pin is None:
            self._pin = self._board.input(self._number, self._pull)
            rising, falling = self._pin.IRQ_RISING, self._pin.IRQ_FALLING
            edge = {"rising": rising, "falling": falling, "both": rising | falling}[self._edge]
            self._pin.irq(self._pulse, edge)

    async def read(self) -> list:
        """[total, rate or None]"""
        now = self._clock.ticks()
        count = self.count
        rate = None
        if self._read_at is not None:
            elapsed_ms = self._clock.ticks_diff(now, self._read_at)
            if elapsed_ms > 0:
                rate = (count - self._counted) * self._per_ms / elapsed_ms * self._scale
        self._read_at = now
        self._counted = count
        return [count if self._scale == 1 else count * self._scale, rate]

    def _pulse(self, pin: "Any") -> None:
        now = self._clock.ticks()
        if self._pulse_at is None or self._clock.ticks_diff(now, self._pulse_at) >= self._debounce_ms:
            self._pulse_at = now
            self.count += 1


def _per(seconds: int) -> str:
    return {1: "s", 60: "min", 3600: "h", 86400: "d"}.get(seconds, "%ds" % seconds)
