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
The table and what goes with it is imported where it is needed, and let go: most of this module does without.
"""

import errno
import os

from . import release, stamp
from .stamp import (
    BODY,
    CANDIDATE,
    CURRENT,
    LAST,
    MAX_BYTES,
    TRIAL,
    const,
    first_lines,
    is_stamped,
    path,
    size_of,
)

_DROPPED = const("settings.dropped.txt")
NEW = const("settings.new")
_REFUSED = const("settings.refused.json")
_REASON_BYTES = const(160)
_INTERRUPTED = const("the node restarted during the trial")


def _checked(settings: dict) -> dict:
    from .rules import validate

    clean, faults = validate(settings)
    del validate
    release("rules checks extra faults together ssid")
    if faults:
        raise ValueError("; ".join(faults))
    return clean


def write(directory: str, name: str, clean: dict) -> bool:
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
    new = path(directory, NEW)
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
    if stamp.is_stamped(file):
        return True
    from .judge import Refused, read

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
    if not write(directory, CURRENT, _checked(settings)):
        return False
    _replace_current(directory, NEW)
    return True


def stage(settings: dict, directory: str = "/") -> None:
    """Store `settings` as the candidate that the next `trial()` hands out. Raises as `save()` does."""
    if write(directory, CANDIDATE, _checked(settings)):
        os.rename(path(directory, NEW), path(directory, CANDIDATE))
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
    settings = stamp.read(on_trial)
    if settings is not None:
        return settings
    from .judge import Refused, read

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
    for name in (CANDIDATE, TRIAL, LAST, CURRENT, _DROPPED, NEW, _REFUSED):
        _remove(path(directory, name))
