"""Digital input: a button, a PIR motion sensor, a door contact. Looked at every 20 ms, debounced; a change asks for a
reading at once, and the period brings one anyway. Levels shorter than `debounce` are ignored on purpose.
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec


class Driver:
    """`pin`; `kind` sets what is usual and can be overruled by `pull` ("up", "none") and `invert`:

    plain    no pull-up; 1 = high
    button   to ground, pull-up, inverted: 1 = pressed
    contact  to ground, pull-up: 1 = open
    motion   no pull-up: 1 = motion
    `debounce` in ms: how long a level must last.
    """

    FIELDS: tuple = (("state", "", 0, 0, 1),)

    def __init__(self, spec: "Spec", board: "Any") -> None:
        kind = spec.choice("kind", "plain button contact motion", "plain")
        pull = spec.choice("pull", "up none", "up" if kind in ("button", "contact") else "none")
        pull = "" if pull == "none" else pull
        number = spec.pin("pin", board, "in", pull)
        self._invert = spec.boolean("invert", kind == "button")
        self._debounce_ms = spec.integer("debounce", 0, 10_000, 50)
        self._clock = board.clock
        self._open = lambda: board.input(number, pull)
        self._pin: "Any" = None
        self._state = self._candidate = 0
        self._since = 0

    async def start(self) -> None:
        """Take the level there is."""
        if self._pin is None:
            self._pin = self._open()
            self._state = self._candidate = self._level()
            self._since = self._clock.ticks()

    async def read(self) -> list:
        """[0 or 1]"""
        return [self._state]

    def poll(self) -> bool:
        """True once for each debounced change."""
        if self._pin is None:
            return False
        level = self._level()
        now = self._clock.ticks()
        if level != self._candidate:
            self._candidate = level
            self._since = now
        if level == self._state or self._clock.ticks_diff(now, self._since) < self._debounce_ms:
            return False
        self._state = level
        return True

    def _level(self) -> int:
        return int(bool(self._pin.value()) != self._invert)
