"""What a value must be: every fault of a settings object found and said at once, from the table in schema.py."""

from . import schema

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """The value itself."""
        return value


_EXTRA_INT = const(0x3FFFFFFF)  # the chip's small int
_EXTRA_TEXT = const(64)
_EXTRA_LIST = const(16)
_EXTRA_DEPTH = const(3)


MARK = "********"  # stands for a secret in everything that is shown


class Wrong(ValueError):
    """A value that is refused; the text says what is wrong."""


def wanted(field) -> str:
    """What the field takes, in words, for fault texts, forms and docs."""
    kind, low, high = field.kind, field.low, field.high
    if kind in ("int", "number"):
        return "%d to %d%s" % (low, high, " " + field.unit if field.unit else "")
    if kind == "bool":
        return "true or false"
    if kind == "choice":
        return "one of " + ", ".join(field.choices)
    if kind == "ipv4":
        return "an IPv4 address such as 192.168.1.20"
    if kind == "key":
        return "8 to 63 characters or 64 hex digits"
    if kind == "pin":
        return "a pin name or number such as D4 or 2"
    if kind == "hex":
        return "%d to %d hex digits, two for each byte" % (low, high)
    if kind == "list":
        return "a list of at most %d" % high
    size = "%d bytes" % high if low == high else "%d to %d bytes" % (low, high)
    if kind == "host":
        return "a host name or address, " + size
    if kind == "hostname":
        return "letters, digits and inner hyphens, " + size
    if kind == "topic":
        return "a topic without + and #, " + size
    return "text of " + size


def shown(value) -> str:
    """The value as a fault text quotes it: short, and with nothing that could upset a terminal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    if not isinstance(value, str):
        try:
            text = str(value)
        except ValueError:  # CPython: more digits than it likes to print
            text = "a huge number"
        return text if len(text) <= 24 else text[:20] + "..."
    text = "".join([c if _usable(c) else "?" for c in value[:33]])
    return '"' + (text if len(value) <= 32 else text[:29] + "...") + '"'


def check(field, value) -> None:
    """Raise `Wrong` if `value` (neither None nor "") is not what `field` takes. Lists: only their length."""
    kind = field.kind
    if kind == "bool":
        if not isinstance(value, bool):
            raise Wrong("cannot be used")
    elif kind == "int":
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("is not a whole number")
        if not field.low <= value <= field.high:
            raise Wrong("is out of range")
    elif kind == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Wrong("is not a number")
        if not field.low <= value <= field.high:
            raise Wrong("is out of range")
    elif kind == "list":
        if not isinstance(value, list):
            raise Wrong("is not a list")
        if len(value) > field.high:
            raise Wrong("of %d entries is too long" % len(value))
    elif kind == "pin":
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise Wrong("is not a pin")
        if isinstance(value, int) and not 0 <= value <= 17:
            raise Wrong("is not a pin of the chip")
        if isinstance(value, str) and (len(value) > 8 or not _made_of(value, "")):
            raise Wrong("is not a pin name")
    else:
        _check_text(field, kind, value)


def _check_text(field, kind: str, value) -> None:
    if not isinstance(value, str):
        raise Wrong("is not text")
    if field.secret and value == MARK:
        raise Wrong("only marks a hidden secret")
    for c in value:
        if not _usable(c):
            raise Wrong("has a character that cannot be used")
    if kind == "choice":
        if value not in field.choices:
            raise Wrong("is not known")
        return
    size = len(value.encode())
    if field.low is not None and not field.low <= size <= field.high:
        raise Wrong("is %d byte%s long" % (size, "" if size == 1 else "s"))
    if kind == "ipv4":
        if not _is_ipv4(value):
            raise Wrong("is not an IPv4 address")
    elif kind == "key":
        if not (8 <= size <= 63 and size == len(value)) and not (size == 64 and _is_hex(value)):
            raise Wrong("is %d characters long" % size if size == len(value) else "has other than ASCII characters")
    elif kind == "hex":
        if size % 2 or not _is_hex(value):
            raise Wrong("is not whole bytes in hex digits")
    elif kind == "host":
        if not _made_of(value, ".-_:"):
            raise Wrong("is not a host name")
    elif kind == "hostname":
        if not _made_of(value, "-") or value.startswith("-") or value.endswith("-"):
            raise Wrong("is not a host name")
    elif kind == "topic" and ("+" in value or "#" in value or value.startswith("/") or value.endswith("/")):
        raise Wrong("is not a topic")


def _usable(c: str) -> bool:
    """Neither a control character nor half of a UTF-16 pair."""
    return " " <= c < "\x7f" or "\x9f" < c <= "\ud7ff" or c >= "\ue000"


def _made_of(text: str, others: str) -> bool:
    """ASCII letters, digits and `others` only."""
    return all("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c in others for c in text)


def _is_hex(text: str) -> bool:
    return all(c in "0123456789abcdefABCDEF" for c in text)


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    if len(parts) != 4:
        return False
    for part in parts:
        if not 1 <= len(part) <= 3 or not _made_of(part, "") or not part.isdigit():
            return False
        if int(part) > 255 or str(int(part)) != part:
            return False
    return True


def fault(field, dotted: str, value, problem: str) -> str:
    """`mqtt.port: 70000 is out of range, wanted 1 to 65535`; a secret's value is not in it."""
    what = "the value" if field.secret else shown(value)
    return "%s: %s %s, wanted %s" % (dotted, what, problem, wanted(field))


