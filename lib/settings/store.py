"""Settings on the board's file system: a power cut at any byte leaves the old or the new ones.

Files, all in one directory:
  settings.json            the current ones
  settings.last.json       the ones before: last good; or a person's file, where names in it were unknown
  settings.refused.json    a file that was refused while there were last good ones, for the person to correct
  settings.candidate.json  new ones, to be tried on the next connect
  settings.trial.json      the candidate while it is being tried; found at a start, it did not survive its trial
  settings.dropped.txt     why the last candidate was dropped
  settings.new             being written; renamed when it is whole
The second line of a file that this module wrote is its stamp, see stamp.py, which reads such files alone. A file
without that line is a person's or a tool's, and is as welcome; one whose checksum does not match is refused.
The table and what goes with it is imported where it is needed: most of this module does without.
"""

import errno
import os

from . import stamp
from .stamp import (
    BODY,
    CANDIDATE,
    CURRENT,
    HEAD,
    LAST,
    MAX_BYTES,
    TAIL,
    TRIAL,
    const,
    first_lines,
    is_stamped,
    path,
    size_of,
)

_TABLE = const(8)  # digits of the table's id, before TAIL

_DROPPED = const("settings.dropped.txt")
_NEW = const("settings.new")
_REFUSED = const("settings.refused.json")
_REASON_BYTES = const(160)
_INTERRUPTED = const("the node restarted during the trial")


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
    from . import migrate, reader, rules

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
    found: list = []
    clean, faults = rules.validate(raw, found)
    if raw and not [key for key in raw if key in clean or key == "schema"]:
        raise Refused("is not a settings file (no section that is known)")
    if faults:
        raise Refused("has %d fault%s" % (len(faults), "" if len(faults) == 1 else "s"), faults)
    notes.extend(found)
    return clean


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
    try:
        if _write(directory, CURRENT, settings):
            if aside and size_of(current) is not None:
                os.rename(current, path(directory, aside))
            os.rename(path(directory, _NEW), current)
    except (OSError, ValueError) as e:
        notes.append("the settings are used, but could not be stored with a checksum: %s" % e)


def _checked(settings: dict) -> dict:
    from . import rules

    clean, faults = rules.validate(settings)
    if faults:
        raise ValueError("; ".join(faults))
    return clean


def _write(directory: str, name: str, clean: dict) -> bool:
    """Write checked settings under `name` by way of a new file; False if that very file is there already."""
    from . import writer

    first = first_lines(line.encode() for line in writer.lines(clean))
    size = BODY
    for line in writer.lines(clean):
        size += len(line.encode())
    if size > MAX_BYTES:
        raise ValueError("settings: %d bytes, wanted at most %d" % (size, MAX_BYTES))
    if is_stamped(path(directory, name), first):
        return False
    new = path(directory, _NEW)
    with open(new, "wb") as f:
        f.write(first)
        for line in writer.lines(clean):
            f.write(line.encode())
    if not is_stamped(new, first):
        raise OSError(errno.EIO, "settings did not read back as written")
    return True


def _replace_current(directory: str, name: str) -> None:
    """Make file `name` the current one; the current one, if it is good, becomes the last good one.

    Between the two renames there is no current file: load() then takes the last good one, which is the old current one.
    """
    current = path(directory, CURRENT)
    if _usable(current):
        os.rename(current, path(directory, LAST))
    os.rename(path(directory, name), current)


def _usable(file: str) -> bool:
    try:
        read(file, [])
    except Refused:
        return False
    return True


def _remove(file: str) -> None:
    if size_of(file) is not None:
        os.remove(file)


def save(settings: dict, directory: str = "/") -> bool:
    """Make `settings` the current ones. False: they already were, nothing was written.

    Raises ValueError (all faults, or more than 4096 bytes) and OSError (file system); then the old ones stay.
    """
    if not _write(directory, CURRENT, _checked(settings)):
        return False
    _replace_current(directory, _NEW)
    return True


def stage(settings: dict, directory: str = "/") -> None:
    """Store `settings` as the candidate that the next `trial()` hands out. Raises as `save()` does."""
    if _write(directory, CANDIDATE, _checked(settings)):
        os.rename(path(directory, _NEW), path(directory, CANDIDATE))
    _remove(path(directory, _DROPPED))


def begin(directory: str) -> "dict | None":
    """See stamp.trial()."""
    if size_of(path(directory, TRIAL)) is not None:
        drop(_INTERRUPTED, directory)
    candidate = path(directory, CANDIDATE)
    if size_of(candidate) is None:
        return None
    on_trial = path(directory, TRIAL)
    os.rename(candidate, on_trial)
    try:
        return read(on_trial, [])
    except Refused as e:
        drop("the candidate " + e.reason, directory)
        return None


def promote(directory: str = "/") -> None:
    """The trial went well: its settings become the current ones, those the last good ones. OSError: no trial."""
    if size_of(path(directory, TRIAL)) is None:
        raise OSError(errno.ENOENT)
    _replace_current(directory, TRIAL)


def drop(reason: str, directory: str = "/") -> None:
    """The trial failed: forget its settings (and a candidate not yet tried, if there is no trial), keep the reason."""
    on_trial = path(directory, TRIAL)
    gone = on_trial if size_of(on_trial) is not None else path(directory, CANDIDATE)
    if reason != _INTERRUPTED or size_of(path(directory, _DROPPED)) is None:
        with open(path(directory, _DROPPED), "wb") as f:
            f.write(reason.encode()[:_REASON_BYTES])
    _remove(gone)


def dropped(directory: str = "/") -> str:
    """Why the last candidate was dropped; "" if the last one was not."""
    try:
        with open(path(directory, _DROPPED), "rb") as f:
            data = f.read(_REASON_BYTES)
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise
        return ""
    while data:
        try:
            return str(data, "utf-8")
        except UnicodeError:  # cut in a character
            data = data[:-1]
    return ""


def reset(directory: str = "/") -> None:
    """Factory reset: remove every settings file. The order keeps a half done reset from bringing an older file back."""
    for name in (CANDIDATE, TRIAL, LAST, CURRENT, _DROPPED, _NEW, _REFUSED):
        _remove(path(directory, name))
