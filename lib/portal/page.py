"""Draws the page, piece by piece, from the blocks of template.py, the settings schema and the node's view.

Every function is a generator of bytes-like pieces that the server packs into its buffer: no page is ever in memory.
Values given as `str` are text and are escaped for HTML here, at the one place where text meets markup; `bytes` are
markup of our own. Hostile text is handled as bytes: on MicroPython indexing a `str` interns new characters for ever.
"""

import settings

from . import form, networks
from .template import TEXT

_TEXT = TEXT.encode()  # shares the constant's data on MicroPython

# Progress of a trial, and of each of its steps (see the package's docstring).
WAITING = 0
TRYING = 1
FAILED = 2
DONE = 3
_MARKS = "○◌✗✓"
_BLANK = b""


def escape(text) -> bytes:
    """`text` (str, or bytes of UTF-8) for use between tags and inside quoted attributes."""
    data = text if isinstance(text, bytes) else text.encode()
    for c in data:
        if c < 32 or c == 127:
            data = bytes([32 if c < 32 or c == 127 else c for c in data])
            break
    data = data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return data.replace(b'"', b"&quot;").replace(b"'", b"&#39;")


def _bounds(name: str) -> "tuple[int, int]":
    """Where the block's text is; (-1, -1) if there is no such block."""
    mark = b"\n@" + name.encode() + b"\n"
    at = _TEXT.find(mark)
    if at < 0:
        return -1, -1
    at += len(mark)
    return at, _TEXT.find(b"\n@", at - 1)


def block(lang: str, name: str, *values):
    """The block's pieces in that language; [[0]], [[1]], ... stand for `values` (str: escaped; bytes: as they are)."""
    at, end = _bounds(name)
    view = memoryview(_TEXT)
    while True:
        mark = _TEXT.find(b"[[", at, end)
        if mark < 0:
            if at < end:
                yield view[at:end]
            return
        if mark > at:
            yield view[at:mark]
        close = _TEXT.find(b"]]", mark, end)
        bar = _TEXT.find(b"|", mark, close)
        if bar < 0:
            value = values[int(_TEXT[mark + 2 : close])]
            yield value if isinstance(value, bytes) else escape(value)
        else:
            yield view[bar + 1 : close] if lang == "zh" else view[mark + 2 : bar]
        at = close + 2


def words(lang: str, name: str, fallback: str) -> bytes:
    """A short block as markup, or the escaped `fallback` if there is none of that name."""
    at, _ = _bounds(name)
    if at < 0 or len(name) > 40:
        return escape(fallback)
    return b"".join([bytes(piece) for piece in block(lang, name)])


