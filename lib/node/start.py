"""Makes the node from its settings: needed once, then out of the heap. Largest parts first, while the heap is whole."""

import asyncio
import gc
import os
import sys

import machine
import network
import settings
from micropython import const

from . import VERSION, call
from .log import ERROR, INFO, LEVELS, WARNING, Log
from .node import Node
from .outbox import Outbox

_SAFE_AP_S = const(900)  # for whom the node needs help from
_COLLECT_AFTER = const(4096)  # bytes of garbage; with more in between, what stays would cut the free heap into pieces


def make(directory: str, safe: bool = False, lines: "list | tuple" = ()) -> Node:
    """The node whose settings lie in `directory`. Whatever they hold, a node comes out of it, and a line on each fault.

    safe: without sensors, user code and MQTT. lines: to be said of the start (watch.boot).
    """
    gc.threshold(_COLLECT_AFTER)
    log = Log()
    todo, cfg, fresh = "", None, False
    if "setup.json" in os.listdir(directory):
        todo, cfg, fresh = call("pending.resume", directory, log)
    trial = False
    if not todo:
        try:
            cfg = call("trial.begin", log, directory)
        except OSError as e:
            log(ERROR, "settings: no trial: %s" % e)
        trial = cfg is not None
    notes: list = []
    if cfg is None:
        cfg, notes = settings.load(directory)
    for note in notes:
        log(WARNING, note)
    checked = "settings.store" in sys.modules and settings.stamp.is_stamped(directory + settings.stamp.CURRENT)
    if checked and not (todo or trial):
        # The names that a full check has brought into memory stay there until a reset; with less the node runs better.
        log(INFO, "the settings are checked and stored; starting anew")
        todo = "restart"
    if todo == "restart":
        call("watch.planned")
        machine.reset()
    settings.release()
    gc.collect()
    log(INFO, "node %s, %d bytes of heap free" % (VERSION, gc.mem_free()))
    log.least = LEVELS.split().index(cfg["log"]["level"])
    device = "node-" + "".join("%02x" % b for b in machine.unique_id())
    node = Node(log, cfg, device, Outbox(cfg["telemetry"]["queue_bytes"], cfg["telemetry"]["drop"]))
    node.safe = safe
    node.mute = "safe mode" if safe else ""
    if "setup.page" in os.listdir(directory):
        call("pending.page_now", node, directory)
    node.sleeps = cfg["power"]["deep_sleep"] and not safe and len(cfg["wifi"]["networks"]) > 0
    gc.collect()
    call("watch.attach", node)
    log.sink = call("tell.remote", node)
    for note in lines:
        log(WARNING, note)
    call("about.count", node)
    call("trial.start", node, trial)
    for part in (_wifi, _sensors):
        part(node)
        gc.collect()
    if safe:
        node.wifi.open_ap(_SAFE_AP_S)
    elif "app.py" in os.listdir("/") or "app.mpy" in os.listdir("/"):
        asyncio.create_task(call("extend.run", node))
    if todo == "trial":
        call("attempt.start", node, fresh)
    elif todo == "news":
        node.wifi.open_ap()
    # Made; in flash they still are for who wants them again.
    cfg["sensors"] = ()
    del sys.modules["settings"]
    gc.collect()
    log(INFO, "%s: %d bytes of heap free" % (node.name, gc.mem_free()))
    return node


def _wifi(node: Node) -> None:
    import wifi

    if node.sleeps:
        call("nap.prepare", node)
    node.wifi = wifi.Manager(node.cfg["wifi"], node.id, network, on_event=node.wifi_event)
    if not node.cfg["wifi"]["networks"]:
        node.log(WARNING, "wifi.networks: none known, waiting for set-up")


def _sensors(node: Node) -> None:
    import sensors

    cfg = node.cfg
    board = sensors.Board(cfg["device"]["board"], machine, status=node.status)
    if cfg["device"].get("led") or cfg["device"].get("button"):
        try:
            call("light.start", node, board)
        except Exception as e:  # noqa: BLE001  a node without a light is a node
            node.log(ERROR, "light: %s: %s" % (type(e).__name__, e))
    for i, entry in enumerate(() if node.mute else cfg["sensors"]):
        own = "period" in entry
        if not own:
            entry = dict(entry)
            entry["period"] = cfg["telemetry"]["period"]
        try:
            node.sensors.append(sensors.create(entry, board))
            if own:
                node.own_period += (node.sensors[-1].name,)
        except ValueError as e:
            node.log(ERROR, "sensors.%d: %s" % (i, e))
    from sensors.build import tell_apart

    tell_apart(node.sensors)
    if cfg["outputs"]:
        node.outputs = call("outputs.make", node, board, cfg["outputs"])
    node.pins = tuple(board.claims)
    sensors.unload()
    for warning in board.warnings:
        node.log(WARNING, warning)
