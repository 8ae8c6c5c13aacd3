"""Settings on the board's file system: a power cut at any byte leaves the old or the new ones.

Files, all in one directory:
  settings.json            the current ones
  settings.last.json       the ones before: last good
  settings.candidate.json  new ones, to be tried on the next connect
  settings.trial.json      the candidate while it is being tried; found at a start, it did not survive its trial
  settings.dropped.txt     why the last candidate was dropped
  settings.new             being written; renamed when it is whole
The second line of a file that this module wrote is a checksum of all that follows. A file without that line is a
person's or a tool's, and is as welcome; one whose checksum does not match is refused.
"""

import binascii
import errno
import hashlib
import os

from . import migrate, reader, rules, writer

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        """The value itself."""
        return value


_MAX_BYTES = const(4096)
_CURRENT = const("settings.json")
_LAST = const("settings.last.json")
_CANDIDATE = const("settings.candidate.json")
_TRIAL = const("settings.trial.json")
_DROPPED = const("settings.dropped.txt")
_NEW = const("settings.new")
_REASON_BYTES = const(160)
_INTERRUPTED = const("the node restarted during the trial")

_HEAD = const('{\n"sha256 of the lines below; delete this line after editing": "')
_DIGITS = const(16)
_TAIL = const('",\n')
_BODY = const(83)  # bytes up to the first line that is summed


class Refused(Exception):
    """A file that is not used: `reason` in one line, `faults` one line each."""

    def __init__(self, reason: str, faults: "list | None" = None):
        super().__init__(reason)
        self.reason = reason
        self.faults = faults or []


def _path(directory: str, name: str) -> str:
    return directory + name if directory.endswith("/") else directory + "/" + name


def _size(path: str) -> "int | None":
    """Bytes in the file, None if there is none."""
    try:
        return os.stat(path)[6]
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise
        return None


def _digest(parts) -> str:
    h = hashlib.sha256()
    for part in parts:
        h.update(part)
    return binascii.hexlify(h.digest()).decode()[:_DIGITS]


def read(path: str, notes: list) -> dict:
    """Whole, valid settings from a file; raises `Refused`. Unknown names go to `notes`."""
    size = _size(path)
    if size is None:
        raise Refused("is missing")
    if size > _MAX_BYTES:
        raise Refused("is too large (%d bytes, wanted at most %d)" % (size, _MAX_BYTES))
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise Refused("cannot be read (error %s)" % e.errno)
    return decode(data, notes)


def decode(data: bytes, notes: list) -> dict:
    """Whole, valid settings from the bytes of a file; raises `Refused`."""
    head = _HEAD.encode()
    if b"sha256 of" in data[:_BODY] or b"delete this" in data[:_BODY]:  # either: one damaged byte must not hide it
        if (
            not data.startswith(head)
            or data[len(head) : _BODY] != (_digest((memoryview(data)[_BODY:],)) + _TAIL).encode()
        ):
            raise Refused("is torn or was edited (checksum; after editing, delete its second line)")
        data = b"{" + data[_BODY:]
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


def load(directory: str = "/") -> tuple:
    """`(settings, notes)`: the current ones, else the last good ones, else defaults. Raises for nothing a file holds.

    `notes` is empty when all is well; else its first line says what was refused, why, and what runs instead, and one
    line follows for each fault or unknown name.
    """
    notes: list = []
    try:
        return read(_path(directory, _CURRENT), notes), notes
    except Refused as e:
        first = e
    try:
        settings = read(_path(directory, _LAST), notes)
        notes.insert(0, "%s %s; running on the last good settings" % (_CURRENT, first.reason))
    except Refused as e:
        settings = rules.defaults()
        if first.reason == e.reason == "is missing":
            notes.append("no settings yet; running on defaults")
        else:
            line = "%s %s, %s %s; running on defaults" % (_CURRENT, first.reason, _LAST, e.reason)
            notes.append(line)
    for line in first.faults:
        notes.append(line)
    return settings, notes


