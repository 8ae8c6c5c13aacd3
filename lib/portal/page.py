"""Draws the page, piece by piece, from the blocks of template.py and the node's view; fields.py draws the form in it.

Every drawing function is a generator of bytes-like pieces that exchange.py packs into a buffer: no page is ever in
memory. While settings are being tried there is no form, and so nothing of fields.py and the settings in memory either.
Loaded by app.py when needed.
"""

import os
from binascii import hexlify

from .markup import block, words

# Progress of a trial, and of each of its steps (see the package's docstring).
TRYING = 1
FAILED = 2
DONE = 3
ENDING = 4


def language(request) -> str:
    """ "zh" or "en": chosen by link, else as in the cookie, else what the browser likes better [RFC 9110 §12.5.4]."""
    for text in (str(request.query, "utf-8"), request.headers.get("cookie", "")):
        for part in text.split(";"):
            if part.strip() in ("lang=zh", "lang=en"):
                return part.strip()[5:]
    best = "en"
    weight = -1
    for part in request.headers.get("accept-language", "").lower().split(","):
        fields = part.split(";q=")
        value = (fields[1].strip().replace(".", "") + "000")[:4] if len(fields) == 2 else "1000"
        value = int(value) if not value.strip("0123456789") else 0
        name = fields[0].strip()
        if value > weight and value and (name[:3] in ("zh", "en", "zh-", "en-")):
            best = name[:2]
            weight = value
    return best


class Page:
    """One rendering of the page for one request: its language, nonce, and for a refused form its faults and answers."""

    faults: "list[str] | tuple" = ()
    answers: "dict[str, str] | None" = None

    def __init__(self, portal, request, pulse: str) -> None:
        self.node = portal.node
        self.token = portal.token
        self.pulse = pulse
        self.lang = language(request)
        self.query = "?lang=" + self.lang if request.query == b"lang=" + self.lang.encode() else ""  # carried on
        self.nonce = hexlify(os.urandom(8))

    def draw(self, name: bytes, *values):
        """The pieces of a block in the page's language."""
        return block(self.lang, name, *values)

    def _begin(self, status: int):
        """Everything up to the style's end."""
        yield from self.draw(b"head", words("", b"", b"h.%d" % status))
        if self.query:
            yield from self.draw(b"cookie", self.lang)
        yield from self.draw(b"html", self.node.name, self.nonce)

    def _top(self, wait: str):
        """The heading. With `wait` the page looks for a change by itself, without a script after so many seconds."""
        yield from self.draw(b"title", self.node.name)
        if wait:
            if wait != "0":
                yield from self.draw(b"refresh", wait)
            yield from self.draw(b"poll", self.nonce, self.pulse)

    def message(self, status: int, name: bytes, waits: bool):
        """A page with one sentence."""
        yield from self._begin(status)
        yield from self.draw(b"css-end")
        yield from self._top("3" if waits else "")
        yield from self.draw(b"message", words(self.lang, b"", name))
        yield from self.draw(b"end")

    def whole(self, status: int):
        """The page."""
        node = self.node
        progress = node.progress()
        state = progress[0] if progress else FAILED
        wait = ""
        if state == TRYING:
            # Without a script nothing tries again when the node is away for its restart: so not before that is over.
            wait = "3" if [step for step in progress[1] if step[1]] else "10"
        elif state == ENDING:
            wait = "0"
        elif node.networks() is None:
            wait = "3"
        yield from self._begin(status)
        if state == FAILED:
            from . import fields

            yield from fields.styles(self)
        yield from self.draw(b"css-end")
        yield from self._top(wait)
        if state == FAILED:
            if self.faults or node.faults:
                yield from fields.faults(self, self.faults or node.faults)
            elif progress:
                yield from self._progress(state, progress[1])
            yield from fields.draw(self)
            from .exchange import forget

            del fields
            forget("fields form")
        else:
            yield from self._progress(state, progress[1])
        yield from self._status()
        yield from self.draw(b"end")
        if state == FAILED:
            yield from self.draw(b"script", self.nonce)
        if state in (DONE, ENDING):
            node.told()

    def _status(self):
        yield from self.draw(b"status")
        for name, value in self.node.status():
            text = str(value)
            if name == "uptime" and isinstance(value, int):
                text = "%d d %d:%02d" % (value // 86400, value // 3600 % 24, value // 60 % 60)
            yield from self.draw(b"pair", words(self.lang, b"s.", name), words(self.lang, b"v.", text))
        yield from self.draw(b"tools", self.query, self.token)

    def _progress(self, state: int, steps):
        kind = b"trying" if state == TRYING else b"done" if state == DONE else b"failed"
        yield from self.draw(kind)
        for name, step, why in steps:
            said = words(self.lang, b"r.", why) if why else words(self.lang, b"p.", str(step))
            tint = b"g" if step == DONE else b"r" if step == FAILED else b""
            mark = words(self.lang, b"k.", str(step))
            yield from self.draw(b"step", tint, mark, words(self.lang, b"p.", name), said)
        yield from self.draw(b"ending-end" if state == ENDING else kind + b"-end", self.node.ap_ssid)
