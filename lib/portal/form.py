"""The form: which settings the page asks for, and what its answers mean. All rules come from the settings schema.

page.py draws the fields, app.py hands the answers here. Names in the form are "section.name" as in the schema; the
entries of lists are the items `network` and `broker` (the page edits one of each). A secret that is left empty is kept;
its box "NAME.clear" removes it.
"""

from settings import schema

from . import networks

# In the order of the page. A section, or a section with some of its names.
_SHOWN = (
    ("cloud", "platform"),
    ("broker", "host port tls"),
    ("mqtt", "user password"),
    ("cloud", "product device secret region instance edition method expiry"),
    ("device", "name web password"),
)
# Platforms that want a broker address typed in, and those that log in with user and password.
_HOST = "plain homeassistant thingsboard azure aws emqx hivemq"
_LOGIN = "plain homeassistant thingspeak emqx hivemq"


def fields():
    """The schema's fields that the page asks for, in order; the network is drawn apart (page.py)."""
    for section, names in _SHOWN:
        for field in schema.fields(section):
            if " " + field.name + " " in " " + names + " ":
                yield field


def platforms(field) -> str:
    """The cloud platforms that use this field, with spaces between; "" if all do."""
    if field.section == "broker":
        return _HOST
    if field.section == "mqtt":
        return _LOGIN
    return " ".join(sorted(field.platforms)) if field.platforms else ""


def value(settings: dict, field) -> object:
    """The value of `field` in the settings: for a broker the first one's. May be a secret: never to be shown then."""
    if field.section == "broker":
        brokers = settings.get("mqtt", {}).get("brokers")
        entry = brokers[0] if brokers else {}
    else:
        entry = settings.get(field.section, {})
    found = entry.get(field.name)
    return field.default if found is None else found


def changes(form: dict, settings: dict, secured) -> "tuple[dict, list[tuple[str, str]]]":
    """What the form asks to change: ({section: {name: value}}, [(dotted name, fault)]).

    `settings` are those that the form was drawn from; `secured(ssid)` is True if that network is known to want a key.
    Only what the page showed for the chosen platform is in the result; a secret to be kept is absent, "" clears it.
    Ranges are left to the settings' own validation; here are only the faults of a form: no text, no number, no key.
    """
    result: dict = {}
    faults: list = []
    platform = form.get("cloud.platform") or value(settings, schema.find("cloud", "platform"))
    for field in fields():
        used = platforms(field)
        if used and " " + str(platform) + " " not in " " + used + " ":
            continue
        given = form.get(field.dotted)
        if field.kind == "bool":
            given = given is not None
        elif field.dotted in form and given is None:
            faults.append((field.dotted, "text"))
            continue
        elif given is None:
            continue
        elif field.secret and not given:
            if field.dotted + ".clear" not in form:
                continue
        elif field.kind == "int":
            given = given.strip()
            if given.strip("0123456789") or len(given) > 9:
                faults.append((field.dotted, "number"))
                continue
            given = int(given) if given else field.default
        elif not field.secret:
            given = given.strip()
        result.setdefault(field.section, {})[field.name] = given
    if "broker" in result and not result["broker"].get("host"):
        del result["broker"]
    _network(form, settings, secured, result, faults)
    return result, faults


def _network(form: dict, settings: dict, secured, result: dict, faults: list) -> None:
    """The WiFi network: a typed name wins over a chosen one."""
    typed = form.get("network.ssid", "")
    key = form.get("network.key", "")
    if typed is None or key is None:
        faults.append(("network.ssid" if typed is None else "network.key", "text"))
        return
    if typed:
        ssid = typed.encode()
    else:
        try:
            ssid = bytes.fromhex(form.get("network.ssid_hex") or "")
        except ValueError:
            faults.append(("network.ssid", "text"))
            return
    if not ssid:
        return
    entry: dict = {"ssid": str(ssid, "utf-8")} if networks.readable(ssid) else {"ssid_hex": ssid.hex()}
    known = None
    for network in settings.get("wifi", {}).get("networks", ()):
        if networks.ssid_of(network) == ssid:
            known = network
    if typed:
        entry["hidden"] = True
    if key or "network.key.clear" in form:
        entry["key"] = key
    elif secured(ssid) and not (known and known.get("key")):
        faults.append(("network.key", "key_needed"))
        return
    if known is not None and "key" not in entry and not typed:
        entry.pop("hidden", None)
    result["network"] = entry


def merge(settings: dict, changed: dict) -> dict:
    """New settings with what `changes()` returned; sections that do not change are shared with the old ones.

    The network becomes the first of wifi.networks and keeps what an entry of the same name had; the broker replaces
    the first of mqtt.brokers. The list of networks never grows beyond the schema's limit: the last one goes.
    """
    result = dict(settings)
    for section in changed:
        if section not in ("network", "broker"):
            result[section] = dict(settings.get(section, {}))
            result[section].update(changed[section])
    if "network" in changed:
        entry = dict(changed["network"])
        ssid = networks.ssid_of(entry)
        others = []
        for old in settings.get("wifi", {}).get("networks", ()):
            if networks.ssid_of(old) == ssid:
                entry = dict(old)
                entry.update(changed["network"])
            else:
                others.append(old)
        limit = schema.find("wifi", "networks").high
        result["wifi"] = dict(settings.get("wifi", {}))
        result["wifi"]["networks"] = [entry] + others[: limit - 1]
    if "broker" in changed:
        brokers = settings.get("mqtt", {}).get("brokers") or [{}]
        entry = dict(brokers[0])
        entry.update(changed["broker"])
        mqtt = dict(result.get("mqtt", {}))
        mqtt["brokers"] = [entry] + list(brokers[1:])
        result["mqtt"] = mqtt
    return result
