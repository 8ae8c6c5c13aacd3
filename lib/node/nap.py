"""What a battery node does before and after it is on the air: where it stands, what it keeps, the sleep itself. docs/power.md.

Loaded for a call, so that it takes no heap while MQTT does; sleep.py is what happens in between. What must not be forgotten
is in RTC memory (rtc.py), readings that found no broker too (pack.py), or on flash (spill.py).
"""

import json
import struct
import time

import machine
from micropython import const

from . import call
from .rtc import PLANNED, RUNNING, Memory

_FORMAT = "<hIIIHIBH4s4s4s4s"
_CHUNK_MS = const(3600000)  # longest single sleep; the chip's timer ends at 71 minutes
_SYNC_WAKES = const(6)  # between two questions to the time server
_LEARN_WAKES = const(4)  # and as long as the sleep timer's error is not known
_LEARN_S = const(200)  # between two synchronisations that tell something
_RATE_MOST = const(20000)  # 1/100,000
_DEEPSLEEP = const(5)  # reset cause
_RAM = const(8192)  # bytes of outbox, all of RTC memory unpacked
_WINDOW_S = const(5)  # how long commands are waited for; each that comes begins it anew


class Cycle:
    """What is known from wake to wake: the 40 bytes of `Memory.cycle`.

    rate: how much longer deep sleep lasts than asked for, in 1/100,000. asked: ms of the sleep that has just been; left: ms
    of a long one that are still to come. wakes: ever. synced: wakes since the clock was last set; heard: Unix time of that.
    net: 1 + index of the network that worked last, with `ip` to `dns` (4 bytes each); 0: none. dropped: groups, ever.
    """

    rate: int
    asked: int
    left: int
    wakes: int
    synced: int
    heard: int
    net: int
    dropped: int
    ip: bytes
    mask: bytes
    gateway: bytes
    dns: bytes

    def __init__(self, memory) -> None:
        self.memory = memory
        (
            self.rate,
            self.asked,
            self.left,
            self.wakes,
            self.synced,
            self.heard,
            self.net,
            self.dropped,
            self.ip,
            self.mask,
            self.gateway,
            self.dns,
        ) = struct.unpack_from(_FORMAT, memory.cycle)

    def save(self) -> None:
        """Write it back, and the rest of RTC memory as it was when it was read."""
        self.memory.cycle = struct.pack(
            _FORMAT,
            self.rate,
            self.asked,
            self.left,
            self.wakes,
            self.synced,
            self.heard,
            self.net,
            self.dropped,
            self.ip,
            self.mask,
            self.gateway,
            self.dns,
        )
        self.memory.save()


def chain(memory) -> None:
    """At the very start: a sleep longer than the chip's timer goes on."""
    cycle = Cycle(memory)
    if cycle.left and memory.state == PLANNED:
        _sleep(cycle, cycle.left)


def lasted(memory) -> int:
    """How many ms the sleep has really taken that has just been."""
    cycle = Cycle(memory)
    return cycle.asked + cycle.asked * cycle.rate // 100000


def prepare(node) -> None:
    """Before the WiFi is started: the address that worked last time, unless it is time to ask for a new one."""
    cycle = Cycle(Memory())
    wifi = node.cfg["wifi"]
    wifi["mode"] = "sta"
    if not listens(node, cycle):
        wifi.pop("tx_power", None)  # set at the first start; each time costs a flash write
        networks = wifi["networks"]
        if 0 < cycle.net <= len(networks):
            network = networks[cycle.net - 1]
            wifi["networks"] = [network]
            if not network.get("ip"):
                parts = (("ip", cycle.ip), ("mask", cycle.mask), ("gateway", cycle.gateway), ("dns", cycle.dns))
                for name, number in parts:
                    network[name] = ".".join([str(byte) for byte in number])


def listens(node, cycle) -> bool:
    """Is this a wake with a window for commands? The first one after power on and reset always is."""
    every = node.cfg["power"]["listen_every"]
    return machine.reset_cause() != _DEEPSLEEP or (every > 0 and (cycle.wakes + 1) % every == 0)


