"""How a run of the node ends: a planned restart, Ctrl-C, a crash, or a factory reset. Readings are kept (all but the last)."""

import gc
import io
import os
import sys

import machine

from . import call
from .rtc import CRASHED, LOG_SIZE, PLANNED, Memory


def restart(node, why: str, crashes: "int | None" = None) -> None:
    """Restart on purpose: readings are kept, no crash is counted. Does not return."""
    node.log(1, "restart: " + why)
    _keep(node)
    call("watch.beat", node, PLANNED, crashes)
    machine.reset()


def stopped(node) -> None:
    """Ctrl-C: the node is left for the REPL."""
    if hasattr(node, "guard"):
        node.guard.deinit()
    _keep(node)
    call("watch.beat", node, PLANNED)


def crashed(node, error: BaseException) -> None:
    """An exception that nobody handled: keep its last words and the readings, restart. Does not return."""
    gc.collect()
    text = io.StringIO()
    sys.print_exception(error, text)
    print(text.getvalue())
    words = text.getvalue().strip().split("\n")
    memory = Memory()
    memory.state = CRASHED
    memory.log = " ".join([word.strip() for word in words[-2:]]).encode()[-LOG_SIZE:]
    memory.save()
    if node:
        try:
            _keep(node)
            if node.recalled:  # what RTC memory held is on flash now
                memory.store = b""
                memory.save()
            call("watch.beat", node, CRASHED)
        except Exception as e:  # noqa: BLE001  half a node: whatever it lacks, the restart matters more
            print("readings are lost: %s" % e)
        if node.cfg["power"]["deep_sleep"] and not node.safe:
            machine.deepsleep(node.cfg["power"]["period"] * 1000)  # a battery is not to be emptied by a loop of crashes
    machine.reset()


def erase(node) -> None:
    """Factory reset: settings, network and readings are forgotten. Does not return."""
    call("pending.erase")
    for folder in ("/", "/outbox/"):
        try:
            for name in os.listdir(folder):
                if folder != "/" or name.startswith("command."):
                    os.remove(folder + name)
        except OSError:
            pass  # was not there
    machine.RTC().memory(b"")
    machine.reset()


def _keep(node) -> None:
    """Readings to flash, also where `spill` is off: a restart is rare."""
    outbox = node.outbox
    if node._fresh:
        outbox.add(node._fresh_at, node._fresh)
        node._fresh = []
    if not outbox.flash and (outbox.entries or outbox.taken):
        call("spill.start", outbox, node, 0, 0, 1)
    if outbox.flash:
        call("spill.keep", outbox)
