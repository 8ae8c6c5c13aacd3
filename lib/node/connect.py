"""MQTT comes with the network and goes with it: the heap that it takes is the WiFi's and the page's while there is none."""

import asyncio
import gc
import sys

import cloud
from micropython import const

from . import VERSION
from .log import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mqtt import Client

    from .link import Link
    from .node import Node

_TOPIC = const(5)  # in a slot of mqtt/session.py
_PAYLOAD = const(6)


def make_platform(node: "Node", cfg: dict) -> "cloud.Platform":
    """The cloud platform of these settings. Raises ValueError with the field and what was wanted."""
    name = cfg["device"].get("name") or node.id
    made = cloud.create(cfg["cloud"], cfg["mqtt"], {"id": node.id, "name": name, "version": VERSION})
    made.topics = cfg["mqtt"]["format"] == "topics"
    return made


def online(node: "Node") -> None:
    """There is a network: connect to the broker, if the settings name one."""
    try:
        platform = make_platform(node, node.cfg)
    except ValueError as e:
        node.log(ERROR, "%s: no broker, readings are kept" % e)
        node.mute = str(e)
        return
    gc.collect()  # what stays for long is to lie low in the heap, not among garbage
    from .link import Link

    gc.collect()
    # Exactly once needs a broker that remembers.
    link = Link(platform, node, node.cfg["mqtt"]["clean_session"] and platform.qos < 2)
    gc.collect()
    if node.session:
        try:
            link.client.restore_session(node.session)
        except ValueError:
            node._handed = False  # what was in flight is sent anew
        node.session = None
    node.link = link
    link.look()


async def offline(node: "Node", goodbye: bool) -> None:
    """Leave the broker, and give back all that MQTT takes."""
    link = node.link
    node.link = None
    if link:
        try:
            if goodbye:
                await link.stop()
                node._handed = False
            else:
                _keep_session(node, link.client)
                await link.client.disconnect(False)
        except MemoryError:
            node.link = link  # it still lives: again at the next look, or two clients would take turns at the broker
            raise
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


def _keep_session(node: "Node", client: "Client") -> None:
    session = client.session
    node.session = None
    if session.order or session.received:
        try:
            node.session = client.export_session()
        except MemoryError:
            pass  # the outbox sends it anew


def in_flight(node: "Node", link: "Link", topic: bytes, body: bytes) -> bool:
    """Has the session of the client this message, so that it is sent again by itself?"""
    if link is not node.link:
        return node.session is not None and topic + body in node.session
    # The same client goes on, with a new token.
    return (topic, body) in [(slot[_TOPIC], slot[_PAYLOAD]) for slot in link.client.session.order]
