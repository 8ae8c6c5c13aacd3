"""A battery node's wake: read, connect, publish; nap.py is what comes before and after. docs/power.md.

Everything but this is the same node: its sensors, its WiFi manager, its MQTT link and its outbox, used once and put away.
"""

import asyncio
import gc
import time

from micropython import const

from . import call

_FAST_S = const(8)  # for a connection with the stored address; after that the stored address is wrong
_POLL_MS = const(50)
_SPARE = const(1024)  # bytes in one piece for nap.end: the heap is in pieces after an outage


async def run(node) -> None:
    """One cycle, up to nap.end."""
    window, ask, fast = call("nap.plan", node)
    node.quiet = not window
    node.spare = bytearray(_SPARE)
    deadline = node.cfg["power"]["awake_max"]
    call("guard.arm", node)
    for _ in range(3):  # off, waiting, connecting: the manager's pace is that of a node with time
        node.wifi.step(time.ticks_ms())
    try:
        await asyncio.wait_for(_once(node, window, ask, fast, deadline), deadline)
    except asyncio.TimeoutError:
        pass  # the usual end where there is no network
    except Exception as e:  # noqa: BLE001  whatever it was: what has not been sent is kept, and there is a next wake
        gc.collect()
        node.log(3, "%s: %s" % (type(e).__name__, e))
    try:
        if node.link:
            node.link.client.on_state = None
            await node.link.client.disconnect()
        await call("connect.offline", node, False)
    except MemoryError:
        pass  # the broker finds out by itself


async def _once(node, window: int, ask: bool, fast: bool, deadline: int) -> None:
    readings = []
    for sensor in node.sensors:
        readings.extend(await sensor.read(True))
        if sensor.failing:
            node.log(2, "%s: %s" % (sensor.name, sensor.last_error))
    try:
        call("nap.recall", node)
    except MemoryError:
        node.outbox.entries.clear()  # they stay where they are
        node.outbox.used = 0
    if readings:
        node.outbox.add(node.uptime(), readings)
    if not await _until(node, lambda: node.wifi.online, _FAST_S if fast else 300):
        call("nap.forget_address")
        return
    if ask:  # before MQTT takes its heap
        known = node.epoch is not None
        call("nap.learn", node, known, await call("clock.sync", node))
    gc.collect()
    call("connect.online", node)
    while node.link and node.outbox.first():
        if not await _until(node, lambda: node.link.client.connected, deadline):
            return
        if not await node.deliver(node.outbox.first()):
            await asyncio.sleep_ms(_POLL_MS)  # the link's own task is to find out, too
    if window and node.link:
        await _listen(node, window)


async def _listen(node, seconds: int) -> None:
    """Wait for commands; each one gives time for another."""
    heard = [True]
    told = node.link.client.on_message

    def hear(message) -> None:
        heard.append(True)
        told(message)

    node.link.client.on_message = hear
    while heard:
        heard.clear()
        await _until(node, lambda: len(heard) > 0, seconds)


async def _until(node, condition, seconds: int) -> bool:
    """Wait for it; False: in vain."""
    begun = time.ticks_ms()
    while not condition():
        if time.ticks_diff(time.ticks_ms(), begun) > seconds * 1000:
            return False
        node._beaten = time.ticks_ms()
        node.wifi.step(node._beaten)
        await asyncio.sleep_ms(_POLL_MS)
    return True
