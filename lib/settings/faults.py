"""Faults in words: what was wanted, what came. Loaded when there is one."""

from .checks import PROBLEMS, utf8


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
        return "8 to 63 characters" + (" or 64 hex digits" if high == 64 else "")
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
    text = value if len(value) <= 32 else value[:29] + "..."
    if utf8(text) is None:
        try:
            text = bytes([c if 32 <= c < 127 else 63 for c in text.encode()]).decode()
        except UnicodeError:  # CPython: half of a UTF-16 pair
            text = "?"
    return '"' + text + '"'


def problem(number: int, value) -> str:
    """What checks.check() found, in words."""
    text = PROBLEMS.split("\n")[number]
    if "%d" not in text:
        return text
    size = len(value.encode() if isinstance(value, str) else value)
    return (text % size).replace(" 1 bytes", " 1 byte")


def fault(field, dotted: str, value, number: int) -> str:
    """`mqtt.port: 70000 is out of range, wanted 1 to 65535`; a secret's value is not in it."""
    return line(field, dotted, value, problem(number, value))


def line(field, dotted: str, value, what: str) -> str:
    """The same with the problem in words."""
    return "%s: %s %s, wanted %s" % (dotted, "the value" if field.secret else shown(value), what, wanted(field))


def unknown(dotted: str, key) -> str:
    """A line on a name that the table does not know."""
    return "%s: unknown, ignored" % named(dotted, key)


def named(dotted: str, key) -> str:
    """`mqtt.key`; a key that is no name is quoted."""
    from .extra import is_name

    key = key if is_name(key) else shown(key)
    return "%s.%s" % (dotted, key) if dotted else key
