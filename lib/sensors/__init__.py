"""Sensors of the node: `create(entry, board)` makes one from its settings entry and imports only that type's module.

    board = Board("d1_mini")
    sensor = create({"type": "dht22", "pin": "D4", "period": 60}, board)
    unload()  # after the last create(): RAM back
    while True:
        await sensor.due()
        for name, value, unit, precision in await sensor.read(): ...

A type is a module of this package (see sensor.py for what a driver is) or a user's own file in USER_DIR.
"""

import sys

from .board import Board, Clock
from .sensor import ReadError, Sensor, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ("USER_DIR", "Board", "Clock", "ReadError", "Sensor", "SpecError", "create", "unload")

USER_DIR = "/lib/sensors"  # on the board's file system; the package itself may live in ROMFS


def create(entry: "Any", board: Board, user_dir: str = USER_DIR) -> Sensor:
    """The sensor of a settings entry. Raises SpecError with the field and what was wanted; touches no bus yet."""
    from .build import build

    return build(entry, board, user_dir)


def unload() -> None:
    """Forget the modules that only create() needs, about 1.6 KB of the chip's RAM; create() loads them again."""
    for name in ("build", "spec", "pins"):
        sys.modules.pop("sensors." + name, None)
        globals().pop(name, None)
