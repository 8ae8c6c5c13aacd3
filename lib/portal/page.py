"""Draws the page, piece by piece, from the blocks of template.py, the settings schema and the node's view.

Every drawing function is a generator of bytes-like pieces that exchange.py packs into a buffer: no page is ever in
memory. Loaded by app.py when needed.
"""

import os
from binascii import hexlify

import settings

from . import form
from .markup import block, escape, words

# Progress of a trial, and of each of its steps (see the package's docstring).
TRYING = 1
FAILED = 2
DONE = 3


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

    def _block(self, name: str, *values):
        return block(self.lang, name, *values)

    def _begin(self, status: int, waits: bool):
        """Everything up to the first section. A page that `waits` looks for a change by itself."""
        yield from self._block("head", words("", "", "h.%d" % status))
        if self.query:
            yield from self._block("cookie", self.lang)
        yield from self._block("html", self.node.name, self.nonce)
        comma = b""
        for platform in form.field("cloud", "platform").choices:
            yield comma
            comma = b","
            yield from self._block("css-platform", platform)
        yield from self._block("css-end")
        yield from self._block("title", self.node.name)
        if waits:
            yield from self._block("poll", self.nonce, self.pulse)

    def message(self, status: int, name: str, waits: bool):
        """A page with one sentence."""
        yield from self._begin(status, waits)
        yield from self._block("message", words(self.lang, "", name))
        yield from self._block("end")

    def whole(self, status: int):
        """The page."""
        node = self.node
        progress = node.progress()
        trying = progress is not None and progress[0] == TRYING
        yield from self._begin(status, trying or node.networks() is None)
        if self.faults:
            yield from self._faults()
        elif progress is not None:
            yield from self._progress(progress[0], progress[1])
        if not trying:
            yield from self._form()
        yield from self._block("status")
        for name, value in node.status():
            text = str(value)
            if name == "uptime" and isinstance(value, int):
                text = "%d d %d:%02d" % (value // 86400, value // 3600 % 24, value // 60 % 60)
            yield from self._block("pair", words(self.lang, "s.", name), words(self.lang, "v.", text))
        yield from self._block("tools", self.query, self.token)
        yield from self._block("end")
        if not trying:
            yield from self._block("script", self.nonce)

    def _progress(self, state: int, steps):
        kind = "trying" if state == TRYING else "failed" if state == FAILED else "done"
        yield from self._block(kind)
        for name, step, why in steps:
            said = words(self.lang, "r.", why) if why else words(self.lang, "p.", str(step))
            tint = b"g" if step == DONE else b"r" if step == FAILED else b""
            mark = words(self.lang, "k.", str(step))
            yield from self._block("step", tint, mark, words(self.lang, "p.", name), said)
        yield from self._block(kind + "-end", self.node.ap_ssid)

    def _faults(self):
        yield from self._block("faults")
        for line in self.faults:
            colon = line.find(": ")
            name = line[:colon] if colon >= 0 else ""
            for path, item in (("wifi.networks.0.", "network."), ("mqtt.brokers.0.", "broker.")):
                if name.startswith(path):
                    name = item + name[len(path) :]
            yield from self._block("fault", form.label(self.lang, name)[0], words(self.lang, "e.", line[colon + 2 :]))
        yield from self._block("faults-end")

    def _form(self):
        yield from self._block("form", self.query, self.token)
        yield from self._networks()
        section = ""
        for field in form.fields():
            group = "device" if field.section == "device" else "mqtt"
            if group != section:
                yield from self._block("section", form.label(self.lang, group)[0])
                section = group
            yield from self._field(field)
        yield from self._block("save")

    def _networks(self):
        found = self.node.networks()
        if not found:
            yield from self._block("scanning" if found is None else "no-networks")
        saved = [settings.ssid_bytes(entry) for entry in self.node.settings["wifi"]["networks"]]
        rows = list(found or ()) + [(ssid, 0, False) for ssid in saved if ssid not in [row[0] for row in found or ()]]
        answers = self.answers or {}
        typed = answers.get("network.ssid") or ""
        chosen = "" if typed else answers.get("network.ssid_hex")
        if chosen is None:
            ours = [row[0] for row in rows if row[0] in saved]
            chosen = str(hexlify(ours[0]), "utf-8") if ours else ""
        for ssid, rssi, locked in rows:
            code = hexlify(ssid)
            mark = b" checked" if str(code, "utf-8") == chosen else b""
            yield from self._block("network", code, mark, escape(ssid))
            if ssid in saved:
                yield from self._block("saved")
            if locked:
                yield from self._block("lock")
            if rssi:
                bars = 4 if rssi >= -55 else 3 if rssi >= -65 else 2 if rssi >= -75 else 1
                yield from self._block("signal", str(bars), *[b' class="o"' if bars < i else b"" for i in (2, 3, 4)])
            yield from self._block("network-end")
        yield from self._block("other", b"" if chosen else b" checked", typed)
        yield from self._field(form.field("network", "key"))
        yield from self._block("rescan")

    def _field(self, field):
        """One field with its label and help; a secret is never shown, kept when empty, cleared by its box."""
        dotted = field.dotted
        label, hint = form.label(self.lang, dotted)
        used = form.platforms(field)
        yield from self._block("field", b' class="p %s"' % used.encode() if used else b"")
        value = None if dotted == "network.key" else form.value(self.node.settings, field)
        saved = field.secret and value
        if field.secret:
            value = ""
        elif self.answers is not None:
            value = dotted in self.answers if field.kind == "bool" else self.answers.get(dotted)
        if field.kind == "bool":
            yield from self._block("check", dotted, b" checked" if value else b"", label)
        else:
            yield from self._block("label", dotted, label)
        if field.kind == "choice":
            yield from self._block("select", dotted)
            for choice in field.choices if field.default else ("",) + tuple(field.choices):
                mark = b" selected" if choice == (value or "") else b""
                yield from self._block("option", choice, mark, words(self.lang, "o.", choice))
            yield from self._block("select-end")
        elif field.kind != "bool":
            if field.secret:
                yield from self._block("key-begin")
            kind = b"password" if field.secret else b"number" if field.kind == "int" else b"text"
            limits = b'min="%d" max="%d"' if field.kind == "int" else b'minlength="%d" maxlength="%d"'
            low, high = (8, 64) if field.kind == "key" else (field.low, field.high)
            text = "" if value is None else str(value)
            yield from self._block("input", dotted, kind, text, limits % (low, high), b"********" if saved else b"")
            if field.secret:
                yield from self._block("key-end", dotted)
            if saved:
                yield from self._block("clear", dotted)
        if hint or field.unit:
            yield from self._block("help", dotted, hint or field.unit)
        yield from self._block("field-end")
