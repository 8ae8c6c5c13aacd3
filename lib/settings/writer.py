"""Settings as text: a JSON object, a line a section, only what differs from the default. Neighbour: reader.py."""

import json

from . import schema


def lines(settings: dict):
    """Lines, in table order, that follow `{` and an optional checksum line; the last one closes the object."""
    line = '"schema": %d' % schema.VERSION
    for section in schema.sections():
        whole = schema.find(section)
        if whole is not None:
            text = _list(whole, settings[section]) if settings[section] else ""
        else:
            text = _object(section, settings[section])
            text = "" if text == "{}" else text
        if text:
            yield line + ",\n"
            line = '"%s": %s' % (section, text)
    yield line + "\n}\n"


def _object(section: str, values: dict) -> str:
    parts = []
    known = []
    for field in schema.fields(section):
        known.append(field.name)
        value = values.get(field.name)
        if value is not None and value != field.default:
            text = _list(field, value) if field.kind == "list" else _any(value)
            parts.append('"%s": %s' % (field.name, text))
    for key in sorted(values):
        if key not in known:  # of an open entry
            parts.append('"%s": %s' % (key, _any(values[key])))
    return "{" + ", ".join(parts) + "}"


def _list(field, values: list) -> str:
    return "[" + ", ".join([_object(field.item, v) for v in values]) + "]"


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
