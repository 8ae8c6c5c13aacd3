"""Makes a sensor from its settings entry: finds the driver's class, hands it the fields, puts the guard around."""

import sys

from . import Sensor, const
from .spec import Spec, SpecError, is_word

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from . import Board

TYPES = "adc aht10 aht20 bh1750 bme280 bmp280 counter dht11 dht22 digital ds18b20 hcsr04 health sht3x sim vcc"
_PERIOD_S = const(60)
_PERIOD_MOST_S = const(86_400)
_SAME_MODULE = const("aht10 aht20 bmp280 bme280 dht11 dht22")  # type, module that serves it


def build(entry: "Any", board: "Board", user_dir: str) -> Sensor:
    """See sensors.create()."""
    spec = Spec(entry)
    kind = spec.get("type")
    if not is_word(kind):
        raise spec.fault("type", "one of " + TYPES.replace(" ", ", "))
    claims = dict(board.claims)
    try:
        sensor = guarded(spec, _driver_class(spec, kind, user_dir)(spec, board), board)
        spec.done()
    except SpecError:
        board.claims = claims
        raise
    except Exception as e:  # noqa: BLE001  a user's driver may raise anything
        board.claims = claims
        raise SpecError("%s.type: driver %s: %s: %s" % (spec.where, kind, type(e).__name__, e))
    return sensor


def guarded(spec: Spec, driver: "Any", board: "Board") -> Sensor:
    """The driver with the guard around it, as the fields that all sensors have want it."""
    kind = spec.get("type")
    name = spec.word("name", kind)
    least = getattr(driver, "MIN_PERIOD", 1)
    period = spec.number("period", least, _PERIOD_MOST_S, max(_PERIOD_S, least))
    sensor = Sensor(kind, name, period, driver, board.clock)
    filters = spec.get("filters")
    if filters or not (filters is None or isinstance(filters, dict)):
        from .filters import Filters

        sensor.filters = Filters(filters, name, driver.FIELDS)
    return sensor


def tell_apart(sensors: "list[Sensor]") -> None:
    """Values that have the same name in several sensors get that of their sensor before it: `attic_temperature`."""
    names = [field[0] for sensor in sensors for field in sensor.fields]
    for sensor in sensors:
        fields = []
        for field in sensor.fields:
            name = field[0]
            if names.count(name) > 1:
                field = ("%s_%s" % (sensor.name, name),) + tuple(field[1:])
                if sensor.filters:
                    sensor.filters.rename(name, field[0])
            fields.append(field)
        if tuple(fields) != tuple(sensor.fields):
            sensor.fields = sensor.driver.FIELDS = tuple(fields)


def _driver_class(spec: Spec, kind: str, user_dir: str) -> "Any":
    """The class Driver for `kind`: from this package, else from the user's directory."""
    if kind in TYPES.split():
        same = _SAME_MODULE.split()
        name = same[same.index(kind) + 1] if kind in same[::2] else kind  # device: ok, a list
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
    """Import user_dir/kind.py (or .mpy). A package can look in one place only, hence the detour over sys.path."""
    sys.path.insert(0, user_dir)
    try:
        return __import__(kind)
    finally:
        sys.path.remove(user_dir)
