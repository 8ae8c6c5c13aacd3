"""Readings in the smallest form, for RTC memory: 5 bytes a value.

      0  2  length of what follows
      2  2  check sum of the names that the sensors' values have: other sensors, other meaning
      4  …  an entry: seconds on the node's time line (4), number of values (1), and each value: its index among the names,
            with bit 7 for an integer (1), 32-bit float or integer (4)

What is neither a number nor among the first 128 names does not fit in here.
"""

import json
import struct

from .rtc import STORE_SIZE, Memory


def names(node) -> list:
    """(name, unit, precision) of all values, as far as the sensors know them now."""
    found = []
    for sensor in node.sensors:
        for field in sensor.fields:
            found.append(field[:3])
    return found[:128]


def _sum(table: list) -> int:
    total = len(table)
    for byte in json.dumps([name for name, _, _ in table]).encode():
        total = (total * 31 + byte) & 0xFFFF
    return total


def _index(table: list, name: str) -> int:
    for i, row in enumerate(table):
        if row[0] == name:
            return i
    raise ValueError(name)


def pack_entry(table: list, at: int, readings: list) -> bytes:
    """One entry. Raises ValueError for a value that does not fit."""
    out = struct.pack("<IB", at, len(readings))
    for name, value, _, _ in readings:
        i = _index(table, name)
        if isinstance(value, float):
            out += struct.pack("<Bf", i, value)
        elif isinstance(value, int) and -0x80000000 <= value < 0x80000000:
            out += struct.pack("<Bi", i | 0x80, value)
        else:
            raise ValueError(name)
    return out


def pack(node, entries: list, newest: bool) -> tuple:
    """(store, how many entries did not fit). `newest`: those are the newest ones, else the oldest."""
    table = names(node)
    base = Memory().base
    body = b""
    lost = 0
    for at, text in entries if newest else reversed(entries):
        try:
            packed = pack_entry(table, at + base, json.loads(text))
        except ValueError:
            lost += 1
            continue
        if 4 + len(body) + len(packed) > STORE_SIZE:
            lost += 1
        else:
            body = body + packed if newest else packed + body
    return (struct.pack("<HH", len(body), _sum(table)) + body if body else b""), lost


def unpack(node, store: bytes) -> "list | None":
    """The entries [(uptime, text)] of a store; None: made by other sensors, or by ones that are not known yet."""
    if not len(store):
        return []
    table = names(node)
    size, total = struct.unpack_from("<HH", store)
    if total != _sum(table):
        return None
    entries = []
    base = Memory().base
    place = 4
    end = 4 + size
    while place < end:
        at, count = struct.unpack_from("<IB", store, place)
        place += 5
        readings = []
        for _ in range(count):
            index = store[place]
            name, unit, precision = table[index & 0x7F]
            value = struct.unpack_from("<i" if index & 0x80 else "<f", store, place + 1)[0]
            if not index & 0x80 and precision is not None:
                value = round(value, precision)
            readings.append((name, value, unit, precision))
            place += 5
        entries.append((at - base, json.dumps(readings)))
    return entries
