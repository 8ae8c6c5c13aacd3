"""What the node says of itself after each connection."""

import json
import sys

import machine

from . import VERSION
from .rtc import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .node import Node


def info(node: Node) -> str:
    """What a user wants to know of a node once, as JSON: version, address, why and how often it started, units of values."""
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
            "boots": Memory().boots,
            "units": units,
        }
    )
