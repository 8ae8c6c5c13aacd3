"""What keeps the node alive, seen from outside its tasks: crash counter, safe mode, heartbeat, last words. docs/reliability.md.

Loaded for a call, at the start and once a minute; ending.py has what comes last. What is remembered lies in RTC memory (rtc.py).
"""

import os
import time

import machine
from micropython import const

from . import call
from .rtc import CRASHED, LOG_SIZE, PLANNED, RUNNING, Memory

_QUICK_S = const(600)  # a run that ends sooner by a crash is a quick one
_SAFE = const(4)  # quick crashes in a row until all but WiFi, page and log stays off
_SAFE_S = const(900)  # after that time in safe mode the node tries a normal start
_PAGE_S = const(180)  # for the page, which a start was for, to be up
_STUCK = const(15)  # minutes with a broker and readings but without a delivery
_DEEPSLEEP = const(5)  # reset cause
_CRASH_CAUSES = (1, 2, 3, 4)  # hardware watchdog, exception, software watchdog; restart that nobody planned
SAFE_TEXT = "safe mode: WiFi, page and log only"


def boot() -> tuple:
    """First of all: (safe mode?, what to say). Counts a crash that has just been."""
    memory = Memory()
    cause = machine.reset_cause()
    crashed = memory.state == CRASHED or (memory.state == RUNNING and cause in _CRASH_CAUSES)
    lines = []
    if memory.fresh:
        memory.line = os.urandom(2)[0] << 8 | 1
        memory.tokens = 8
        memory.uptime = 0
    else:
        memory.uptime += _passed(memory, cause)
        if crashed:
            memory.crashes = min(memory.crashes + 1, 255) if memory.uptime < _QUICK_S else 1
            lines.append("restarted after a crash, reset cause %d, crash %d in a row" % (cause, memory.crashes))
            if memory.log:
                lines.append("last words: " + str(memory.log, "utf-8", "ignore"))
    memory.log = b""
    memory.stuck = 0
    memory.base += memory.uptime
    if memory.epoch:
        memory.epoch += memory.uptime
    memory.uptime = 0
    memory.chip = time.time()
    memory.boots = (memory.boots + 1) & 0xFFFF
    if cause == _DEEPSLEEP:
        call("nap.chain", memory)
    memory.state = RUNNING
    memory.save()
    safe = memory.crashes >= _SAFE
    if safe:
        lines.append(SAFE_TEXT)
    return safe, lines


def _passed(memory, cause: int) -> int:
    """Seconds since `uptime` was saved. After deep sleep from what was asked for, else from the chip's clock."""
    if cause == _DEEPSLEEP and memory.state == PLANNED:
        ms = memory.part + call("nap.lasted", memory)
        memory.part = ms % 1000
        return ms // 1000
    memory.part = 0
    passed = time.time() - memory.chip
    return passed if 0 <= passed < 1 << 24 else 0


def attach(node) -> None:
    """Give a new node its time line, and the readings that an earlier run has left."""
    memory = Memory()
    node.epoch = memory.epoch or None
    node._counted = time.ticks_add(node._counted, -memory.part)
    if node.cfg["telemetry"]["spill"] or _left_over():
        try:
            call("spill.start", node.outbox, node, memory.segment, memory.index, memory.tokens)
        except OSError as e:
            node.log(2, "outbox: no flash: %s" % e)


def _left_over() -> bool:
    """Did a crash leave readings on flash?"""
    try:
        return len(os.listdir("/outbox")) > 0
    except OSError:
        return False


def tick(node) -> None:
    """Once a minute. Does not return if readings are stuck."""
    beat(node)
    outbox = node.outbox
    memory = Memory()
    delivered = outbox.delivered & 0xFFFF
    if node.link and node.link.client.connected and outbox.taken and delivered == memory.delivered:
        memory.stuck += 1
        if memory.stuck >= _STUCK:
            call("ending.restart", node, "no reading was delivered for %d minutes" % _STUCK)
    else:
        memory.stuck = 0
    memory.delivered = delivered
    memory.save()
    if node.mute == "page" and node._page is None and node.uptime() >= _PAGE_S:
        call("ending.restart", node, "nobody can reach the page")
    if node.safe and node.uptime() >= _SAFE_S and not node.wifi.client:
        call("ending.restart", node, "trying a normal start", _SAFE - 1)


def beat(node, state: int = RUNNING, crashes: "int | None" = None) -> None:
    """Save where this run stands."""
    memory = Memory()
    memory.state = state
    memory.uptime = node.uptime()
    memory.chip = time.time()
    memory.epoch = node.epoch or 0
    flash = node.outbox.flash
    if flash:
        memory.segment = flash.first
        memory.index = flash.done
        memory.tokens = flash.tokens
    if crashes is not None:
        memory.crashes = crashes
    elif not node.safe and memory.uptime >= _QUICK_S:
        memory.crashes = 0
    memory.save()


def planned() -> None:
    """The restart that comes now is no crash."""
    memory = Memory()
    memory.state = PLANNED
    memory.save()


def note(line: str) -> None:
    """Keep a line for after a crash; the newest ones that fit. What is said of an earlier crash is no news."""
    if "after a crash" in line or "last words" in line:
        return
    memory = Memory()
    memory.log = (memory.log + b" | " + line.encode() if memory.log else line.encode())[-LOG_SIZE:]
    memory.save()


async def send_log(node) -> None:
    """Send the oldest line of the log; platforms with topics of their own have none for it."""
    line = node.logs.pop(0)
    base = getattr(node.link.platform, "base", None)
    if base:
        try:
            await node.link.client.publish(base + "/log", line)
        except OSError:
            pass  # a log is not worth a second try
