"""New settings on trial: kept if the node is online with them in time, else the old ones come back.

    change.patch --prepare()--> restart --begin()--> checked, restart --begin(), start()--> online() --> answer
                                           faults, restart --> answer
                                                                _watch(), or restarted: old settings --> answer

The files that make this survive a power cut at any moment are lib/settings' (store.py); here is who waits for the
answer, in a file of its own. node.within: seconds for the trial that runs; -1: none does, but somebody waits; 0: neither.
"""

import asyncio
import json
import os

import machine
import settings
from micropython import const

from . import call
from .log import ERROR, INFO, WARNING

_FILE = const("/command.trial")
_PERIODS = const("/command.periods")
_NEW = const("/command.new")
_FAULTS = const(400)  # characters of the answer
_WITHIN_S = const(120)  # where that file did not survive


def prepare(ref: object, within: int, changes: dict) -> None:
    """Have the next start try these changes of the settings."""
    with open(_NEW, "w") as f:
        f.write(json.dumps([ref, within, "", changes]))
    os.rename(_NEW, _FILE)


def _waiting() -> "list | None":
    """[ref, seconds, faults, changes] of the patch that has not had its answer; changes: None once they are staged."""
    try:
        with open(_FILE) as f:
            found = json.load(f)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) and len(found) == 4 and type(found[1]) is int else None


def begin(log, directory: str) -> "dict | None":
    """At a start, while the heap is empty: settings on trial, or None. New ones are checked first, once, and then the node
    starts anew: the names that this needs would stay in memory."""
    waiting = _waiting()
    why = None
    if _PERIODS[1:] in os.listdir("/"):
        why = _store_periods(directory)
    if waiting and waiting[3]:
        why = _stage(waiting, directory)
    if why is not None:
        log(INFO, "settings: %s" % (why or "new ones are checked; starting anew"))
        call("watch.planned")
        machine.reset()
    cfg = settings.trial(directory)
    if cfg is not None:
        log(WARNING, "settings: new ones are on trial")
    return cfg


def set_period(node, wanted: "str | None", value: int) -> None:
    """Remember a period, of a sensor or of all, for the next start, which puts it into the settings."""
    if wanted:
        node.own_period += (wanted,)
    node.periods = dict(node.periods)
    node.periods[wanted or ""] = value
    with open(_NEW, "w") as f:
        f.write(json.dumps(node.periods))
    os.rename(_NEW, _PERIODS)


def _store_periods(directory: str) -> str:
    """Put the periods that were set by command into the settings; returns why not, or ""."""
    from settings.given import put_periods

    try:
        with open(_PERIODS) as f:
            found = json.load(f)
        current = settings.load(directory)[0]
        put_periods(current, found)
        settings.save(current, directory)
        why = ""
    except (ValueError, OSError) as e:
        why = str(e)
    os.remove(_PERIODS)
    return why


def _stage(waiting: list, directory: str) -> str:
    """Check the changes and store what comes of them for a trial, or the faults for the answer; returns them, or ""."""
    changes = waiting[3]
    waiting[3] = None
    try:
        merged, faults = settings.patch(settings.load(directory)[0], changes)
        if not faults:
            settings.stage(merged, directory)
    except (ValueError, OSError, MemoryError, RuntimeError) as e:  # RuntimeError: nested too deep
        faults = ["%s: %s" % (type(e).__name__, e)]
    waiting[2] = "; ".join(faults)[:_FAULTS]
    with open(_NEW, "w") as f:
        f.write(json.dumps(waiting))
    os.rename(_NEW, _FILE)
    return waiting[2]


def start(node, running: bool) -> None:
    """The node is made: a trial is `running`, or has ended and has to be answered."""
    waiting = _waiting()
    if running:
        node.within = waiting[1] if waiting else _WITHIN_S
        asyncio.create_task(_watch(node))
    elif waiting:
        node.within = -1


async def _watch(node) -> None:
    """End the trial when its time is over."""
    for _ in range(node.within):
        await asyncio.sleep(1)
        if node.within <= 0:
            return  # they are kept
    reason = "no answer of the broker"
    if node.mute:
        reason = "no broker"
    elif not node.wifi.online:
        reason = "wifi: %s" % (node.wifi.reason or "no answer")
    elif node.link and node.link.said:
        reason = node.link.said
    why = "not online within %d s: %s" % (node.within, reason)
    settings.drop(why, "/")
    node.log(WARNING, "settings: new ones are not kept: %s; restarting" % why)
    await node.stop()
    machine.reset()


async def online(node) -> None:
    """The node is connected and subscribed: keep the settings that are on trial, and answer the patch."""
    tried = node.within > 0
    if tried:
        try:
            settings.promote("/")
        except OSError as e:
            node.log(ERROR, "settings: cannot be kept: %s" % e)
            return  # _watch() ends the trial
        finally:
            settings.release()
        node.log(INFO, "settings: new ones are kept; starting anew")
    node.within = 0
    waiting = _waiting()
    if waiting is not None:
        why = waiting[2]
        if not why:
            why = settings.dropped("/")
            settings.release()
            why = why and "not kept: " + why
        if why:
            node.log(WARNING, "settings: %s" % why)
        if await call("commands.answer", node, waiting[0], not why, why or "kept"):
            os.remove(_FILE)
        else:
            node.within = -1  # answered on the next connection
    if tried:  # the names that the trial needed stay in memory until a reset
        await node.stop()
        machine.reset()
