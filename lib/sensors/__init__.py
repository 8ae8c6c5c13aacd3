"""Sensors of the node: `create(entry, board)` makes one from its settings entry and imports only that type's module.

    board = Board("d1_mini")
    sensor = create({"type": "dht22", "pin": "D4", "period": 60}, board)
    while True:
        await sensor.due()
        for name, value, unit, precision in await sensor.read(): ...

A type is a module of this package (see sensor.py for what a driver is) or a user's own file in USER_DIR.
"""

import sys

from .board import Board, Clock
from .sensor import ReadError, Sensor
from .spec import Spec, SpecError, is_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["TYPES", "USER_DIR", "Board", "Clock", "ReadError", "Sensor", "Spec", "SpecError", "create"]

TYPES = "adc aht10 aht20 bh1750 bme280 bmp280 counter dht11 dht22 digital ds18b20 hcsr04 health sht3x sim vcc"
USER_DIR = "/lib/sensors"  # on the board's file system; the package itself may live in ROMFS
_SAME_MODULE = "aht10 aht20 bmp280 bme280 dht11 dht22"  # type, module that serves it


def create(entry: "Any", board: Board, user_dir: str = USER_DIR) -> Sensor:
    """The sensor of a settings entry. Raises SpecError with the field and what was wanted; touches no bus yet."""
    spec = Spec(entry)
    kind = spec.get("type")
    if not is_word(kind):
        raise spec.fault("type", "one of " + TYPES)
    claimed = board.claimed
    try:
        sensor = Sensor(spec, _driver_class(spec, kind, user_dir)(spec, board), board)
        spec.done()
    except SpecError:
        board.release(claimed)
        raise
    except Exception as e:  # noqa: BLE001  a user's driver may raise anything
        board.release(claimed)
        raise SpecError("%s.type: driver %s: %s: %s" % (spec.where, kind, type(e).__name__, e))
    return sensor


def _driver_class(spec: Spec, kind: str, user_dir: str) -> "Any":
    """The class Driver for `kind`: from this package, else from the user's directory."""
    if kind in TYPES.split():
        same = _SAME_MODULE.split()
        name = same[same.index(kind) + 1] if kind in same[::2] else kind
        return __import__("sensors." + name, None, None, ("Driver",)).Driver
    try:
        module = _user_module(kind, user_dir)
    except ImportError as e:
        if "'%s'" % kind not in str(e):
            raise SpecError("%s.type: %s/%s.py cannot be loaded: %s" % (spec.where, user_dir, kind, e))
        raise spec.fault("type", "one of %s, or a file in %s," % (TYPES.replace(" ", ", "), user_dir))
    except Exception as e:  # noqa: BLE001  a user's file may raise anything while it loads
        raise SpecError("%s.type: %s/%s.py: %s: %s" % (spec.where, user_dir, kind, type(e).__name__, e))
    if not hasattr(module, "Driver"):
        raise SpecError("%s.type: %s/%s.py has no class Driver" % (spec.where, user_dir, kind))
    return module.Driver


def _user_module(kind: str, user_dir: str) -> "Any":
    """Import USER_DIR/kind.py (or .mpy). A package can look in one place only, hence the detour over sys.path."""
    sys.path.insert(0, user_dir)
    try:
        return __import__(kind)
    finally:
        sys.path.remove(user_dir)
