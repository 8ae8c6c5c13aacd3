"""What the platform is told about the node's values: for Home Assistant, one discovery message for the whole device.

The message itself is the platform's (cloud/homeassistant.py); platforms that want none have none.
"""

import gc

import cloud


async def publish(node, link) -> None:
    """Announce every value and output. OSError: no link, and then it is announced on the next one."""
    if not link.platform.retain:  # mqtt.retain, the switch for brokers that do not
        return
    found = link.platform.announce(items(node))
    cloud.release()
    gc.collect()
    for topic, pieces, retain in found:
        await link.client.publish(topic, iter(pieces), 0, retain, length=sum([len(piece) for piece in pieces]))


async def renew(node) -> None:
    """Announce again, now that a sensor knows its values."""
    link = node.link
    try:
        if link and link.client.connected:
            await publish(node, link)
    except (OSError, MemoryError):
        pass  # announced on the next connection


def items(node) -> list:
    """[(kind, name, unit)] of every value and output. With a command key nobody else can switch: outputs are shown only."""
    found: list = []
    for sensor in node.sensors:
        for name, unit, _, low, high in sensor.fields:
            binary = sensor.kind == "digital" and (low, high) == (0, 1)
            if name not in [item[1] for item in found]:
                found.append(("binary_sensor" if binary else "sensor", name, unit))
    kind = "output" if node.cfg["device"].get("command_key") else "switch"
    for output in node.outputs:
        found.append((kind, output[0], ""))
    return found
