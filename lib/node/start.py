"""Makes the node from its settings: needed once, then out of the heap. Largest parts first, while the heap is whole."""

import gc
import os
import sys

import machine
import network
import settings

from . import VERSION, call
from .log import ERROR, INFO, LEVELS, WARNING, Log
from .node import Node
from .outbox import Outbox


def make(directory: str) -> Node:
    """The node whose settings lie in `directory`. Whatever they hold, a node comes out of it, and a line on each fault."""
    log = Log()
    todo, cfg, fresh = "", None, False
    if "setup.json" in os.listdir(directory):
        todo, cfg, fresh = call("pending.resume", directory, log)
    if todo == "restart":
        machine.reset()
    notes: list = []
    if cfg is None:
        cfg, notes = settings.load(directory)
    for note in notes:
        log(WARNING, note)
    if not todo and "settings.store" in sys.modules and settings.stamp.is_stamped(directory + settings.stamp.CURRENT):
        # The names that a full check has brought into memory stay there until a reset; with less the node runs better.
        log(INFO, "the settings are checked and stored; starting anew")
        machine.reset()
    settings.release()
    gc.collect()
    log(INFO, "node %s, %d bytes of heap free" % (VERSION, gc.mem_free()))
    log.least = LEVELS.split().index(cfg["log"]["level"])
    device = "node-" + "".join("%02x" % b for b in machine.unique_id())
    node = Node(log, cfg, device, Outbox(cfg["telemetry"]["queue_bytes"], cfg["telemetry"]["drop"]))
    for part in (_wifi, _sensors):
        part(node)
        gc.collect()
    if todo == "trial":
        call("attempt.start", node, fresh)
    elif todo == "news":
        node.wifi.open_ap()
    gc.collect()
    log(INFO, "%s: %d bytes of heap free" % (node.name, gc.mem_free()))
    return node


def _wifi(node: Node) -> None:
    import wifi

    node.wifi = wifi.Manager(node.cfg["wifi"], node.id, network, on_event=node.wifi_event)
    if not node.cfg["wifi"]["networks"]:
        node.log(WARNING, "wifi.networks: none known, waiting for set-up")


def _sensors(node: Node) -> None:
    import sensors

    cfg = node.cfg
    board = sensors.Board(cfg["device"]["board"], machine, status=node.status)
    for i, entry in enumerate(cfg["sensors"]):
        if "period" not in entry:
            entry = dict(entry)
            entry["period"] = cfg["telemetry"]["period"]
        try:
            node.sensors.append(sensors.create(entry, board))
        except ValueError as e:
            node.log(ERROR, "sensors.%d: %s" % (i, e))
    cfg["sensors"] = ()  # made: the entries are in flash for who wants them again
    sensors.unload()
    for warning in board.warnings:
        node.log(WARNING, warning)