def _extra(value, depth: int) -> bool:
    """May an open entry hold this: bool, small int, finite float, short text, or a few of these in a list or dict?"""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -_EXTRA_INT <= value <= _EXTRA_INT
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, str):
        return all(_usable(c) for c in value) and len(value.encode()) <= _EXTRA_TEXT
    if depth and isinstance(value, list) and len(value) <= _EXTRA_LIST:
        return all(_extra(v, depth - 1) for v in value)
    if depth and isinstance(value, dict) and len(value) <= _EXTRA_LIST:
        return all((k == "*" or _is_name(k)) and _extra(v, depth - 1) for k, v in value.items())
    return False


def _is_name(key) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 24 and _made_of(key, "_") and not key[0].isdigit()


def _object(section: str, raw, dotted: str, faults: list, notes: list) -> dict:
    """One section or list entry made whole: every field checked, defaults put in, unknown keys noted."""
    clean = {}
    known = []
    if not isinstance(raw, dict):
        faults.append("%s: %s is not an object, wanted names and values in {}" % (dotted, shown(raw)))
        raw = {}
    for field in schema.fields(section):
        name = field.name
        known.append(name)
        value = raw.get(name)
        clean[name] = field.default
        if value is not None and value != "":
            _value(field, value, dotted + "." + name, clean, faults, notes)
        elif field.must:
            faults.append("%s.%s: missing, wanted %s" % (dotted, name, wanted(field)))
        if field.optional and clean[name] is None:
            del clean[name]
    for key in raw:
        if key in known:
            continue
        here = "%s.%s" % (dotted, key if _is_name(key) else shown(key))
        if not schema.is_open(section):
            notes.append(here + ": unknown, ignored")
        elif _is_name(key) and _extra(raw[key], _EXTRA_DEPTH):
            clean[key] = raw[key]
        else:
            faults.append(
                "%s: %s cannot be kept, wanted a short name with a number, true, false, text of at most %d bytes "
                "or a few of these" % (here, shown(raw[key]), _EXTRA_TEXT)
            )
    return dict(**clean)  # MicroPython: keys become interned strings, shared with the code that reads them


def _value(field, value, dotted: str, into: dict, faults: list, notes: list) -> None:
    """Check one value and put it into `into`; on a fault `into` keeps what it has."""
    try:
        check(field, value)
    except Wrong as e:
        faults.append(fault(field, dotted, value, e.args[0]))
        return
    if field.kind == "list":
        value = [_object(field.item, v, "%s.%d" % (dotted, i), faults, notes) for i, v in enumerate(value)]
    into[field.name] = value


def validate(raw, notes: "list | None" = None) -> tuple:
    """Check a settings object: `(clean, faults)`.

    `clean` has every section and field of the table (optional ones only if set), with the default where nothing, null
    or "" was given or the value is at fault: use it only if `faults`, a list of lines, is empty. Names that the table
    does not know are left out of `clean` and go to `notes`.
    """
    faults: list = []
    notes = [] if notes is None else notes
    clean: dict = {}
    if not isinstance(raw, dict):
        faults.append("settings: %s is not an object, wanted sections in {}" % shown(raw))
        raw = {}
    for section in schema.sections():
        value = raw.get(section)
        whole = schema.find(section)
        if whole is not None:
            clean[section] = whole.default
            if value is not None:
                into: dict = {"": clean[section]}
                _value(whole, value, section, into, faults, notes)
                clean[section] = into[""]
        else:
            clean[section] = _object(section, {} if value is None else value, section, faults, notes)
    for key in raw:
        if key not in clean and key != "schema":
            notes.append("%s: unknown, ignored" % (key if _is_name(key) else shown(key)))
    if not faults:
        _together(clean, faults)
    return dict(**clean), faults


def defaults() -> dict:
    """Settings of a new node."""
    return validate({})[0]


def _together(clean: dict, faults: list) -> None:
    """Rules that are about more than one field."""
    wifi = clean["wifi"]
    if wifi["mode"] == "sta" and not wifi["networks"]:
        faults.append("wifi.networks: empty, wanted at least one network in mode sta")
    seen = []
    for i, network in enumerate(wifi["networks"]):
        _network(network, "wifi.networks.%d" % i, seen, faults)
    for section in ("sensors", "outputs"):
        names = []
        for i, entry in enumerate(clean[section]):
            name = entry.get("name")
            if name and name in names:
                faults.append("%s.%d.name: %s is there twice, wanted a name of its own" % (section, i, shown(name)))
            names.append(name)
    if clean["device"]["web"] and not clean["device"].get("password"):
        faults.append("device.password: empty, wanted 8 to 64 bytes when device.web is on")
    cloud = clean["cloud"]
    for field in schema.fields("cloud"):
        if field.platforms and field.platforms.get(cloud["platform"]) and not cloud.get(field.name):
            faults.append("%s: empty, wanted for platform %s" % (field.dotted, cloud["platform"]))


def ssid_bytes(network: dict) -> bytes:
    """The SSID of an entry of wifi.networks as it is on the air; 1 to 32 bytes."""
    digits = network.get("ssid_hex")
    if digits:
        return bytes([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])
    return network["ssid"].encode()


def _network(network: dict, dotted: str, seen: list, faults: list) -> None:
    if ("ssid" in network) == ("ssid_hex" in network):
        faults.append(
            "%s.ssid: %s, wanted ssid or ssid_hex" % (dotted, "given twice" if "ssid" in network else "missing")
        )
        return
    ssid = ssid_bytes(network)
    if ssid in seen:
        faults.append("%s.ssid: this network is there twice, wanted each once" % dotted)
    seen.append(ssid)
    for name in ("mask", "gateway", "dns"):
        if name in network and "ip" not in network:
            faults.append("%s.ip: missing, wanted with %s" % (dotted, name))
    if "ip" in network and "gateway" not in network:
        faults.append("%s.gateway: missing, wanted with a static ip" % dotted)
