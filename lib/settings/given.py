"""What of the settings is set, without secrets: for an answer in a small heap. Neighbours: stamp.py, initial.py."""

import json

from . import initial, stamp
from .checks import MARK


def given(directory: str, section: "str | None", periods: dict) -> dict:
    """One `section`, with the defaults in it; None: the names of all. `periods`: see put_periods().

    Raises ValueError if there is no such section, or no settings that were checked.
    """
    if section is None:
        return {"sections": list(initial.sections())}
    if section not in initial.sections():
        raise ValueError("section: one of %s wanted" % " ".join(initial.sections()))
    found = None
    for name in (stamp.CURRENT, stamp.LAST):
        file = stamp.path(directory, name)
        if found is None and stamp.is_stamped(file):
            with open(file, "rb") as f:
                found = json.load(f)
    if found is None:
        raise ValueError("no settings that were checked")
    put_periods(found, periods)
    values = initial.of(section)
    if isinstance(values, list):
        values = found.get(section, values)
    else:
        values.update(found.get(section, {}))
    found = {section: values}
    _hide(section, values)
    return found


def _hide(kind: str, values: object) -> None:
    """Put MARK for the secrets of a section, list or entry. Lists have entries of the kind that their name is the plural of."""
    if isinstance(values, list):
        for entry in values:
            _hide(kind[:-1], entry)
    elif isinstance(values, dict):
        for name in values:
            if values[name] and " %s.%s " % (kind, name) in initial.SECRETS:
                values[name] = MARK
            elif isinstance(values[name], list):
                _hide(name, values[name])


def put_periods(current: dict, periods: dict) -> None:
    """Put periods (s) into settings: of sensors by their name, "": of all that have none of their own."""
    for name, value in periods.items():
        if not name:
            telemetry = current.setdefault("telemetry", {})
            telemetry["period"] = value
        for entry in current.get("sensors", ()):
            if name == (entry.get("name") or entry["type"]):
                entry["period"] = value
