"""Draws the form of the page: the networks, the fields of the settings schema, and what is wrong with the answers.

The functions are generators like those of page.py, which brings this in for the pages that have a form.
"""

from binascii import hexlify

import settings

from . import form
from .markup import escape, words


def styles(page):
    """The lines of the style sheet that show the fields of the chosen platform only."""
    yield from page.draw(b"css-hidden")
    comma = b""
    for platform in form.field("cloud", "platform").choices:
        yield comma
        comma = b","
        yield from page.draw(b"css-platform", platform)
    yield from page.draw(b"css-shown")


def faults(page, lines):
    """What is wrong with the answers."""
    yield from page.draw(b"faults")
    for line in lines:
        colon = line.find(": ")
        name = line[:colon] if colon >= 0 else ""
        for path, item in (("wifi.networks.0.", "network."), ("mqtt.brokers.0.", "broker.")):
            if name.startswith(path):
                name = item + name[len(path) :]
        yield from page.draw(b"fault", form.label(page.lang, name)[0], words(page.lang, b"e.", line[colon + 2 :]))
    yield from page.draw(b"faults-end")


def draw(page):
    """The form."""
    cfg = page.node.settings
    yield from page.draw(b"form", page.query, page.token)
    yield from _networks(page, cfg)
    section = ""
    for field in form.fields():
        group = "device" if field.section == "device" else "mqtt"
        if group != section:
            yield from page.draw(b"section", form.label(page.lang, group)[0])
            section = group
        yield from _field(page, cfg, field)
    yield from page.draw(b"save")


def _networks(page, cfg: dict):
    found = page.node.networks()
    if not found:
        yield from page.draw(b"scanning" if found is None else b"no-networks")
    saved = [settings.ssid_bytes(entry) for entry in cfg["wifi"]["networks"]]
    rows = list(found or ()) + [(ssid, 0, False) for ssid in saved if ssid not in [row[0] for row in found or ()]]
    answers = page.answers or {}
    typed = answers.get("network.ssid") or ""
    chosen = "" if typed else answers.get("network.ssid_hex")
    if chosen is None:
        ours = [row[0] for row in rows if row[0] in saved]
        chosen = str(hexlify(ours[0]), "utf-8") if ours else ""
    for ssid, rssi, locked in rows:
        code = hexlify(ssid)
        mark = b" checked" if str(code, "utf-8") == chosen else b""
        yield from page.draw(b"network", code, mark, escape(ssid))
        if ssid in saved:
            yield from page.draw(b"saved")
        if locked:
            yield from page.draw(b"lock")
        if rssi:
            bars = 4 if rssi >= -55 else 3 if rssi >= -65 else 2 if rssi >= -75 else 1
            yield from page.draw(b"signal", str(bars), *[b' class="o"' if bars < i else b"" for i in (2, 3, 4)])
        yield from page.draw(b"network-end")
    yield from page.draw(b"other", b"" if chosen else b" checked", typed)
    yield from _field(page, cfg, form.field("network", "key"))
    yield from page.draw(b"rescan")


def _field(page, cfg: dict, field):
    """One field with its label and help; a secret is never shown, kept when empty, cleared by its box."""
    dotted = field.dotted
    label, hint = form.label(page.lang, dotted)
    used = form.platforms(field)
    yield from page.draw(b"field", b' class="p %s"' % used.encode() if used else b"")
    value = None if dotted == "network.key" else form.value(cfg, field)
    saved = field.secret and value
    if field.secret:
        value = ""
    elif page.answers is not None:
        value = dotted in page.answers if field.kind == "bool" else page.answers.get(dotted)
    if field.kind == "bool":
        yield from page.draw(b"check", dotted, b" checked" if value else b"", label)
    else:
        yield from page.draw(b"label", dotted, label)
    if field.kind == "choice":
        yield from page.draw(b"select", dotted)
        for choice in field.choices if field.default else ("",) + tuple(field.choices):
            mark = b" selected" if choice == (value or "") else b""
            yield from page.draw(b"option", choice, mark, words(page.lang, b"o.", choice))
        yield from page.draw(b"select-end")
    elif field.kind != "bool":
        if field.secret:
            yield from page.draw(b"key-begin")
        kind = b"password" if field.secret else b"number" if field.kind == "int" else b"text"
        limits = b'min="%d" max="%d"' if field.kind == "int" else b'minlength="%d" maxlength="%d"'
        low, high = (8, 64) if field.kind == "key" else (field.low, field.high)
        text = "" if value is None else str(value)
        yield from page.draw(b"input", dotted, kind, text, limits % (low, high), b"********" if saved else b"")
        if field.secret:
            yield from page.draw(b"key-end", dotted)
        if saved:
            yield from page.draw(b"clear", dotted)
    if hint or field.unit:
        yield from page.draw(b"help", dotted, hint or field.unit)
    yield from page.draw(b"field-end")
