"""The board's time. With `warp` it jumps over what would be waiting: a simulated day passes in seconds.

The VM asks for a jump when all its tasks sleep (device/select.py), and gets it once nothing is on its way to it.
Whatever the test wants to happen at a moment of the simulation is put in with `at`.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Clock:
    """Real time plus what was jumped over."""

    def __init__(self, warp: bool = False) -> None:
        self.warp = warp
        self._skipped = 0.0
        self._lock = threading.RLock()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    @property
    def skipped_ms(self) -> int:
        """What was jumped over so far, in ms."""
        return int(self._skipped * 1000)

    def now(self) -> float:
        """Seconds; only differences mean something."""
        return time.monotonic() + self._skipped

    def unix(self) -> float:
        """The true Unix time of the simulation: what an NTP server says."""
        return time.time() + self._skipped

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Call `event` when `now()` is `when`. It may change air, link, pins and brokers; it may not switch the board."""
        with self._lock:
            heapq.heappush(self._events, (when, next(self._number), event))

    def advance(self, seconds: float, *, to_event: bool = False) -> None:
        """Jump, through the events on the way. `to_event`: not beyond the first of them."""
        with self._lock:
            end = self.now() + seconds
            while self._events and self._events[0][0] <= end:
                when, _, event = heapq.heappop(self._events)
                self._skipped += max(0.0, when - self.now())
                event()
                if to_event:
                    return
            self._skipped += max(0.0, end - self.now())

    def sleep(self, seconds: float) -> None:
        """Wait, or jump."""
        if self.warp:
            self.advance(seconds)
        else:
            time.sleep(seconds)