def plan(node) -> tuple:
    """Of this wake: (window for commands s or 0, ask for the time?, is the address a stored one?)."""
    cycle = Cycle(Memory())
    listening = listens(node, cycle)
    window = 0
    if listening:
        window = node.cfg["power"]["awake_max"] if cycle.wakes == 0 else _WINDOW_S
    ask = node.epoch is None or cycle.synced >= _SYNC_WAKES or cycle.wakes < _LEARN_WAKES
    return window, ask, cycle.net > 0 and not listening


def forget_address() -> None:
    """The stored address leads nowhere: ask for a new one at the next wake."""
    cycle = Cycle(Memory())
    cycle.net = 0
    cycle.save()


def learn(node, known: bool, error: "int | None") -> None:
    """The time server has answered: how wrong is the sleep timer? `known`: was the time known; `error`: ms, see clock.sync."""
    if error is None:
        return
    cycle = Cycle(Memory())
    passed = node.unix() - cycle.heard
    if passed >= _LEARN_S:
        if known and cycle.heard:
            cycle.rate = max(-_RATE_MOST, min(_RATE_MOST, cycle.rate + error * 100 // passed))
        cycle.heard = node.unix()
    cycle.synced = 0
    cycle.save()


def recall(node) -> None:
    """Put the readings of RTC memory in front of the queue."""
    memory = Memory()
    node.outbox.limit = _RAM
    entries = call("pack.unpack", node, memory.store)
    if entries is None:
        return  # made by other sensors: they stay as they are until those are back
    for entry in entries:
        node.outbox.add(entry[0], json.loads(entry[1]))
    node.recalled = True


def end(node) -> None:
    """Put away the readings that are left, the address and the clock, and sleep. Does not return."""
    outbox = node.outbox
    kept = b"" if node.recalled else Memory().store
    if outbox.taken and not outbox.taken[2]:
        outbox.entries.insert(0, outbox.taken[:2])
        outbox.taken = None
    store, lost = call("pack.pack", node, outbox.entries, outbox.newest)
    if lost and outbox.flash and outbox.flash.writable:
        call("spill.write", outbox, True)
        store, lost = call("pack.pack", node, outbox.entries, outbox.newest)
    if kept and store and outbox.flash and outbox.flash.writable:
        call("spill.write", outbox, True)
        store = b""
    elif kept and store:
        lost = len(outbox.entries)
    call("watch.beat", node, RUNNING, 0)
    cycle = Cycle(Memory())
    memory = cycle.memory
    memory.store = kept or store
    memory.part = call("clock.uptime_ms", node) - memory.uptime * 1000
    cycle.wakes += 1
    cycle.synced = min(cycle.synced + 1, 60000)
    cycle.dropped = (cycle.dropped + lost + outbox.dropped) & 0xFFFF
    cycle.save()
    if lost:
        node.log(2, "outbox: no room for %d groups" % lost)
    cycle = Cycle(Memory())
    if node.wifi.online and (not node.quiet or not cycle.net):
        cycle.net = 1 + _index(node.cfg["wifi"]["networks"], node.wifi.info()["ssid"])
        parts = [bytes([int(byte) for byte in text.split(".")]) for text in node.wifi.sta.ifconfig()]
        cycle.ip, cycle.mask, cycle.gateway, cycle.dns = parts
    _sleep(cycle, _rest_ms(node))


def _index(networks: list, ssid: bytes) -> int:
    """Which of the networks it is; -1: none any more."""
    for i, network in enumerate(networks):
        digits = network.get("ssid_hex")
        if digits.lower() == "".join(["%02x" % byte for byte in ssid]) if digits else network["ssid"].encode() == ssid:
            return i
    return -1


def _rest_ms(node) -> int:
    """How long to sleep, so that the wakes come in step with the period."""
    return max(1000, node.cfg["power"]["period"] * 1000 - call("clock.uptime_ms", node))


def _sleep(cycle, ms: int) -> None:
    """Deep sleep for true ms, in pieces if need be. Does not return."""
    piece = min(ms, _CHUNK_MS)
    cycle.left = ms - piece
    cycle.asked = piece * 100000 // (100000 + cycle.rate)
    cycle.memory.state = PLANNED
    cycle.memory.chip = int(time.time())
    cycle.save()
    machine.deepsleep(cycle.asked)
