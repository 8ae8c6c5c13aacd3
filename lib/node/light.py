"""LED and button, ten times a second. Loaded only where the settings name one of them (`device.led`, `device.button`).

LED                          the node                       button, to ground
on and off, 1 s each         waits for set-up, AP is open   < 2 s        read now
quick, 0.2 s                 looks for its network          2 to 10 s    open the access point for 10 minutes
two flashes in 2 s           has no broker                  10 s         forget all settings, and restart
one flash in 2 s             works                          (the LED goes on after 2 s)
three flashes in 2 s         is in safe mode
on                           shows itself: `node.identify`, s of uptime
"""

import asyncio
import time

from micropython import const

from . import call

_STEP_MS = const(100)
_STEPS = const(20)  # of a pattern, one bit each
_SETUP = const(0x003FF)
_SEARCH = const(0x33333)
_NO_BROKER = const(0x00009)
_WORKS = const(0x00001)
_SAFE = const(0x00049)
_ON = const(0xFFFFF)
_LONG_MS = const(2000)
_VERY_LONG_MS = const(10000)
_BOUNCE_MS = const(150)  # that a press lasts at least
_ACTIVE_LOW = (2, 16)  # the LEDs of NodeMCU, D1 mini and ESP-12


def start(node, board) -> None:
    """Begin; a line if a pin cannot be had."""
    from sensors.pins import claim

    device = node.cfg["device"]
    led = button = None
    dark = 0
    try:
        if device.get("led"):
            number = claim(board, device["led"], "out", "", "device.led")
            dark = 1 if number in _ACTIVE_LOW else 0
            led = board.machine.Pin(number, board.machine.Pin.OUT, value=dark)
        if device.get("button"):
            button = board.input(claim(board, device["button"], "in", "up", "device.button"), "up")
    except ValueError as e:
        node.log(3, "device: %s" % e)
    if led or button:
        asyncio.create_task(node._always(_run, node, led, dark, button))


async def _run(node, led, dark: int, button) -> None:
    step = held = 0
    before = time.ticks_ms()
    while True:
        await asyncio.sleep_ms(_STEP_MS)
        now = time.ticks_ms()
        passed = time.ticks_diff(now, before)
        before = now
        if button:
            if button.value():
                if held > _BOUNCE_MS:
                    await _released(node, held)
                held = 0
            else:
                held += passed
                if held >= _VERY_LONG_MS:
                    node.log(2, "button: all settings are forgotten")
                    call("ending.erase", node)
        step = (step + 1) % _STEPS
        if led:
            pattern = _ON if held >= _LONG_MS or node.uptime() < node.identify else _pattern(node)
            led.value((pattern >> step & 1) ^ dark)


def _pattern(node) -> int:
    wifi = node.wifi
    if node.safe:
        return _SAFE
    if wifi.ap_state == "ap_on" or not node.cfg["wifi"]["networks"]:
        return _SETUP
    if not wifi.online:
        return _SEARCH
    return _WORKS if node.link and node.link.client.connected else _NO_BROKER


async def _released(node, held: int) -> None:
    if held >= _LONG_MS:
        await call("connect.offline", node, True)  # room for the page: whoever presses waits for it
        node.wifi.open_ap()
        node.log(1, "button: access point open")
        return
    node.log(1, "button: reading now")
    for sensor in node.sensors:
        node.take(await sensor.read(True))
