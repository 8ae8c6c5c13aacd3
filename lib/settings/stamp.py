"""The short way to the settings at an ordinary start: a stamped file was checked before it was stored.

The second line of a file that store.py wrote is its stamp: a checksum of all that follows, and the id of the table
(schema.py) it was checked against. If both are right, json and initial.py make whole settings of it, and neither the
table nor reader.py nor rules.py is loaded: their names would stay in memory for ever. Every other file goes through
judge.py.

TABLE is what schema.py says; tests/host/test_settings_stamp.py keeps it so, and prints what it should be.
"""

import binascii
import errno
import hashlib
import json
import os

from . import const
from .initial import of, sections

HEAD = const('{\n"sha256 of the lines below; delete this line after editing": "')
TAIL = const('",\n')
BODY = const(92)  # bytes up to the first line that is summed
_SUM = const(16)  # hex digits; a space and the 8 digits of the table's id follow them

MAX_BYTES = const(4096)
CURRENT = const("settings.json")
LAST = const("settings.last.json")
CANDIDATE = const("settings.candidate.json")
TRIAL = const("settings.trial.json")

TABLE = const("448c94e1")  # sha256 of VERSION, a line end and the TABLE of schema.py


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
    settings = {}
    for name in sections():
        values = of(name)
        given = raw.pop(name, None)
        if isinstance(values, list):
            values = _filled(name, given or values)
        elif given:
            for key in given:
                if isinstance(given[key], list):
                    given[key] = _filled(key, given[key])
            values.update(given)
        settings[name] = values if isinstance(values, list) else dict(**values)  # MicroPython: names become interned
    return dict(**settings)  # strings, shared with the code that reads them


def _filled(name: str, entries: list) -> list:
    """The entries of a list, each with the defaults of its kind: `networks` has entries `network`."""
    filled = []
    for entry in entries:
        made = of(name[:-1])
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
    from .judge import load as load_any

    return load_any(directory)


def read(file: str) -> "dict | None":
    """Whole settings from a stamped file; None if it is for judge.py."""
    try:
        if not is_stamped(file):
            return None
        with open(file, "rb") as f:
            return whole(json.load(f))
    except OSError:  # judge.py says which
        return None


def trial(directory: str = "/") -> "dict | None":
    """The candidate, if there is one, now on trial: end it with `promote()` or `drop()`.

    A trial that neither ended is dropped here: a candidate that crashes the node is tried once.
    """
    if size_of(path(directory, TRIAL)) is None and size_of(path(directory, CANDIDATE)) is None:
        return None
    from .store import begin

    return begin(directory)
