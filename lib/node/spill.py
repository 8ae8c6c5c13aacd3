"""The outbox's part on flash: batches of readings in files of /outbox, older than all that is in RAM.

A batch is one file, named by a growing number of 8 digits; one line an entry: `[time, line, readings]`. `line` 0: Unix time.
Another: seconds on the time line of that number, which began at a power on and goes on through resets (rtc.py); when it has
ended by a power cut before the clock was ever set, the entry is delivered without a time.
Files come and go whole (LittleFS commits on close). The place within the first one is kept in RTC memory only: after a power
cut a batch may be sent twice.

Wear: a batch costs about one erased block of 4 KiB. `_TOKENS` at once and one more every 6 minutes, 240 a day: 763 blocks
of 10,000 cycles are good for 87 years of that. Beyond it readings are dropped, as without flash.
"""

import json
import os

from micropython import const

from .rtc import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = "/outbox"
_TOKENS = const(48)
_REFILL_S = const(360)
_FILES = const(128)  # half a MiB of blocks
_OVERHEAD = const(64)  # as outbox.py counts


class Flash:
    """Where the queue on flash stands. `done`: entries of the first file that are delivered. `lost`: damaged lines.

    writable: False: what is left there is sent, and no more is put there. Has no function, which would keep all of this
    file in memory.
    """

    node: "Any"
    base: int
    line: int
    first: int  # number of the first file
    end: int  # of the next one to be written
    done = lost = 0
    at = 0  # where the next entry begins in the first file
    tokens: int
    refilled: int  # s of uptime
    writable: bool


def start(outbox, node, first: int, done: int, tokens: int) -> None:
    """Take up what an earlier run left; `first` and `done` as RTC memory has them. Raises OSError without a file system."""
    memory = Memory()
    flash = Flash()
    flash.node = node
    flash.base, flash.line = memory.base, memory.line
    flash.tokens = min(tokens, _TOKENS)
    flash.refilled = node.uptime()
    flash.writable = bool(node.cfg["telemetry"]["spill"])
    try:
        names = os.listdir(_FOLDER)
    except OSError:
        os.mkdir(_FOLDER)
        names = []
    numbers = sorted([int(name) for name in names if name.isdigit()])
    if numbers:
        flash.first = numbers[0]
        flash.end = numbers[-1] + 1
    else:
        flash.first = flash.end = first
    if flash.first == first and numbers:
        flash.done = done
        flash.at = _skip(flash.first, done)
    outbox.flash = flash


def write(outbox, everything: bool = False) -> bool:
    """Move the older half of the queue (or all of it) to flash; False if it may not, or fails."""
    flash = outbox.flash
    _refill(flash)
    if not outbox.entries or not (everything or (flash.writable and flash.tokens > 0)):
        return False
    if flash.end - flash.first >= _FILES:
        if outbox.newest:
            return False
        _give_up(outbox)
    count = _write_file(flash, outbox.entries, outbox.limit if everything else outbox.used // 2)
    for _ in range(count):
        outbox.used -= len(outbox.entries.pop(0)[1]) + _OVERHEAD
    return count > 0


def keep(outbox) -> None:
    """Before a restart: all of the queue, the one being delivered included."""
    if outbox.taken and not outbox.taken[2]:
        outbox.entries.insert(0, outbox.taken[:2])
    outbox.taken = None
    write(outbox, True)


def take(outbox) -> "tuple | None":
    """The oldest entry on flash, (uptime, text, True), or None."""
    flash = outbox.flash
    while flash.first < flash.end:
        try:
            with open(_path(flash.first)) as file:
                file.seek(flash.at)
                line = file.readline()
        except OSError:
            line = ""  # a number that is missing
        if not line:
            _next_file(flash)
            continue
        try:
            at, own, readings = json.loads(line)
            return _uptime(flash, at, own), json.dumps(readings), True
        except (ValueError, TypeError):
            flash.lost += 1
            drop(outbox)
    return None


def drop(outbox) -> None:
    """The oldest entry on flash is delivered, or of no use."""
    flash = outbox.flash
    flash.done += 1
    flash.at = _skip(flash.first, flash.done)


def _uptime(flash, at: int, own: int) -> "int | None":
    """A written time on the time line of this run; None: not known."""
    if own == flash.line:
        return at - flash.base
    if own == 0 and flash.node.epoch is not None:
        return at - flash.node.epoch
    return None


def _write_file(flash, entries: list, size: int) -> int:
    """Write entries up to `size` bytes to a new file; returns how many."""
    node = flash.node
    count = 0
    try:
        with open(_path(flash.end), "w") as file:
            for at, text in entries:
                if size <= 0:
                    break
                size -= len(text) + _OVERHEAD
                if node.epoch is None:
                    file.write("[%d, %d, %s]\n" % (at + flash.base, flash.line, text))
                else:
                    file.write("[%d, 0, %s]\n" % (at + node.epoch, text))
                count += 1
    except OSError:  # full, or worn out
        return 0
    flash.end += 1
    flash.tokens -= 1
    return count


def _refill(flash) -> None:
    now = flash.node.uptime()
    more = (now - flash.refilled) // _REFILL_S
    flash.refilled += more * _REFILL_S
    flash.tokens = min(_TOKENS, flash.tokens + more)


def _give_up(outbox) -> None:
    """Drop the oldest file."""
    flash = outbox.flash
    try:
        with open(_path(flash.first)) as file:
            outbox.dropped += max(0, sum([1 for _ in file]) - flash.done)
    except OSError:
        pass  # missing: nothing to count
    if outbox.taken and outbox.taken[2]:
        outbox.taken = None
        flash.node._sent = 0
        flash.node._handed = False
    _next_file(flash)


def _next_file(flash) -> None:
    try:
        os.remove(_path(flash.first))
    except OSError:
        pass  # was missing
    flash.first += 1
    flash.done = flash.at = 0


def _skip(number: int, count: int) -> int:
    """Where line `count` begins."""
    try:
        with open(_path(number)) as file:
            for _ in range(count):
                file.readline()
            return file.tell()
    except OSError:
        return 0


def _path(number: int) -> str:
    return "%s/%08d" % (_FOLDER, number)
