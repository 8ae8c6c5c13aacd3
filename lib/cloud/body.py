"""Payloads: readings to JSON text, and JSON objects that arrive. All that a report needs beside the platform's module."""

import json

from cloud import Platform

if False:  # for the type checker; compiled to nothing
    from typing import Callable


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """[(topic, payload, id)] for readings [(name, value, unit, precision)] taken at Unix time `at` (None: now).

    `id` is the one that the platform's "ack" will name, None where there are none (`confirms`).
    Readings without a value (None, NaN, infinite) are left out; what fits in no message is counted in `dropped`.
    """
    return messages(p, readings, at, member, _body)


def _body(text: str, ident: str | None, at: int | None) -> str:
    return "{" + text + ("}" if at is None else ',"time":%d}' % at)


def messages(
    p: Platform,
    readings: list,
    at: int | None,
    member: "Callable[[str, str, int | None], str]",
    body: "Callable[[str, str | None, int | None], str | bytes]",
    *,
    point: bool = False,
    room: int = 40,
) -> list:
    """A report in JSON, in as many messages as `max_payload` asks for.

    `member(name, value, at)`: one reading, name quoted. `body(text, ident, at)`: the payload around the members' text,
    at most `room` bytes more. `point`: floats keep a decimal point.
    """
    room = p.max_payload - room
    texts = []
    size = room
    for name, value, _, precision in readings:
        text = number(value, precision, point)
        if text is None:
            continue
        text = member(json.dumps(name), text, at)
        length = len(text.encode()) + 1
        if length > room:
            p.dropped += 1
        elif size + length > room:
            texts.append(text)
            size = length
        else:
            texts[-1] += "," + text
            size += length
    found = []
    for text in texts:
        p._id = (p._id + 1) & 0x3FFFFFFF
        ident = str(p._id) if p.confirms else None
        found.append((p._topic, body(text, ident, at), ident))
    return found


def member(name: str, value: str, at: int | None) -> str:
    """A reading where the platform has no place for its time."""
    return name + ":" + value


def number(value: object, precision: int | None = None, point: bool = False) -> str | None:
    """JSON text of a reading's value; None if it has none (None, NaN, infinite).

    `precision`: decimals of a float. `point`: floats keep a decimal point (10.0, not 10).
    """
    if not isinstance(value, float):
        return None if value is None else json.dumps(value)
    if value - value != 0:  # NaN and the infinities
        return None
    text = json.dumps(value) if precision is None else "%.*f" % (precision, value)
    if point and "." not in text:
        text = text.replace("e", ".0e") if "e" in text else text + ".0"
    return text


def parse(payload: bytes) -> dict:
    """The JSON object in a payload; an empty one if there is none."""
    try:
        value = json.loads(str(payload, "utf-8"))
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        value = None
    return value if isinstance(value, dict) else {}


def quote(text: str) -> str:
    """Percent-encode all but the unreserved characters of RFC 3986."""
    out = ""
    for byte in text.encode():
        c = chr(byte)
        if "0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z" or c in "-._~":
            out += c
        else:
            out += "%%%02X" % byte
    return out
