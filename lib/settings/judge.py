"""Settings files that stamp.py does not know: a person's, a torn one, another firmware's. Read, checked, or refused.

Needed at the first start with such a file; store.py stores what was good anew, with a stamp.
"""

import os

from . import release, stamp
from .stamp import BODY, CURRENT, HEAD, LAST, MAX_BYTES, TAIL, const, first_lines, path, size_of

_TABLE = const(8)  # digits of the table's id, before TAIL
_REFUSED = const("settings.refused.json")


class Refused(Exception):
    """A file that is not used: `reason` in one line, `faults` one line each."""

    def __init__(self, reason: str, faults: "list | None" = None):
        super().__init__(reason)
        self.reason = reason
        self.faults = faults or []


def read(file: str, notes: list) -> dict:
    """Whole, valid settings from a file; raises `Refused`. Unknown names go to `notes`."""
    settings = stamp.read(file)
    if settings is not None:
        return settings
    size = size_of(file)
    if size is None:
        raise Refused("is missing")
    if size > MAX_BYTES:
        raise Refused("is too large (%d bytes, wanted at most %d)" % (size, MAX_BYTES))
    try:
        with open(file, "rb") as f:
            data = f.read()
    except OSError as e:
        raise Refused("cannot be read (error %s)" % e.errno)
    return decode(data, notes)


def decode(data: bytes, notes: list) -> dict:
    """Whole, valid settings from the bytes of a file; raises `Refused`."""
    if b"sha256 of" in data[:BODY] or b"delete this" in data[:BODY]:  # either: one damaged byte must not hide it
        # Checked by another firmware, whose table was another, it may be; not damaged.
        table = bytes(data[BODY - len(TAIL) - _TABLE : BODY - len(TAIL)])
        if not data.startswith(HEAD.encode()) or data[:BODY] != _first_lines_by(table, memoryview(data)[BODY:]):
            raise Refused("is torn or was edited (checksum; after editing, delete its second line)")
        data = b"{" + data[BODY:]
    raw = _parsed(data)
    release("reader migrate")
    from . import rules

    found: list = []
    clean, faults = rules.validate(raw, found)
    if raw and not [key for key in raw if key in clean or key == "schema"]:
        raise Refused("is not a settings file (no section that is known)")
    if faults:
        raise Refused("has %d fault%s" % (len(faults), "" if len(faults) == 1 else "s"), faults)
    notes.extend(found)
    return clean


def _parsed(data: bytes) -> dict:
    from . import migrate, reader

    try:
        raw = reader.parse_json(data)
    except reader.Malformed as e:
        raise Refused("is torn or not JSON (%s)" % e)
    if not isinstance(raw, dict):
        raise Refused("is not a settings file (no object)")
    try:
        migrate.migrate(raw)
    except migrate.TooNew as e:
        raise Refused("is too new (%s)" % e)
    except ValueError as e:
        raise Refused("is not a settings file (%s)" % e)
    return raw


def _first_lines_by(table: bytes, body) -> bytes:
    try:
        return first_lines((body,), str(table, "utf-8"))
    except UnicodeError:
        return b""


def load(directory: str = "/") -> tuple:
    """See stamp.load()."""
    notes: list = []
    try:
        settings = read(path(directory, CURRENT), notes)
    except Refused as e:
        first = e
    else:
        _restamp(directory, settings, notes, LAST if notes else "")
        return settings, notes
    try:
        settings = read(path(directory, LAST), notes)
        notes[:0] = ["%s %s; running on the last good settings" % (CURRENT, first.reason)] + first.faults
        _restamp(directory, settings, notes, _REFUSED)
    except Refused as e:
        settings = stamp.whole({})
        notes.append("%s %s, %s %s; running on defaults" % (CURRENT, first.reason, LAST, e.reason))
        notes.extend(first.faults)
    return settings, notes


def _restamp(directory: str, settings: dict, notes: list, aside: str) -> None:
    """Store `settings` as the current ones, so that the next start need not check them. They are in use either way.

    aside: the name under which the file that is current now is kept; "": it says the same and is replaced.
    """
    current = path(directory, CURRENT)
    from .store import NEW, write

    try:
        if write(directory, CURRENT, settings):
            if aside and size_of(current) is not None:
                os.rename(current, path(directory, aside))
            os.rename(path(directory, NEW), current)
    except (OSError, ValueError) as e:
        notes.append("the settings are used, but could not be stored with a checksum: %s" % e)
