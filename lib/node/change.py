"""The commands that change settings, or show them. Loaded for one command, then let go, with the settings' own modules."""

import gc
import sys

from micropython import const

from . import call
from .log import INFO

_WITHIN_S = const(120)  # for the node to come back online with new settings
_WITHIN_LEAST_S = const(20)
_WITHIN_MOST_S = const(600)
_PERIOD_MOST_S = const(86400)  # as in the settings' table


async def shown(node, args: dict, ref: object = None) -> tuple:
    """One `section`, without secrets; or the names of all: together they are too large for an answer."""
    gc.collect()
    import settings
    from settings.given import given

    try:
        return "", given("/", args.get("section", args.get("value")), node.periods)
    finally:
        settings.release()
        del sys.modules["settings"]


async def patch(node, args: dict, ref: object = None) -> str:
    """Try `settings`, an object with what is to change: kept if the node is back online `within` seconds. Checked after a
    restart, when the heap is empty: another answer comes then."""
    within = args.get("within", _WITHIN_S)
    if type(within) is not int or not _WITHIN_LEAST_S <= within <= _WITHIN_MOST_S:
        raise ValueError("within: %d to %d s wanted" % (_WITHIN_LEAST_S, _WITHIN_MOST_S))
    changes = args.get("settings")
    if not isinstance(changes, dict) or not changes:
        raise ValueError("settings: an object with the sections to change wanted")
    _not_on_trial(node)
    call("trial.prepare", ref, within, changes)
    return "restarting to try them; kept if online within %d s" % within


async def period(node, args: dict, ref: object = None) -> tuple:
    """Set the time between two readings: `value` in seconds, of all sensors or of `sensor`. Stays so."""
    value = args.get("value")
    wanted = args.get("sensor")
    if type(value) is not int:
        raise ValueError("value: seconds wanted")
    _not_on_trial(node)
    for sensor in node.sensors:
        least = getattr(sensor.driver, "MIN_PERIOD", 1)
        if value < least and wanted in (None, sensor.name):
            raise ValueError("value: %s takes %s s at least" % (sensor.name, least))
    if not 1 <= value <= _PERIOD_MOST_S:
        raise ValueError("value: 1 to %d s wanted" % _PERIOD_MOST_S)
    if wanted is not None and wanted not in [sensor.name for sensor in node.sensors]:
        raise ValueError("sensor: one of %s wanted" % " ".join([sensor.name for sensor in node.sensors]))
    call("trial.set_period", node, wanted, value)
    for sensor in node.sensors:
        if sensor.name == wanted or (wanted is None and sensor.name not in node.own_period):
            sensor.period = value
            node.log(INFO, "%s: every %d s" % (sensor.name, value))
    return "", {sensor.name: sensor.period for sensor in node.sensors}


def _not_on_trial(node) -> None:
    if node.within > 0:
        raise ValueError("other settings are on trial, try again when they are kept")