def _write(directory: str, name: str, settings: dict) -> bool:
    """Write checked settings under `name` by way of a new file; False if that very file is there already."""
    clean, faults = rules.validate(settings)
    if faults:
        raise ValueError("; ".join(faults))
    digest = _digest(line.encode() for line in writer.lines(clean))
    size = _BODY
    for line in writer.lines(clean):
        size += len(line.encode())
    if size > _MAX_BYTES:
        raise ValueError("settings: %d bytes, wanted at most %d" % (size, _MAX_BYTES))
    head = (_HEAD + digest + _TAIL).encode()
    if _is_whole(_path(directory, name), head):
        return False
    new = _path(directory, _NEW)
    with open(new, "wb") as f:
        f.write(head)
        for line in writer.lines(clean):
            f.write(line.encode())
    if not _is_whole(new, head):
        raise OSError(errno.EIO, "settings did not read back as written")
    return True


def _is_whole(path: str, head: bytes = b"") -> bool:
    """Does the file have the checksum line (`head`, or any) and does it match?"""
    size = _size(path)
    if size is None or not _BODY <= size <= _MAX_BYTES:
        return False
    with open(path, "rb") as f:
        found = f.read(_BODY)
        if head and found != head:
            return False
        return found == (_HEAD + _digest(_pieces(f)) + _TAIL).encode()


def _pieces(f):
    piece = f.read(256)
    while piece:
        yield piece
        piece = f.read(256)


def _replace_current(directory: str, name: str) -> None:
    """Make file `name` the current one; the current one, if it is good, becomes the last good one.

    Between the two renames there is no current file: load() then takes the last good one, which is the old current one.
    """
    current = _path(directory, _CURRENT)
    if _usable(current):
        os.rename(current, _path(directory, _LAST))
    os.rename(_path(directory, name), current)


def _usable(path: str) -> bool:
    if _is_whole(path):
        return True
    try:
        read(path, [])
    except Refused:
        return False
    return True


def _remove(path: str) -> None:
    if _size(path) is not None:
        os.remove(path)


def save(settings: dict, directory: str = "/") -> bool:
    """Make `settings` the current ones. False: they already were, nothing was written.

    Raises ValueError (all faults, or more than 4096 bytes) and OSError (file system); then the old ones stay.
    """
    if not _write(directory, _CURRENT, settings):
        return False
    _replace_current(directory, _NEW)
    return True


def stage(settings: dict, directory: str = "/") -> None:
    """Store `settings` as the candidate that the next `trial()` hands out. Raises as `save()` does."""
    if _write(directory, _CANDIDATE, settings):
        os.rename(_path(directory, _NEW), _path(directory, _CANDIDATE))
    _remove(_path(directory, _DROPPED))


def trial(directory: str = "/") -> "dict | None":
    """The candidate, if there is one, now on trial: end it with `promote()` or `drop()`.

    A trial that neither ended is dropped here: a candidate that crashes the node is tried once.
    """
    if _size(_path(directory, _TRIAL)) is not None:
        drop(_INTERRUPTED, directory)
    candidate = _path(directory, _CANDIDATE)
    if _size(candidate) is None:
        return None
    on_trial = _path(directory, _TRIAL)
    os.rename(candidate, on_trial)
    try:
        return read(on_trial, [])
    except Refused as e:
        drop("the candidate " + e.reason, directory)
        return None


def promote(directory: str = "/") -> None:
    """The trial went well: its settings become the current ones, those the last good ones. OSError: no trial."""
    if _size(_path(directory, _TRIAL)) is None:
        raise OSError(errno.ENOENT)
    _replace_current(directory, _TRIAL)


def drop(reason: str, directory: str = "/") -> None:
    """The trial failed: forget its settings (and a candidate not yet tried, if there is no trial), keep the reason."""
    on_trial = _path(directory, _TRIAL)
    gone = on_trial if _size(on_trial) is not None else _path(directory, _CANDIDATE)
    if reason != _INTERRUPTED or _size(_path(directory, _DROPPED)) is None:
        with open(_path(directory, _DROPPED), "wb") as f:
            f.write(reason.encode()[:_REASON_BYTES])
    _remove(gone)


def dropped(directory: str = "/") -> str:
    """Why the last candidate was dropped; "" if the last one was not."""
    try:
        with open(_path(directory, _DROPPED), "rb") as f:
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
    for name in (_CANDIDATE, _TRIAL, _LAST, _CURRENT, _DROPPED, _NEW):
        _remove(_path(directory, name))
