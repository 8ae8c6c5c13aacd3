"""What the answers to the form mean: a patch for the settings. Loaded by actions.py when needed.

Ranges are left to the settings' own validation; here are only the faults of a form: no text, no number, no key.
"""

import settings

from . import form, networks

_NETWORKS_MAX = 8  # entries of wifi.networks


def changes(answers: dict, node) -> "tuple[dict, list[str]]":
    """What the form asks to change, for `settings.patch()`, and the faults that only the form can have.

    Only what the page showed for the chosen platform is in it, with the secrets that are kept; None puts a field back.
    Faults are "name: code"; the codes are the @e blocks of template.py.
    """
    current = node.settings
    patch: dict = {}
    faults: list = []
    broker: dict = {}
    platform = answers.get("cloud.platform") or current["cloud"]["platform"]
    for field in form.fields():
        used = form.platforms(field)
        if used and " " + platform + " " not in " " + used + " ":
            continue
        try:
            given = _given(answers, field)
        except ValueError as error:
            faults.append(field.dotted + ": " + error.args[0])
            continue
        if given is _KEPT and field.secret:
            given = form.value(current, field) or _KEPT  # it may be one of settings that are not in use yet
        if given is not _KEPT:
            (broker if field.section == "broker" else patch.setdefault(field.section, {}))[field.name] = given
    if broker.get("host"):
        brokers = current["mqtt"]["brokers"]
        entry = dict(brokers[0]) if brokers else {}
        entry.update(broker)
        patch.setdefault("mqtt", {})["brokers"] = [entry] + list(brokers[1:])
    elif "host" in broker:
        faults.append("broker.host: needed")
    _network(answers, node, current["wifi"]["networks"], patch, faults)
    return patch, faults


_KEPT = ()


def _given(answers: dict, field):
    """The field's answer as a value: _KEPT to leave it alone, None to put it back to its default."""
    text = answers.get(field.dotted, _KEPT)
    if field.kind == "bool":
        return text is not _KEPT
    if text is None:
        raise ValueError("text")
    if text is _KEPT:
        return _KEPT
    if field.secret:
        if field.dotted + ".clear" in answers:
            return None
        return text or _KEPT
    text = text.strip()
    if field.kind != "int":
        return text or None
    if text.strip("0123456789") or len(text) > 9:
        raise ValueError("number")
    return int(text) if text else None


def _network(answers: dict, node, known: list, patch: dict, faults: list) -> None:
    """The WiFi network: a typed name wins over a chosen one. It becomes the first of the list, the last one may go."""
    typed = answers.get("network.ssid", "")
    key = answers.get("network.key", "")
    if typed is None or key is None:
        faults.append("network.ssid: text" if typed is None else "network.key: text")
        return
    try:
        ssid = typed.encode() if typed else bytes.fromhex(answers.get("network.ssid_hex") or "")
    except ValueError:
        faults.append("network.ssid: text")
        return
    if not ssid:
        if not known:
            faults.append("network.ssid: needed")
        return
    entry: dict = {}
    others = []
    for network in known:
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
    if "network.key.clear" in answers:
        entry["key"] = None
    elif key:
        entry["key"] = key
    elif not entry.get("key") and True in [locked for name, _, locked in node.networks() or () if name == ssid]:
        faults.append("network.key: key_needed")
    patch["wifi"] = {"networks": [entry] + others[: _NETWORKS_MAX - 1]}
