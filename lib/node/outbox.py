"""Readings on their way to the broker: a bounded queue that outlives outages. Oldest first, counted in bytes.

An entry is one sample group: the uptime in seconds at which it was taken (negative: before this start), and its readings
as JSON text `[[name, value, unit, precision], ...]`, because text costs a third of the same tuples. The entry that is being
delivered is held apart: whatever happens to the queue meanwhile, `done` ends that one.
With `flash` the oldest go to flash in batches when the queue is full (spill.py), and come from there first.
"""

import json

from micropython import const

from . import call

_OVERHEAD = const(64)  # bytes of heap that an entry costs beyond its text


class Outbox:
    """At most `limit` bytes of readings. `drop`: "oldest" or "newest" goes when it is full.

    used: bytes. dropped, delivered: groups, since the start. flash: spill.py's state, or None.
    """

    def __init__(self, limit: int, drop: str = "oldest"):
        self.limit = limit
        self.newest = drop == "newest"
        self.entries: list = []
        self.taken: "tuple | None" = None  # (uptime, text, from flash) that is being delivered
        self.used = self.dropped = self.delivered = 0
        self.flash = None

    def add(self, at: int, readings: list) -> int:
        """Put a sample group at the end; returns how many groups were lost by it."""
        text = json.dumps(readings)
        size = len(text) + _OVERHEAD
        before = self.dropped
        while self.used + size > self.limit and not (self.flash and call("spill.write", self)):
            if self.newest or not self.entries:
                self.dropped += 1
                return self.dropped - before
            self.used -= len(self.entries.pop(0)[1]) + _OVERHEAD
            self.dropped += 1
        self.entries.append((at, text))
        self.used += size
        return self.dropped - before

    def first(self) -> "tuple[int, list] | None":
        """The oldest group, (uptime, readings); the same one until `done()`."""
        if self.taken is None and self.flash:
            self.taken = call("spill.take", self)
        if self.taken is None:
            if not self.entries:
                return None
            at, text = self.entries.pop(0)
            self.taken = at, text, False
        return self.taken[0], json.loads(self.taken[1])

    def done(self) -> None:
        """The group of `first` is delivered."""
        if self.taken is None:
            return  # the flash was full meanwhile, and its oldest batch was given up
        _, text, from_flash = self.taken
        self.taken = None
        self.delivered += 1
        if from_flash:
            call("spill.drop", self)
        else:
            self.used -= len(text) + _OVERHEAD
