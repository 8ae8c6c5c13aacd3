"""Brings settings of an older schema version to today's, one step a version."""

from . import schema

STEPS = ()  # STEPS[n - 1](raw) changes settings of version n, in place, into version n + 1; none was needed yet


class TooNew(ValueError):
    """Written by a newer firmware."""


def migrate(raw: dict, steps: tuple = STEPS, version: int = schema.VERSION) -> dict:
    """`raw`, changed in place, in the form of `version`; without "schema" it is that already. TooNew, ValueError."""
    found = raw.get("schema", version)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise ValueError("schema: not a version, wanted 1 to %d" % version)
    if found > version:
        raise TooNew("schema %d is newer than this firmware, which knows up to %d" % (found, version))
    while found < version:
        steps[found - 1](raw)
        found += 1
        raw["schema"] = found
    return raw
