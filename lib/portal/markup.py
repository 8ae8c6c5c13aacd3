"""Blocks of template.py with values put in. The one place where text meets markup.

Values given as `str` are text and are escaped for HTML; `bytes` are markup of our own. Hostile text is handled as
bytes: on MicroPython indexing a `str`, or a loop over it, interns each new character for ever. The blocks' names are
bytes for the same reason: a short `str` in the code is a name that stays in memory.
"""

from .template import TEXT

_TEXT = TEXT.encode()  # shares the constant's data on MicroPython


def escape(text) -> bytes:
    """`text` (str, or bytes: UTF-8 or not) for use between tags and inside quoted attributes."""
    data = text
    if isinstance(text, bytes):
        try:
            str(text, "utf-8")
        except UnicodeError:
            data = bytes([c if c < 128 else 63 for c in text])
    else:
        data = text.encode()
    for c in data:
        if c < 32 or c == 127:
            data = bytes([32 if c < 32 or c == 127 else c for c in data])
            break
    data = data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return data.replace(b'"', b"&quot;").replace(b"'", b"&#39;")


def block(lang: str, name: bytes, *values):
    """The block's pieces in that language; [[0]], [[1]], ... stand for `values` (str: escaped; bytes: as they are)."""
    begin = b"\n@%s\n" % name
    at = _TEXT.find(begin) + len(begin)
    end = _TEXT.find(b"\n@", at - 1) + 1
    view = memoryview(_TEXT)
    while at < end:
        mark = _TEXT.find(b"[[", at, end)
        if mark < 0:
            yield view[at:end]
            return
        if mark > at:
            yield view[at:mark]
        at = _TEXT.find(b"]]", mark, end)
        bar = _TEXT.find(b"|", mark, at)
        if bar < 0:
            value = values[int(_TEXT[mark + 2 : at])]
            yield value if isinstance(value, bytes) else escape(value)
        else:
            yield view[bar + 1 : at] if lang == "zh" else view[mark + 2 : bar]
        at += 2


def words(lang: str, kind: bytes, name: "str | bytes") -> bytes:
    """The short block "kind.name" as markup, or the escaped name itself if there is none."""
    key = kind + (name if isinstance(name, bytes) else name.encode())
    if len(key) > 40 or b"\n" in key or _TEXT.find(b"\n@%s\n" % key) < 0:
        return escape(name)
    return b"".join([bytes(piece) for piece in block(lang, key)])[:-1]
