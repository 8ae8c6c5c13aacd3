"""MQTT comes with the network and goes with it: the heap that it takes is the WiFi's and the page's while there is none."""

import asyncio
import gc
import sys

import cloud

from . import VERSION
from .log import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .node import Node


def make_platform(node: "Node", cfg: dict) -> "cloud.Platform":
    """The cloud platform of these settings. Raises ValueError with the field and what was wanted."""
    mqtt = dict(cfg["mqtt"])
    name = cfg["device"].get("name") or node.id
    if not mqtt.get("base_topic"):
        mqtt["base_topic"] = "node/" + name
    made = cloud.create(cfg["cloud"], mqtt, {"id": node.id, "name": name, "version": VERSION})
    made.topics = cfg["mqtt"]["format"] == "topics"
    return made


def online(node: "Node") -> None:
    """There is a network: connect to the broker, if the settings name one."""
    from .link import Link

    try:
        node.link = Link(make_platform(node, node.cfg), node, node.cfg["mqtt"]["clean_session"])
    except ValueError as e:
        node.log(ERROR, "%s: no broker, readings are kept" % e)
        node.mute = str(e)
    else:
        node.link.client.start()


async def offline(node: "Node", goodbye: bool) -> None:
    """Leave the broker, and give back all that MQTT takes."""
    link = node.link
    node.link = None
    if link:
        if goodbye:
            await link.stop()
        else:
            await link.client.disconnect(False)
        del link
        await asyncio.sleep_ms(0)  # cancelled tasks end when their turn comes
        await asyncio.sleep_ms(0)
    cloud.release()
    for name in list(sys.modules):
        if name == "node.link" or name.split(".")[0] == "mqtt":
            del sys.modules[name]
    if hasattr(sys.modules["node"], "link"):
        delattr(sys.modules["node"], "link")
    gc.collect()
