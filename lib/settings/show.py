"""Settings as they may be shown: without secrets."""

from . import schema
from .checks import MARK


def redact(settings: dict) -> dict:
    """A copy to show: `MARK` for every secret that is set."""
    shown: dict = {}
    for section, value in settings.items():
        shown[section] = _redacted(section, value)
    return shown


def _redacted(section: str, value):
    """A section, list or entry; lists have entries of the kind that their name is the plural of."""
    if isinstance(value, (list, tuple)):
        return [_redacted(section[:-1], entry) for entry in value]
    shown = dict(value)
    for name in value:
        row = schema.row_of(section, name)
        if " secret" in row and value[name]:
            shown[name] = MARK
        elif "| list " in row:
            shown[name] = _redacted(name, value[name])
    return shown
