"""Settings as text: a JSON object, a line a section, only what differs from the default. Neighbour: reader.py."""

import json

from . import initial, schema


def lines(settings: dict):
    """Lines, in table order, that follow `{` and an optional checksum line; the last one closes the object."""
    line = '"schema": %d' % schema.VERSION
    for section in initial.sections():
        text = _object(section, settings[section])
        if text not in ("{}", "[]"):
            yield line + ",\n"
            line = '"%s": %s' % (section, text)
    yield line + "\n}\n"


def _object(name: str, values) -> str:
    """A section, list or entry; lists have entries of the kind that their name is the plural of."""
    if isinstance(values, (list, tuple)):
        return "[" + ", ".join([_object(name[:-1], v) for v in values]) + "]"
    parts = []
    default = initial.of(name)
    known = 0
    for row in schema.rows(name):
        key = row[: row.find("|")].strip()
        value = values.get(key)
        known += key in values
        if value is not None and value != default.get(key):
            text = _object(key, value) if "| list " in row else _any(value)
            parts.append('"%s": %s' % (key, text))
    if known < len(values):
        for key in sorted(values):
            if not schema.row_of(name, key):  # of an open entry
                parts.append('"%s": %s' % (key, _any(values[key])))
    return "{" + ", ".join(parts) + "}"


def _any(value) -> str:
    """JSON with sorted names, so that equal settings give equal text on every VM."""
    if isinstance(value, dict):
        return "{" + ", ".join(['"%s": %s' % (k, _any(value[k])) for k in sorted(value)]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_any(v) for v in value]) + "]"
    if isinstance(value, str):  # checked: no control characters
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


def to_text(settings: dict):
    """Lines of a settings file without a checksum; secrets included."""
    yield "{\n"
    yield from lines(settings)
