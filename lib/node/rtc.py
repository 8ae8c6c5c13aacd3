"""The 492 bytes of RTC memory, which outlive resets and deep sleep, but no power cut. The one place that knows their layout.

      0   4  check sum: of the SHA-256 of the rest
      4  36  numbers, in the order of `Memory.save`
     40  40  what a sleeping node knows (sleep.py)
     80 112  the last words of the log, UTF-8 (watch.py)
    192 300  readings that a sleeping node could not send (pack.py)

It ends where there is nothing more.

Times: `base` is the node's time line, seconds since power on when this run began, and `line` the number of that line;
`uptime` (s, and ms in `part`) and `chip` are the run's uptime and the chip's `time.time()` at one moment, the last one when
all of this was saved; `epoch` is Unix time at uptime 0, or 0.
"""

import hashlib
import struct

import machine

_FORMAT = "<BBHHIIHIIIHBBH"
_CYCLE = 40
_LOG = 80
_STORE = 192
CYCLE_SIZE = 40  # bytes
STORE_SIZE = 300
LOG_SIZE = 112

RUNNING = 1  # of `state`: what the node was doing
PLANNED = 2  # a restart or a sleep that was meant
CRASHED = 3  # an exception that nobody handled


class Memory:
    """RTC memory taken apart: an attribute a field, all numbers; `cycle`, `log`, `store`: bytes. `fresh`: it held nothing.

    segment, index, tokens: spill.py's. stuck, delivered: watch.tick's.
    """

    state: int
    crashes: int
    boots: int
    line: int
    base: int
    uptime: int
    part: int
    chip: int
    epoch: int
    segment: int
    index: int
    tokens: int
    stuck: int
    delivered: int

    def __init__(self) -> None:
        data = machine.RTC().memory()
        self.fresh = len(data) < _LOG or hashlib.sha256(memoryview(data)[4:]).digest()[:4] != data[:4]
        if self.fresh:
            data = bytes(_LOG)
        (
            self.state,
            self.crashes,
            self.boots,
            self.line,
            self.base,
            self.uptime,
            self.part,
            self.chip,
            self.epoch,
            self.segment,
            self.index,
            self.tokens,
            self.stuck,
            self.delivered,
        ) = struct.unpack_from(_FORMAT, data, 4)
        self.cycle = bytes(data[_CYCLE:_LOG])
        self.log = data[_LOG:_STORE].rstrip(b"\0")
        self.store: "bytes | memoryview" = memoryview(data)[_STORE:]

    def save(self) -> None:
        """Write all of it back, as far as it holds something: a long piece of heap may be hard to find."""
        store = _STORE + len(self.store)
        data = bytearray(store if store > _STORE else _LOG + min(len(self.log), LOG_SIZE))
        struct.pack_into(
            _FORMAT,
            data,
            4,
            self.state,
            self.crashes,
            self.boots,
            self.line,
            self.base,
            self.uptime,
            self.part,
            self.chip,
            self.epoch,
            self.segment,
            self.index,
            self.tokens,
            self.stuck,
            self.delivered,
        )
        data[_CYCLE : _CYCLE + len(self.cycle)] = self.cycle
        data[_LOG : _LOG + min(len(self.log), LOG_SIZE)] = self.log[-LOG_SIZE:]
        data[_STORE:store] = self.store
        data[:4] = hashlib.sha256(memoryview(data)[4:]).digest()[:4]
        machine.RTC().memory(data)