class Page:
    """One rendering of the page for one request: its language, form token and nonce."""

    def __init__(self, node, lang: str, query: bytes, token: str, nonce: str) -> None:
        self.node = node
        self.lang = lang
        self.query = query  # "?lang=…" when the visitor chose one by link, else empty: links and forms carry it on
        self.token = token
        self.nonce = nonce

    def _block(self, name: str, *values):
        return block(self.lang, name, *values)

    def _head(self):
        yield from self._block("head", self.node.name, self.nonce)
        first = True
        for field in form.fields():
            for platform in field.choices if field.dotted == "cloud.platform" else ():
                if not first:
                    yield b","
                first = False
                yield from self._block("css-platform", platform)
        yield from self._block("css-end")
        yield from self._block("title", self.node.name)

    def whole(self, pulse: str, faults=(), answers=None):
        """The page for GET /, or for a form that was refused with `faults`; `answers` are its fields."""
        yield from self._head()
        progress = self.node.progress()
        trying = progress is not None and progress[0] == TRYING
        if trying or self.node.networks() is None:
            yield from self._block("poll", self.nonce, pulse)
        if faults:
            yield from self._faults(faults)
        elif progress is not None:
            yield from self._progress(progress[0], progress[1])
        if not trying:
            yield from self._form(answers)
        yield from self._status()
        yield from self._block("tools", self.query, self.token)
        yield from self._block("end")
        if not trying:
            yield from self._block("script", self.nonce)

    def message(self, name: str, pulse: str):
        """A page with one sentence; with a `pulse` it waits until the node answers with another one."""
        yield from self._head()
        if pulse:
            yield from self._block("poll", self.nonce, pulse)
        yield from self._block("message", words(self.lang, name, name))
        yield from self._block("end")

    def _progress(self, state: int, steps):
        yield from self._block("trying" if state == TRYING else "failed" if state == FAILED else "done")
        yield b"<ol>"
        for name, step, reason in steps:
            said = words(self.lang, "r." + reason, reason) if reason else words(self.lang, "p%d" % step, "")
            tint = b"g" if step == DONE else b"r" if step == FAILED else _BLANK
            label = words(self.lang, "p." + name, name)
            yield from self._block("step", tint, _MARKS[step], label, said)
        yield b"</ol>"
        if state == TRYING:
            yield from self._block("trying-end", self.node.ap_ssid)
        else:
            yield from self._block("failed-end" if state == FAILED else "done-end")

    def _faults(self, faults):
        yield from self._block("faults")
        for line in faults:
            colon = line.find(": ")
            name = line[: max(colon, 0)]
            for path, item in (("wifi.networks.0.", "network."), ("mqtt.brokers.0.", "broker.")):
                if name.startswith(path):
                    name = item + name[len(path) :]
            said = line[colon + 2 :] if colon >= 0 else line
            yield from self._block("fault", words(self.lang, "f." + name, name), words(self.lang, "e." + said, said))
        yield from self._block("faults-end")

    def _form(self, answers):
        yield from self._block("form", self.query, self.token)
        yield from self._networks(answers)
        section = ""
        for field in form.fields():
            group = "device" if field.section == "device" else "mqtt"
            if group != section:
                yield from self._block("section", words(self.lang, "c." + group, group))
                section = group
            yield from self._field(field, answers)
        yield from self._block("save")

    def _networks(self, answers):
        found = self.node.networks()
        if found is None:
            yield from self._block("scanning")
            found = ()
        elif not found:
            yield from self._block("no-networks")
        saved = [settings.ssid_bytes(entry) for entry in self.node.settings["wifi"]["networks"]]
        typed = (answers or {}).get("network.ssid") or ""
        chosen = (answers or {}).get("network.ssid_hex")
        if chosen is None:
            chosen = ""
            for ssid in [entry[0] for entry in found] + saved:
                if ssid in saved:
                    chosen = ssid.hex()
                    break
        if typed:
            chosen = ""
        for ssid, rssi, locked in found:
            yield from self._network(ssid, chosen, ssid in saved, locked, networks.bars(rssi))
            if ssid in saved:
                saved.remove(ssid)
        for ssid in saved:
            yield from self._network(ssid, chosen, True, False, 0)
        yield from self._block("other", b"" if chosen else b" checked", typed)
        yield from self._key("network.key", 64, False)
        yield from self._block("field-end")
        yield from self._block("rescan", self.query)

    def _network(self, ssid: bytes, chosen: str, saved: bool, locked: bool, level: int):
        code = ssid.hex()
        yield from self._block("network", code, b" checked" if code == chosen else b"", escape(networks.shown(ssid)))
        if saved:
            yield from self._block("saved")
        if locked:
            yield from self._block("lock")
        if level:
            dim = [b' class="o"' if level <= i else b"" for i in (1, 2, 3)]
            yield from self._block("signal", str(level), dim[0], dim[1], dim[2])
        yield from self._block("network-end")

    def _key(self, dotted: str, limit: int, saved: bool, used: bytes = b""):
        """A secret: never shown, kept when empty, cleared by its box."""
        yield from self._block("field", used, dotted, words(self.lang, "f." + dotted, dotted))
        yield b'<span class="y">'
        yield from self._block("input", dotted, b"password", "")
        yield b' maxlength="%d"' % limit
        if saved:
            yield b' placeholder="********"'
        yield b">"
        yield from self._block("eye", dotted)
        if saved:
            yield from self._block("clear", dotted)

    def _field(self, field, answers):
        dotted = field.dotted
        used = form.platforms(field)
        used = b' class="p %s"' % used.encode() if used else b""
        label = words(self.lang, "f." + dotted, dotted)
        value = form.value(self.node.settings, field)
        if field.secret:
            yield from self._key(dotted, field.high, bool(value), used)
            yield from self._block("field-end")
            return
        if answers is not None:
            value = dotted in answers if field.kind == "bool" else answers.get(dotted) or ""
        if field.kind == "bool":
            yield b"<div%s>" % used
            yield from self._block("check", dotted, b" checked" if value else b"", label)
            yield b"</div>"
            return
        yield from self._block("field", used, dotted, label)
        if field.kind == "choice":
            yield from self._block("select", dotted)
            for choice in field.choices:
                mark = b" selected" if choice == value else b""
                yield from self._block("option", choice, mark, words(self.lang, "o." + choice, choice))
            yield b"</select>"
        else:
            number = field.kind == "int"
            shown = "" if value is None else str(value)
            yield from self._block("input", dotted, b"number" if number else b"text", shown)
            if number:
                yield b' min="%d" max="%d" inputmode="numeric"' % (field.low, field.high)
            else:
                yield b' maxlength="%d"' % field.high
            yield b">"
        if field.unit:
            yield from self._block("help", field.unit)
        yield from self._block("field-end")

    def _status(self):
        yield from self._block("status")
        for name, value in self.node.status():
            text = str(value)
            if name == "uptime" and isinstance(value, int):
                text = "%d d %d:%02d" % (value // 86400, value // 3600 % 24, value // 60 % 60)
            yield from self._block("pair", words(self.lang, "s." + name, name), words(self.lang, "v." + text, text))
