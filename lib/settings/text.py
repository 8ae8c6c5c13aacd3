"""Values and changes from text: a form, a command line, a message. For `change.patch()`."""

from . import schema
from .checks import PROBLEMS, check

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0", "")


def parse(field, text: str):
    """The value that `text` (of a form, a command line) stands for; None: not set. No lists. ValueError: what is wrong."""
    if field.kind == "bool":
        word = text.strip().lower()
        if word not in _YES and word not in _NO:
            raise ValueError(PROBLEMS.split("\n")[1])
        return word in _YES
    if not text:
        return "" if field.secret else None
    value: "str | int | float" = text
    if field.kind in ("int", "number", "pin"):
        number = _number(text.strip(), field.kind)
        value = text if number is None else number
    wrong = check(field, value)
    if wrong:
        from .faults import problem

        raise ValueError(problem(wrong, value))
    return value


def _number(text: str, kind: str) -> "int | float | None":
    for c in text.encode():
        if c not in (b"0123456789" if kind == "pin" else b"+-.0123456789eE"):
            return None
    try:
        return int(text) if len(text) < 4 or kind != "pin" else None
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def from_text(pairs) -> tuple:
    """`(changes, faults)` from `(dotted name, text)` pairs, for `patch()`.

    Names are as in fault lines: `mqtt.keepalive`, `wifi.networks.0.ssid`, `sensors.1.pin`. A list gets exactly the
    entries that are named, in the order of their numbers. A whole list, or a further key of a sensor, is given as JSON.
    """
    changes: dict = {}
    lists: list = []
    faults: list = []
    for dotted, text in pairs:
        try:
            _assign(changes, lists, dotted, text)
        except _Unknown:
            from .faults import shown

            faults.append("%s: unknown, wanted a name from the settings table" % shown(dotted)[1:-1])
        except ValueError as e:
            faults.append(e.args[0])
    for holder, name in lists:
        entries = holder[name]
        holder[name] = [entries[i] for i in sorted(entries)]
    return changes, faults


class _Unknown(Exception):
    pass


def _assign(changes: dict, lists: list, dotted: str, text: str) -> None:
    parts = dotted.split(".")
    section = parts.pop(0)
    if section not in schema.sections():
        raise _Unknown()
    field = schema.find(section)
    holder, name = changes, section
    if field is None:
        if not parts:
            raise _Unknown()
        name = parts.pop(0)
        field = schema.find(section, name)
        if field is None:
            raise _Unknown()
        holder = changes.setdefault(section, {})
    if field.kind != "list":
        if parts:
            raise _Unknown()
        holder[name] = _parsed(field, dotted, text)
    elif not parts:
        holder[name] = _json(dotted, text)
    else:
        entry = _entry(field, holder, lists, name, parts)
        entry[parts[1]] = _entry_value(field.item, parts[1], dotted, text)


def _entry(field, holder: dict, lists: list, name: str, parts: list) -> dict:
    """The list entry that `parts`, [number, name], is about; made if it is new."""
    if len(parts) != 2 or not parts[0].isdigit() or len(parts[0]) > 2 or int(parts[0]) >= field.high:
        raise _Unknown()
    if (holder, name) not in lists:
        holder[name] = {}
        lists.append((holder, name))
    return holder[name].setdefault(int(parts[0]), {})


def _entry_value(item: str, name: str, dotted: str, text: str):
    inner = schema.find(item, name)
    if inner is not None:
        return _parsed(inner, dotted, text)
    if not schema.is_open(item):
        raise _Unknown()
    from . import reader

    try:
        return reader.parse_json(text.encode())
    except reader.Malformed:
        return text


def _json(dotted: str, text: str):
    from . import reader

    try:
        return reader.parse_json(text.encode())
    except reader.Malformed as e:
        raise ValueError("%s: %s" % (dotted, e))


def _parsed(field, dotted: str, text: str):
    try:
        return parse(field, text)
    except ValueError as e:
        from .faults import line

        raise ValueError(line(field, dotted, text, e.args[0]))
