"""Rate limits: how long to wait before the next connect or publish. The clock is handed in."""

if False:  # for the type checker; compiled to nothing
    from typing import Callable


class Pace:
    """At most one event an `interval` (ms) on average, and at most `burst` of them at once (leaky bucket).

    `diff(a, b)` is a - b in ms for readings of the caller's clock: `time.ticks_diff` on MicroPython.
    """

    def __init__(self, interval: int, diff: "Callable[[int, int], int]", burst: int = 1) -> None:
        self._interval = interval
        self._room = interval * (burst - 1)
        self._diff = diff
        self._level = 0  # ms of the bucket that are full
        self._last: "int | None" = None

    def wait(self, now: int) -> int:
        """ms to wait from `now` before the next event may be; 0: now."""
        self._drain(now)
        return max(0, self._level - self._room)

    def done(self, now: int) -> None:
        """The event has happened."""
        self._drain(now)
        self._level += self._interval

    def _drain(self, now: int) -> None:
        if self._last is not None:
            self._level = max(0, self._level - max(0, self._diff(now, self._last)))
        self._last = now
