"""Readings on their way to the broker: a bounded queue that outlives outages. Oldest first, counted in bytes.

An entry is one sample group: the uptime in seconds at which it was taken, and its readings as JSON text
`[[name, value, unit, precision], ...]`, because text costs a third of the same tuples.
"""

import json

from micropython import const

_OVERHEAD = const(64)  # bytes of heap that an entry costs beyond its text


class Outbox:
    """At most `limit` bytes of readings. `drop`: "oldest" or "newest" goes when it is full."""

    def __init__(self, limit: int, drop: str = "oldest"):
        self._limit = limit
        self._newest = drop == "newest"
        self._entries: list = []
        self.used = 0  # bytes
        self.dropped = 0  # groups, ever

    def add(self, at: int, readings: list) -> int:
        """Put a sample group at the end; returns 0, or how many were dropped so far if this call dropped some."""
        text = json.dumps(readings)
        size = len(text) + _OVERHEAD
        before = self.dropped
        if size > self._limit or (self._newest and self.used + size > self._limit):
            self.dropped += 1
            return self.dropped
        while self.used + size > self._limit:
            self.pop()
            self.dropped += 1
        self._entries.append((at, text))
        self.used += size
        return self.dropped if self.dropped != before else 0

    def first(self) -> "tuple[int, list] | None":
        """The oldest group, (uptime, readings); it stays until `pop()`."""
        if not self._entries:
            return None
        at, text = self._entries[0]
        return at, json.loads(text)

    def pop(self) -> None:
        """The oldest group is delivered, or given up."""
        self.used -= len(self._entries.pop(0)[1]) + _OVERHEAD
