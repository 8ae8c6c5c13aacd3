"""What a single value must be. Nothing here makes text of one character: MicroPython keeps each of those for good."""

MARK = "********"  # stands for a secret in everything that is shown


def check(field, value) -> str:
    """What is wrong with `value` (neither None nor "") for `field`; "" if nothing. Lists: only their length."""
    kind = field.kind
    number = not isinstance(value, bool) and isinstance(value, (int, float))
    if kind == "bool":
        return "" if isinstance(value, bool) else "cannot be used"
    if kind in ("int", "number"):
        if kind == "int" and not (number and isinstance(value, int)):
            return "is not a whole number"
        if not number:
            return "is not a number"
        return "" if field.low <= value <= field.high else "is out of range"
    if kind == "list":
        if not isinstance(value, list):
            return "is not a list"
        return "" if len(value) <= field.high else "of %d entries is too long" % len(value)
    if kind == "pin" and not isinstance(value, str):
        if not number or not isinstance(value, int):
            return "is not a pin"
        return "" if 0 <= value <= 17 else "is not a pin of the chip"
    return _check_text(field, kind, value)


def _check_text(field, kind: str, value) -> str:
    if not isinstance(value, str):
        return "is not text"
    if field.secret and value == MARK:
        return "only marks a hidden secret"
    if kind == "choice":
        return "" if value in field.choices else "is not known"
    data = utf8(value)
    if data is None:
        return "has a character that cannot be used"
    size = len(data)
    if kind == "key":
        if size != len(value):
            return "has other than ASCII characters"
        if 8 <= size <= 63 or (size == field.high == 64 and _is_hex(data)):
            return ""
        return "is %d characters long" % size
    if field.low is not None and not field.low <= size <= field.high:
        return "is %d byte%s long" % (size, "" if size == 1 else "s")
    if kind == "pin":
        return "" if size <= 8 and made_of(data) else "is not a pin name"
    if kind == "ipv4":
        return "" if _is_ipv4(value) else "is not an IPv4 address"
    if kind == "hex":
        return "" if size % 2 == 0 and _is_hex(data) else "is not whole bytes in hex digits"
    if kind == "host":
        return "" if made_of(data, b".-_:") else "is not a host name"
    if kind == "hostname":
        good = made_of(data, b"-") and data[0] != 45 and data[-1] != 45
        return "" if good else "is not a host name"
    if kind == "topic" and (b"+" in data or b"#" in data or data[0] == 47 or data[-1] == 47):
        return "is not a topic"
    return ""


def utf8(text: str) -> "bytes | None":
    """The bytes of `text`; None if there is a control character or half of a UTF-16 pair in it."""
    try:
        data = text.encode()
    except UnicodeError:  # CPython: half a pair
        return None
    before = 0
    for c in data:
        if c < 32 or c == 127 or (before == 0xC2 and c < 0xA0) or (before == 0xED and c >= 0xA0):
            return None
        before = c
    return data


def made_of(data: bytes, others: bytes = b"") -> bool:
    """ASCII letters, digits and `others` only."""
    return all(48 <= c < 58 or 65 <= c < 91 or 97 <= c < 123 or c in others for c in data)


def _is_hex(data: bytes) -> bool:
    return all(c in b"0123456789abcdefABCDEF" for c in data)


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    for part in parts:
        if not 1 <= len(part) <= 3 or not made_of(part.encode()) or not part.isdigit():
            return False
        if int(part) > 255 or str(int(part)) != part:
            return False
    return len(parts) == 4
