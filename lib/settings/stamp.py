"""The short way to the settings at an ordinary start: a stamped file was checked before it was stored.

The second line of a file that store.py wrote is its stamp: a checksum of all that follows, and the id of the table
(schema.py) it was checked against. If both are right, json and the defaults below make whole settings of it, and
neither the table nor reader.py nor rules.py is loaded: their names would stay in memory for ever. Every other file goes
through store.py.

TABLE, DEFAULTS and ENTRIES are what schema.py says; tests/host/test_settings_stamp.py keeps them so, and prints what
they should be.
"""

import binascii
import errno
import hashlib
import json
import os

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """The value itself."""
        return value


HEAD = const('{\n"sha256 of the lines below; delete this line after editing": "')
TAIL = const('",\n')
BODY = const(92)  # bytes up to the first line that is summed
_SUM = const(16)  # hex digits; a space and the 8 digits of the table's id follow them

MAX_BYTES = const(4096)
CURRENT = const("settings.json")
LAST = const("settings.last.json")
CANDIDATE = const("settings.candidate.json")
TRIAL = const("settings.trial.json")

TABLE = const("d3c51548")  # sha256 of VERSION, a line end and the TABLE of schema.py
DEFAULTS = const(  # of all sections
    '{"device": {"board": "nodemcu", "web": false}, "wifi": {"mode": "auto", "networks": [], "fallback_after": 180, '
    '"ap_open": false, "ap_channel": 6, "ap_address": "192.168.4.1"}, "mqtt": {"brokers": [], "keepalive": 60, "qos":'
    ' 1, "availability": true, "retain": true, "clean_session": true, "format": "json", "discovery": false, '
    '"discovery_prefix": "homeassistant"}, "cloud": {"platform": "plain", "tls": false}, "sensors": [], "outputs": '
    '[], "telemetry": {"period": 60, "queue_bytes": 2048, "drop": "oldest", "spill": false, "health": true}, "power":'
    ' {"deep_sleep": false, "period": 300, "listen_every": 12, "awake_max": 30}, "time": {"ntp_host": '
    '"pool.ntp.org"}, "log": {"level": "info", "mqtt": "off"}}'
)
ENTRIES = const(  # of an entry of each list
    '{"networks": {"hidden": false}, "brokers": {"tls": false}, "sensors": {}, '
    '"outputs": {"inverted": false, "start": "off"}}'
)


def path(directory: str, name: str) -> str:
    """Where the file `name` is."""
    return directory.rstrip("/") + "/" + name


def size_of(file: str) -> "int | None":
    """Bytes in the file, None if there is none."""
    try:
        return os.stat(file)[6]
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise
        return None


def first_lines(parts, table: str = TABLE) -> bytes:
    """The BODY bytes before `parts`, the lines of a file checked against `table`, as bytes in pieces of any size."""
    h = hashlib.sha256(table.encode())
    for part in parts:
        h.update(part)
    return (HEAD + binascii.hexlify(h.digest()).decode()[:_SUM] + " " + table + TAIL).encode()


def pieces(f):
    """The rest of a file, in small pieces."""
    piece = f.read(256)
    while piece:
        yield piece
        piece = f.read(256)


def is_stamped(file: str, first: bytes = b"") -> bool:
    """Does the file begin with a stamp of this table (`first`: this very one), and is it right?"""
    size = size_of(file)
    if size is None or not BODY <= size <= MAX_BYTES:
        return False
    with open(file, "rb") as f:
        found = f.read(BODY)
        return (not first or found == first) and found == first_lines(pieces(f))


def whole(raw: dict) -> dict:
    """Settings with every default in them, from checked ones that lack some; `raw` is used up."""
    entries = json.loads(ENTRIES)
    settings = json.loads(DEFAULTS)
    for section, values in raw.items():
        if isinstance(values, dict):
            for name in entries:
                if name in values:
                    values[name] = _filled(entries[name], values[name])
            settings[section].update(values)
        elif section in settings:  # not the stamp and "schema"
            settings[section] = _filled(entries[section], values)
    for section, values in settings.items():
        if isinstance(values, dict):
            settings[section] = dict(**values)  # MicroPython: names become interned strings, shared with the code
    return dict(**settings)


def _filled(default: dict, entries: list) -> list:
    filled = []
    for entry in entries:
        made = dict(**default)
        made.update(entry)
        filled.append(dict(**made))
    return filled


def load(directory: str = "/") -> tuple:
    """`(settings, notes)`: the current ones, else the last good ones, else defaults. Raises for nothing a file holds.

    `notes` is empty when all is well; else its first line says what was refused, why, and what runs instead, and one
    line follows for each fault or unknown name. A good file of a person is stored anew with a stamp, and a refused one is
    set aside for the last good settings, so that only the first start costs the memory of a full check.
    """
    settings = read(path(directory, CURRENT))
    if settings is not None:
        return settings, []
    if size_of(path(directory, CURRENT)) is None and size_of(path(directory, LAST)) is None:
        return whole({}), ["no settings yet; running on defaults"]
    from .store import load as load_any

    return load_any(directory)


def read(file: str) -> "dict | None":
    """Whole settings from a stamped file; None if it is for store.py to judge."""
    try:
        if not is_stamped(file):
            return None
        with open(file, "rb") as f:
            return whole(json.load(f))
    except OSError:  # store.py says which
        return None


def trial(directory: str = "/") -> "dict | None":
    """The candidate, if there is one, now on trial: end it with `promote()` or `drop()`.

    A trial that neither ended is dropped here: a candidate that crashes the node is tried once.
    """
    if size_of(path(directory, TRIAL)) is None and size_of(path(directory, CANDIDATE)) is None:
        return None
    from .store import begin

    return begin(directory)
