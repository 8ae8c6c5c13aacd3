"""The form: which settings the page asks for, and what its answers mean. All rules come from the settings schema.

page.py draws the fields, app.py hands the answers here. Names in the form are "section.name" as in the schema; of the
lists `wifi.networks` and `mqtt.brokers` the page edits one entry, under the names of the items `network` and `broker`.
A secret that is left empty is kept; its box "NAME.clear" removes it.
"""

import settings

from . import networks

# In the order of the page.
_SHOWN = (
    ("cloud", " platform "),
    ("broker", " host port tls "),
    ("mqtt", " user password "),
    ("cloud", " edition product device secret region instance method expiry fields tls "),
    ("device", " name web password "),
)
# Platforms that want a broker address typed in, and those that log in with user and password.
_HOST = "plain homeassistant thingsboard azure aws emqx hivemq"
_LOGIN = "plain homeassistant thingspeak emqx hivemq"

_NETWORKS_MAX = 8  # entries of wifi.networks


def fields():
    """The schema's fields that the page asks for, in order; the network is drawn apart (page.py)."""
    for section, names in _SHOWN:
        for field in settings.fields(section):
            if " " + field.name + " " in names:
                yield field


def field(section: str, name: str):
    """One field of the schema."""
    for found in settings.fields(section):
        if found.name == name:
            return found
    raise KeyError(name)


def label(lang: str, dotted: str) -> tuple:
    """(label, help) of a section or field by its dotted name; the name itself if it has no words."""
    try:
        return settings.section_help(dotted, lang)
    except KeyError:
        return dotted, ""


def platforms(field) -> str:
    """The cloud platforms that use this field, with spaces between; "" if all do."""
    if field.section == "broker":
        return _HOST
    if field.section == "mqtt":
        return _LOGIN
    return " ".join(sorted(field.platforms)) if field.platforms else ""


def value(current: dict, field) -> object:
    """The value of `field` in the settings: of a broker the first one's. May be a secret: never to be shown then."""
    if field.section == "broker":
        brokers = current["mqtt"]["brokers"]
        found = brokers[0].get(field.name) if brokers else None
    else:
        found = current[field.section].get(field.name)
    return field.default if found is None else found


def changes(form: dict, node) -> "tuple[dict, list[str]]":
    """What the form asks to change, for `settings.patch()`, and the faults that only the form can have.

    Only what the page showed for the chosen platform is in it; a secret to be kept is absent, None puts a field back.
    Faults are "name: code"; the codes are the @e blocks of template.py.
    """
    current = node.settings
    patch: dict = {}
    faults: list = []
    broker: dict = {}
    platform = form.get("cloud.platform") or current["cloud"]["platform"]
    for field in fields():
        used = platforms(field)
        if used and " " + platform + " " not in " " + used + " ":
            continue
        try:
            given = _given(form, field)
        except ValueError as error:
            faults.append(field.dotted + ": " + error.args[0])
            continue
        if given is not _KEPT:
            (broker if field.section == "broker" else patch.setdefault(field.section, {}))[field.name] = given
    if broker.get("host"):
        brokers = current["mqtt"]["brokers"]
        entry = dict(brokers[0]) if brokers else {}
        entry.update(broker)
        patch.setdefault("mqtt", {})["brokers"] = [entry] + list(brokers[1:])
    elif "host" in broker:
        faults.append("broker.host: needed")
    _network(form, node, patch, faults)
    return patch, faults


_KEPT = ()


def _given(form: dict, field):
    """The field's answer as a value: _KEPT to leave it alone, None to put it back to its default."""
    text = form.get(field.dotted, _KEPT)
    if field.kind == "bool":
        return text is not _KEPT
    if text is None:
        raise ValueError("text")
    if text is _KEPT:
        return _KEPT
    if field.secret:
        if field.dotted + ".clear" in form:
            return None
        return text or _KEPT
    text = text.strip()
    if field.kind != "int":
        return text or None
    if text.strip("0123456789") or len(text) > 9:
        raise ValueError("number")
    return int(text) if text else None


def _network(form: dict, node, patch: dict, faults: list) -> None:
    """The WiFi network: a typed name wins over a chosen one. It becomes the first of the list, the last one may go."""
    typed = form.get("network.ssid", "")
    key = form.get("network.key", "")
    if typed is None or key is None:
        faults.append("network.ssid: text" if typed is None else "network.key: text")
        return
    try:
        ssid = typed.encode() if typed else bytes.fromhex(form.get("network.ssid_hex") or "")
    except ValueError:
        faults.append("network.ssid: text")
        return
    if not ssid:
        return
    entry: dict = {}
    others = []
    for network in node.settings["wifi"]["networks"]:
        if settings.ssid_bytes(network) == ssid:
            entry = dict(network)
        else:
            others.append(network)
    if not entry:
        entry["hidden"] = bool(typed)
        if networks.readable(ssid):
            entry["ssid"] = str(ssid, "utf-8")
        else:
            entry["ssid_hex"] = ssid.hex()
    if "network.key.clear" in form:
        entry["key"] = None
    elif key:
        entry["key"] = key
    elif not entry.get("key") and True in [locked for name, _, locked in node.networks() or () if name == ssid]:
        faults.append("network.key: key_needed")
    patch["wifi"] = {"networks": [entry] + others[: _NETWORKS_MAX - 1]}
