"""What a single value must be. Nothing here makes text of one character: MicroPython keeps each of those for good."""

from . import const

MARK = "********"  # stands for a secret in everything that is shown

# What check() finds is the number of a line here. One text, because each text of its own takes heap.
PROBLEMS = """
cannot be used
is not a whole number
is not a number
is out of range
is not a list
of %d entries is too long
is not a pin
is not a pin of the chip
is not text
only marks a hidden secret
is not known
has a character that cannot be used
is %d bytes long
has other than ASCII characters
is %d characters long
is not a pin name
is not an IPv4 address
is not whole bytes in hex digits
is not a host name
is not a topic
"""
_NO_BOOL = const(1)
_NO_INT = const(2)
_NO_NUMBER = const(3)
_RANGE = const(4)
_NO_LIST = const(5)
_ENTRIES = const(6)
_NO_PIN = const(7)
_PIN_RANGE = const(8)
_NO_TEXT = const(9)
_MARK = const(10)
_UNKNOWN = const(11)
_CHARACTER = const(12)
_BYTES = const(13)
_ASCII = const(14)
_CHARACTERS = const(15)
_PIN_NAME = const(16)
_IPV4 = const(17)
_HEX = const(18)
_HOST = const(19)
_TOPIC = const(20)


def check(field, value) -> int:
    """What is wrong with `value` (neither None nor "") for `field`, see PROBLEMS; 0: nothing. Lists: only their length."""
    kind = field.kind
    number = not isinstance(value, bool) and isinstance(value, (int, float))
    if kind == "bool":
        return 0 if isinstance(value, bool) else _NO_BOOL
    if kind in ("int", "number"):
        if kind == "int" and not (number and isinstance(value, int)):
            return _NO_INT
        if not number:
            return _NO_NUMBER
        return 0 if field.low <= value <= field.high else _RANGE
    if kind == "list":
        if not isinstance(value, list):
            return _NO_LIST
        return 0 if len(value) <= field.high else _ENTRIES
    if kind == "pin" and not isinstance(value, str):
        if not number or not isinstance(value, int):
            return _NO_PIN
        return 0 if 0 <= value <= 17 else _PIN_RANGE
    return _check_text(field, kind, value)


def _check_text(field, kind: str, value) -> int:
    if not isinstance(value, str):
        return _NO_TEXT
    if field.secret and value == MARK:
        return _MARK
    if kind == "choice":
        return 0 if value in field.choices else _UNKNOWN
    data = utf8(value)
    if data is None:
        return _CHARACTER
    size = len(data)
    if kind == "key":
        if size != len(value):
            return _ASCII
        good = 8 <= size <= 63 or (size == field.high == 64 and made_of(data, b"", 103))
        return 0 if good else _CHARACTERS
    if field.low is not None and not field.low <= size <= field.high:
        return _BYTES
    if kind == "pin":
        return 0 if size <= 8 and made_of(data) else _PIN_NAME
    if kind == "ipv4":
        return 0 if _is_ipv4(value) else _IPV4
    if kind == "hex":
        return 0 if size % 2 == 0 and made_of(data, b"", 103) else _HEX
    if kind == "host":
        return 0 if made_of(data, b".-_:") else _HOST
    if kind == "hostname":
        return 0 if made_of(data, b"-") and data[0] != 45 and data[-1] != 45 else _HOST
    if kind == "topic" and (b"+" in data or b"#" in data or data[0] == 47 or data[-1] == 47):
        return _TOPIC
    return 0


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


def made_of(data: bytes, others: bytes = b"", end: int = 123) -> bool:
    """ASCII letters below the character `end` (103: hex digits), digits and `others` only."""
    good = True
    for c in data:
        good = good and (48 <= c < 58 or 97 <= c | 32 < end or c in others) and c < 128
    return good


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    for part in parts:
        if not 1 <= len(part) <= 3 or not made_of(part.encode()) or not part.isdigit():
            return False
        if int(part) > 255 or str(int(part)) != part:
            return False
    return len(parts) == 4
