"""A strict JSON reader: files written by people, torn files and messages from the network all end up here.

The chip's `json` takes `[1,]`, `{"a" 1}` and doubled names, splits emoji in escapes into halves, and has no limit of
depth; CPython's takes NaN. This one refuses what is not JSON, says in which line, and behaves the same on both.
"""

from . import const

_MAX_DEPTH = const(6)
_MAX_DIGITS = const(20)
_OBJECT = const(123)  # {
_OBJECT_END = const(125)
_LIST = const(91)  # [
_LIST_END = const(93)
_QUOTE = const(34)
_COMMA = const(44)
_COLON = const(58)
_BACKSLASH = const(92)


class Malformed(ValueError):
    """Not JSON, or JSON that no settings file needs; the text says what and in which line."""


class _Text:
    """The bytes being read and how far."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def fail(self, what: str):
        return Malformed("line %d: %s" % (bytes(self.data[: self.at]).count(b"\n") + 1, what))

    def peek(self) -> int:
        """The next byte that is not white space, -1 at the end; not consumed. (A text of one character stays for good.)"""
        data, at = self.data, self.at
        while at < len(data) and data[at] in b" \t\r\n":
            at += 1
        self.at = at
        return data[at] if at < len(data) else -1

    def take(self, c: int) -> bool:
        if self.peek() == c:
            self.at += 1
            return True
        return False


def parse_json(data: bytes):
    """The value that `data` (UTF-8, no BOM) stands for; raises `Malformed`."""
    text = _Text(data)
    if text.peek() < 0:
        raise Malformed("empty")
    value = _value(text, 0)
    if text.peek() >= 0:
        raise text.fail("something follows the end")
    return value


def _value(text: _Text, depth: int):
    c = text.peek()
    if depth > _MAX_DEPTH:
        raise text.fail("nested more than %d deep" % _MAX_DEPTH)
    if c == _OBJECT:
        return _object(text, depth)
    if c == _LIST:
        return _list(text, depth)
    if c == _QUOTE:
        return _string(text)
    if c >= 0 and c in b"-0123456789":
        return _number(text)
    for word, value in ((b"true", True), (b"false", False), (b"null", None)):
        if bytes(text.data[text.at : text.at + len(word)]) == word:
            text.at += len(word)
            return value
    raise text.fail("a value is missing, or a text without quotes" if c >= 0 else "ends in the middle")


def _object(text: _Text, depth: int) -> dict:
    found: dict = {}
    text.take(_OBJECT)
    if text.take(_OBJECT_END):
        return found
    while True:
        if text.peek() != _QUOTE:
            raise text.fail('a name in "quotes" is missing' if text.peek() >= 0 else "ends in the middle")
        name = _string(text)
        if name in found:
            raise text.fail('"%s" is there twice' % name[:32])
        if not text.take(_COLON):
            raise text.fail('":" is missing after "%s"' % name[:32])
        found[name] = _value(text, depth + 1)
        if text.take(_OBJECT_END):
            return found
        if not text.take(_COMMA):
            raise text.fail('"," or "}" is missing' if text.peek() >= 0 else "ends in the middle")


def _list(text: _Text, depth: int) -> list:
    found: list = []
    text.take(_LIST)
    if text.take(_LIST_END):
        return found
    while True:
        found.append(_value(text, depth + 1))
        if text.take(_LIST_END):
            return found
        if not text.take(_COMMA):
            raise text.fail('"," or "]" is missing' if text.peek() >= 0 else "ends in the middle")


def _string(text: _Text) -> str:
    data, at = text.data, text.at + 1
    pieces = []
    start = at
    while True:
        if at >= len(data):
            raise text.fail("a text is not closed")
        c = data[at]
        if c < 32:
            raise text.fail("a text is not closed, or has a control character in it")
        if c in (_QUOTE, _BACKSLASH):
            pieces.append(bytes(data[start:at]))
            text.at = at = at + 1
            if c == _QUOTE:
                break
            pieces.append(_escape(text))
            start = at = text.at
        else:
            at += 1
    try:
        return str(b"".join(pieces), "utf-8")
    except UnicodeError:
        raise text.fail("a text is not UTF-8")


def _escape(text: _Text) -> bytes:
    """What the characters after a backslash stand for, in UTF-8; moves past them."""
    c = bytes(text.data[text.at : text.at + 1])
    text.at += 1
    if c == b"u":
        code = _hex4(text)
        if 0xD800 <= code < 0xDC00 and bytes(text.data[text.at : text.at + 2]) == b"\\u":
            text.at += 2
            low = _hex4(text)
            if 0xDC00 <= low < 0xE000:
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        if 0xD800 <= code < 0xE000:
            raise text.fail("half a character in an escape")
        return _utf8(code)
    at = b'"\\/bfnrt'.find(c) if c else -1
    if at < 0:
        raise text.fail("an unknown escape after \\")
    return b'"\\/\b\f\n\r\t'[at : at + 1]


def _utf8(code: int) -> bytes:
    """A character in UTF-8. Not chr(code).encode(): MicroPython keeps every text of one character for good."""
    if code < 0x80:
        return bytes((code,))
    if code < 0x800:
        return bytes((0xC0 | code >> 6, 0x80 | code & 63))
    if code < 0x10000:
        return bytes((0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63))
    return bytes((0xF0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63))


def _hex4(text: _Text) -> int:
    digits = bytes(text.data[text.at : text.at + 4])
    for c in digits:
        if c not in b"0123456789abcdefABCDEF":
            digits = b""
    if len(digits) != 4:
        raise text.fail("four hex digits are missing after \\u")
    text.at += 4
    return int(digits, 16)


def _number(text: _Text):
    data, start = text.data, text.at
    at = start
    while at < len(data) and data[at] in b"+-.0123456789eE":
        at += 1
    digits = str(bytes(data[start:at]), "utf-8")
    if at - start > _MAX_DIGITS:
        raise text.fail("a number of more than %d digits" % _MAX_DIGITS)
    body = digits[1:] if digits.startswith("-") else digits
    whole = body
    for mark in (".", "e", "E"):
        whole = whole.split(mark)[0]
    rest = body[len(whole) :]
    if (
        not whole.isdigit()
        or (whole[0] == "0" and len(whole) > 1)
        or not digits[-1].isdigit()
        or rest[1:2] in ("e", "E")
    ):
        raise text.fail("%s is not a number" % digits)
    try:
        value = float(digits) if rest else int(digits)
    except ValueError:
        raise text.fail("%s is not a number" % digits)
    if rest and value - value != 0:
        raise text.fail("%s is too large" % digits)
    text.at = at
    return value
