"""The seam to the hardware: hands out pins, shared buses and the clock. Drivers reach silicon only through a Board.

Tests and the virtual board give their own `machine`; on the chip it is the real one.
"""

import asyncio
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Clock:
    """Time for the sensors. Ticks wrap as time.ticks_ms does: compare with `diff` only."""

    def ms(self) -> int:
        """Milliseconds from any start."""
        return time.ticks_ms()

    def diff(self, end: int, start: int) -> int:
        """end - start in ms, right while they lie less than 6.2 days apart."""
        return time.ticks_diff(end, start)

    def add(self, start: int, ms: int) -> int:
        """The tick `ms` after `start`."""
        return time.ticks_add(start, ms)

    def time(self) -> int:
        """Seconds of the chip's clock (epoch 2000 on the chip, 1970 elsewhere)."""
        return int(time.time())

    async def sleep_ms(self, ms: int) -> None:
        """Let other tasks run for `ms`."""
        await asyncio.sleep_ms(ms)


class Board:
    """One board: `name` is a word of pins.BOARDS; `status` gives the node's state as a dict (see health.py).

    `warnings` collects what a user should know about the chosen pins.
    """

    def __init__(
        self,
        name: str = "nodemcu",
        machine: "Any" = None,
        clock: "Any" = None,
        status: "Callable[[], dict] | None" = None,
    ) -> None:
        from . import pins

        if name not in pins.BOARDS.split():
            raise ValueError("board: one of %s wanted, not %s" % (pins.BOARDS.replace(" ", ", "), repr(name)[:40]))
        self.name = name
        self.clock = clock or Clock()
        self.status = status or dict
        self.warnings: "list[str]" = []
        self._machine: "Any" = machine
        self._claims: "dict[int, tuple[str, str]]" = {}
        self._shared: "dict" = {}

    @property
    def machine(self) -> "Any":
        """The module `machine` or its stand-in; imported at the first use, so that a node without wires needs none."""
        if self._machine is None:
            import machine

            self._machine = machine
        return self._machine

    def claim(self, name: "str | int", use: str, pull: str = "", owner: str = "") -> int:
        """Take a pin and return its GPIO number. ValueError says why it cannot be had; bus pins may be taken again."""
        from . import pins

        number = pins.gpio(self.name, name)
        allowed, remark = pins.rule(number, use, pull)
        if not allowed:
            raise ValueError(remark)
        taken = self._claims.get(number)
        if taken and not use == taken[0] == pins.BUS:
            raise ValueError("%s is already used by %s" % (pins.label(number), taken[1]))
        if not taken:
            self._claims[number] = (use, owner)
            if remark:
                self.warnings.append("%s: %s" % (owner, remark))
        return number

    @property
    def claimed(self) -> tuple[int, ...]:
        """GPIO numbers that are taken."""
        return tuple(self._claims)

    def release(self, keep: tuple[int, ...]) -> None:
        """Give back every pin but those in `keep`: those a sensor took that could not be made after all."""
        for number in self.claimed:
            if number not in keep:
                del self._claims[number]

    def input(self, number: int, pull: str = "") -> "Any":
        """The pin as an input with .value(); `pull` is "" or "up"."""
        pin = self.machine.Pin
        return pin(number, pin.IN, pin.PULL_UP) if pull else pin(number, pin.IN)

    def shared(self, key: "Any", make: "Callable[[], Any]") -> "Any":
        """What `make` gives, made once for each key: a bus that several sensors use."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]
