"""Changes to settings from a form, a command line or a message: text to values, a partial object over the current ones.

Secrets: one that is absent, empty or `MARK` keeps its value, null clears it. Lists are replaced whole; an entry of
`wifi.networks` keeps the key of the entry with the same SSID.
"""

from . import reader, rules, schema
from .rules import MARK

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0", "")


def redact(settings: dict) -> dict:
    """A copy to show: `MARK` for every secret that is set."""
    shown: dict = {}
    for section in schema.sections():
        whole = schema.find(section)
        value = settings[section]
        shown[section] = _redact_list(whole.item, value) if whole else _redact_object(section, value)
    return shown


def _redact_list(item: str, values: list) -> list:
    return [_redact_object(item, v) for v in values]


def _redact_object(section: str, values: dict) -> dict:
    shown = dict(values)
    for field in schema.fields(section):
        value = shown.get(field.name)
        if field.secret and value:
            shown[field.name] = MARK
        elif field.kind == "list":
            shown[field.name] = _redact_list(field.item, value)  # type: ignore[arg-type]  # checked settings have all
    return shown


def patch(settings: dict, changes) -> tuple:
    """`(merged, faults)`: `changes`, an object with only what is to change, over `settings`; neither is changed.

    null puts a field back to its default. Names that are not known are faults here. With faults, do not use `merged`.
    """
    if not isinstance(changes, dict):
        return settings, rules.validate(changes)[1]
    raw: dict = dict(settings)
    for section, new in changes.items():
        whole = schema.find(section) if section in settings else None
        if section not in settings or new is None or not isinstance(new, (dict, list)):
            raw[section] = new  # for validate() to judge
        elif whole is not None:
            raw[section] = _keep_in_list(whole.item, settings[section], new)
        elif isinstance(new, dict):
            raw[section] = _over(section, settings[section], new)
        else:
            raw[section] = new
    unknown: list = []
    merged, faults = rules.validate(raw, unknown)
    return merged, faults + unknown


def _over(section: str, old: dict, new: dict) -> dict:
    merged = dict(old)
    merged.update(new)
    for field in schema.fields(section):
        name = field.name
        if field.secret and _keeps(new, name):
            merged[name] = old.get(name)
        elif field.kind == "list" and name in new:
            merged[name] = _keep_in_list(field.item, old[name], new[name])
    return merged


def _keeps(new: dict, name: str) -> bool:
    return name not in new or new[name] == "" or new[name] == MARK


def _keep_in_list(item: str, old: list, new):
    """The new entries, each with the secrets of the old entry of the same identity (SSID) where it brings none."""
    secrets = [field.name for field in schema.fields(item) if field.secret]
    if not secrets or not isinstance(new, list):
        return new
    return [_with_secrets(secrets, old, entry) if isinstance(entry, dict) else entry for entry in new]


def _with_secrets(secrets: list, old: list, new: dict) -> dict:
    merged = dict(new)
    for entry in old:
        if _ssid(entry) == _ssid(new):
            for name in secrets:
                if _keeps(new, name):
                    merged[name] = entry.get(name)
    return merged


def _ssid(network: dict) -> tuple:
    return network.get("ssid") or "", network.get("ssid_hex") or ""


def parse(field, text: str):
    """The value that `text` (of a form, a command line) stands for; None: not set. Raises `rules.Wrong`. No lists."""
    if field.kind == "bool":
        word = text.strip().lower()
        if word not in _YES and word not in _NO:
            raise rules.Wrong("cannot be used")
        return word in _YES
    if not text:
        return "" if field.secret else None
    if field.kind in ("int", "number"):
        try:
            value = reader.parse_json(text.encode())
        except reader.Malformed:
            value = text
    elif field.kind == "pin" and text.strip().isdigit() and len(text) < 4:
        value = int(text)
    else:
        value = text
    rules.check(field, value)
    return value


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
            faults.append("%s: unknown, wanted a name from the settings table" % rules.shown(dotted)[1:-1])
        except reader.Malformed as e:
            faults.append("%s: %s" % (dotted, e))
        except _Fault as e:
            faults.append(e.args[0])
    for holder, name in lists:
        entries = holder[name]
        holder[name] = [entries[i] for i in sorted(entries)]
    return changes, faults


class _Unknown(Exception):
    pass


class _Fault(Exception):
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
        holder[name] = reader.parse_json(text.encode())
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
    try:
        return reader.parse_json(text.encode())
    except reader.Malformed:
        return text


def _parsed(field, dotted: str, text: str):
    try:
        return parse(field, text)
    except rules.Wrong as e:
        raise _Fault(rules.fault(field, dotted, text, e.args[0]))
