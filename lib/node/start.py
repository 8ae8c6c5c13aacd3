"""Makes the node from its settings: needed once, then out of the heap. Largest parts first, while the heap is whole."""

import gc
import json
import sys

import cloud
import machine
import network
import settings

from . import VERSION
from .link import Link
from .log import ERROR, INFO, LEVELS, WARNING, Log
from .node import Node
from .outbox import Outbox


def make(directory: str) -> Node:
    """The node whose settings lie in `directory`. Whatever they hold, a node comes out of it, and a line on each fault."""
    log = Log()
    cfg, notes = settings.load(directory)
    settings.release()
    gc.collect()
    log(INFO, "node %s, %d bytes of heap free" % (VERSION, gc.mem_free()))
    for note in notes:
        log(WARNING, note)
    log.least = LEVELS.split().index(cfg["log"]["level"])
    device = "node-" + "".join("%02x" % b for b in machine.unique_id())
    node = Node(log, cfg, device, Outbox(cfg["telemetry"]["queue_bytes"], cfg["telemetry"]["drop"]))
    for part in (_wifi, platform, _sensors):
        part(node)
        gc.collect()
    log(INFO, "%s: %d bytes of heap free" % (node.name, gc.mem_free()))
    return node


def _wifi(node: Node) -> None:
    import wifi

    node.wifi = wifi.Manager(node.cfg["wifi"], node.id, network, on_event=node.wifi_event)
    if not node.cfg["wifi"]["networks"]:
        node.log(WARNING, "wifi.networks: none known, waiting for set-up")


def make_platform(node: Node, cfg: dict) -> "cloud.Platform":
    """The cloud platform of these settings. Raises ValueError with the field and what was wanted."""
    mqtt = dict(cfg["mqtt"])
    name = cfg["device"].get("name") or node.id
    if not mqtt.get("base_topic"):
        mqtt["base_topic"] = "node/" + name
    made = cloud.create(cfg["cloud"], mqtt, {"id": node.id, "name": name, "version": VERSION})
    made.topics = cfg["mqtt"]["format"] == "topics"
    return made


def platform(node: Node) -> None:
    """The node's MQTT link, if the settings name a broker."""
    try:
        node.link = Link(make_platform(node, node.cfg), node, node.cfg["mqtt"]["clean_session"])
    except ValueError as e:
        node.log(WARNING, "%s: no broker, readings are kept" % e)


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
    sensors.unload()
    for warning in board.warnings:
        node.log(WARNING, warning)


def info(node: Node) -> str:
    """What a user wants to know of a node once, as JSON: version, address, why it started, units of its values."""
    units = {}
    for sensor in node.sensors:
        for field in sensor.fields:
            if field[1]:
                units[field[0]] = field[1]
    return json.dumps(
        {
            "version": VERSION,
            "platform": sys.platform,
            "ip": node.wifi.sta.ifconfig()[0],
            "reset": machine.reset_cause(),
            "units": units,
        }
    )
