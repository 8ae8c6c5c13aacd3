"""The commands that leave the settings alone: restart, read, identify, info, log. Loaded for one command, then let go."""

import asyncio

from . import call
from .log import LEVELS

_BLINK_S = 10
_BLINK_MOST_S = 60
_HALF_MS = 125  # of a blink


async def restart(node, args: dict, ref: object = None) -> str:
    """Say goodbye to the broker and reset the chip."""
    return "restarting"


async def read(node, args: dict, ref: object = None) -> tuple:
    """Take a reading of every sensor, or of `sensor`; the values go out as usual, and in the answer."""
    wanted = args.get("sensor")
    sensors = [sensor for sensor in node.sensors if wanted is None or sensor.name == wanted]
    if not sensors:
        raise ValueError("sensor: one of %s wanted" % " ".join([sensor.name for sensor in node.sensors]))
    values = {}
    faults = []
    for sensor in sensors:
        readings = await sensor.read(True)
        if not readings:
            faults.append("%s: %s" % (sensor.name, sensor.last_error))
        for name, value, _, _ in readings:
            values[name] = value
        node.take(readings)
    if not values:
        raise ValueError("; ".join(faults))
    return "; ".join(faults), values


async def identify(node, args: dict, ref: object = None) -> str:
    """Blink the LED for `seconds`; one that light.py has stays on instead."""
    seconds = args.get("seconds", _BLINK_S)
    if type(seconds) is not int or not 1 <= seconds <= _BLINK_MOST_S:
        raise ValueError("seconds: 1 to %d wanted" % _BLINK_MOST_S)
    if node.cfg["device"].get("led"):
        node.identify = node.uptime() + seconds  # light.py does it
        return "the LED is on for %d s" % seconds
    number = _led(node)
    if number in node.pins:
        raise ValueError("it blinks already, or the pin of the LED is used otherwise")
    node.pins += (number,)
    asyncio.create_task(_blink(node, number, seconds))
    return "blinking for %d s" % seconds


def _led(node) -> int:
    from sensors import unload
    from sensors.pins import gpio

    device = node.cfg["device"]
    try:
        return gpio(device["board"], "LED")
    except ValueError:
        raise ValueError("device.led: not set, and the board has no LED of its own")
    finally:
        unload()


async def _blink(node, number: int, seconds: int) -> None:
    import machine

    pin = machine.Pin(number, machine.Pin.OUT)
    before = pin.value()
    try:
        for _ in range(seconds * 500 // _HALF_MS):
            for level in (0, 1):
                pin.value(level)
                await asyncio.sleep_ms(_HALF_MS)
    finally:
        pin.value(before)
        node.pins = tuple([used for used in node.pins if used != number])


async def info(node, args: dict, ref: object = None) -> tuple:
    """What the retained info message says, as of now."""
    return "", call("about.info", node)


async def log(node, args: dict, ref: object = None) -> tuple:
    """Set the least `level` that is logged until the next start; the last lines come back."""
    level = args.get("level", args.get("value"))
    levels = LEVELS.split()
    if level is not None:
        if level not in levels:
            raise ValueError("level: one of %s wanted" % " ".join(levels))
        node.log.least = levels.index(level)
    return "", {"level": levels[node.log.least], "lines": node.log.lines}
