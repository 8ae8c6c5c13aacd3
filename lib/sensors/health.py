"""The node's own health as a sensor. What only the node knows comes from `board.status()`, a dict it fills:

rssi (dBm), reset_reason (text), reconnects (count since boot); uptime (s) and free_heap (bytes) are measured here
unless the node gives them. What is missing is left out of the reading.
"""

import gc

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec


class Driver:
    """WiFi signal, free heap, uptime, reset reason, reconnects."""

    FIELDS: tuple = (
        ("rssi", "dBm", 0, -127, 20),
        ("free_heap", "B", 0, 0, None),
        ("uptime", "s", 0, 0, None),
        ("reset_reason", "", None, None, None),
        ("reconnects", "", 0, 0, None),
    )
    SPARSE = True

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._board = board
        self._at = board.clock.ticks()
        self._ms = 0
        self._uptime_s = 0

    async def read(self) -> list:
        """[dBm, bytes, s, text, count]; None for what is not known (no signal while offline)."""
        status = self._board.status()
        return [
            status.get("rssi"),
            status.get("free_heap", _free_heap()),
            status.get("uptime", self._uptime()),
            status.get("reset_reason"),
            status.get("reconnects"),
        ]

    def _uptime(self) -> int:
        """Seconds since this object was made; in steps, because ticks wrap after days."""
        now = self._board.clock.ticks()
        self._ms += self._board.clock.ticks_diff(now, self._at)
        self._at = now
        self._uptime_s += self._ms // 1000
        self._ms %= 1000
        return self._uptime_s


def _free_heap() -> int | None:
    """Bytes free for Python objects; None where the VM does not say."""
    return gc.mem_free() if hasattr(gc, "mem_free") else None
