"""What the node says of itself: birth, info, states of its outputs, health. Loaded when it is said, then let go."""

import asyncio
import gc
import json
import os
import random
import sys

import cloud
import machine

from . import VERSION, call
from .log import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .link import Link
    from .node import Node

_BOOTS = "/boots"  # file: starts so far, decimal
_SERVICES = ("read", "identify", "restart", "signed")  # commands where each costs a subscription; lib/cloud has "set"
_RESETS = ("power on", "hardware watchdog", "exception", "software watchdog", "software", "deep sleep", "reset pin")


async def greet(node: "Node", link: "Link", subscribe: bool) -> None:
    """All that follows a CONNACK. OSError: the link is gone again, and greeted on the next one. `subscribe`: the client
    does not have the subscriptions yet; from then on it makes them again by itself."""
    platform = link.platform
    client = link.client
    for topic, payload, retain in platform.birth():
        await client.publish(topic, payload, 1, retain)
    if hasattr(platform, "base"):
        await client.publish(platform.base + "/info", json.dumps(info(node)), 1, platform.retain_ok)
    if subscribe:
        filters = platform.subscriptions(tuple([output[0] for output in node.outputs]), _SERVICES)
        cloud.release()
        for one in filters:  # one by one: the heap has no room for all of them in a row
            gc.collect()
            await client.subscribe([one])
    cloud.release()
    await _describe(node, link)
    if node.within:
        asyncio.create_task(call("trial.online", node))


async def announce(node: "Node") -> None:
    """Home Assistant has started: tell it again, a little later than its other nodes."""
    await asyncio.sleep_ms(random.getrandbits(10))
    link = node.link
    if link is None:
        return  # gone meanwhile
    for topic, payload, retain in link.platform.birth():
        await link.client.publish(topic, payload, 1, retain)
    await _describe(node, link)


async def _describe(node: "Node", link: "Link") -> None:
    """Discovery and states of the outputs."""
    if node.cfg["mqtt"]["discovery"] or node.cfg["cloud"]["platform"] == "homeassistant":
        await call("discovery.publish", node, link)
    if node.outputs:
        await call("outputs.publish", node)


def info(node: "Node") -> dict:
    """What a user wants to know of a node once: who and where it is, why it started, units of its values."""
    units = {}
    for sensor in node.sensors:
        for field in sensor.fields:
            if field[1]:
                units[field[0]] = field[1]
    return {
        "version": VERSION,
        "platform": sys.platform,
        "id": node.id,
        "name": node.name,
        "location": node.cfg["device"].get("location"),
        "ip": node.wifi.sta.ifconfig()[0],
        "mac": ":".join(["%02x" % byte for byte in node.wifi.sta.config("mac")]),
        "reset": reset_word(),
        "boots": _boots(_BOOTS),
        "uptime": node.uptime(),
        "units": units,
    }


def reset_word() -> str:
    """Why the node started: the SDK's rst_reason (user_interface.h) in words."""
    cause = machine.reset_cause()
    return _RESETS[cause] if 0 <= cause < len(_RESETS) else str(cause)


def _boots(file: str) -> int:
    try:
        with open(file) as f:
            text = f.read(12)
    except OSError:
        return 0  # never counted
    return int(text) if text.isdigit() else 0


def count(node: "Node", file: str = _BOOTS) -> None:
    """Count this start, unless it is one of many: a wake from deep sleep."""
    if machine.reset_cause() == machine.DEEPSLEEP_RESET:
        return
    boots = _boots(file) + 1
    try:
        with open(file + ".new", "w") as f:
            f.write(str(boots))
        os.rename(file + ".new", file)
    except OSError as e:
        node.log(ERROR, "%s: %s" % (file, e))


async def health(node: "Node") -> None:
    """Tell how the node is, on a topic beside the readings, where topics are free."""
    link = node.link
    if link and hasattr(link.platform, "base"):
        try:
            await link.client.publish(link.platform.base + "/health", json.dumps(node.status()))
        except (OSError, MemoryError):
            return  # the next one will do
