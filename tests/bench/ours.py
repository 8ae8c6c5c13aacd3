"""Runs in the MicroPython VM: `ours.py HOST PORT RELAY_PORT`; prints `@ NAME VALUE` for each figure of our client."""

import asyncio
import gc
import sys
import time

from mqtt import Client

HOST, PORT, RELAY = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PAYLOAD = b"x" * 32


def say(name, value):
    print("@", name, value)


async def rate(count, window, work):
    """Calls of `work` a second, `window` of them at a time."""

    async def worker():
        for _ in range(count // window):
            await work()

    gc.collect()
    begin = time.ticks_us()
    if window == 1:
        await worker()
    else:
        await asyncio.gather(*[worker() for _ in range(window)])
    return count // window * window * 1000000 // time.ticks_diff(time.ticks_us(), begin)


async def main():
    received = [0]

    def arrived(message):
        received[0] += 1

    client = Client("bench", HOST, PORT, on_message=arrived)
    await client.connect()
    say("qos0", await rate(20000, 1, lambda: client.publish("bench/q", PAYLOAD)))
    await client.publish("bench/q", PAYLOAD, 1)
    for name, count, window in (("window1", 3000, 1), ("window8", 8000, 8)):
        best = 0
        for _ in range(5):
            best = max(best, await rate(count, window, lambda: client.publish("bench/q", PAYLOAD, 1)))
        say(name, best)
    say("qos2", await rate(2000, 1, lambda: client.publish("bench/q", PAYLOAD, 2)))
    for qos in (0, 1):
        await client.publish("bench/q", PAYLOAD, qos)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for _ in range(200):
            await client.publish("bench/q", PAYLOAD, qos)
        say("alloc%d" % qos, (gc.mem_alloc() - before) // 200)
        gc.enable()
    await client.subscribe("bench/echo", 1)

    async def echo():
        want = received[0] + 1
        await client.publish("bench/echo", PAYLOAD)
        while received[0] < want:
            await asyncio.sleep(0)

    say("echo", await rate(2000, 1, echo))
    sender = Client("sender", HOST, PORT)
    await sender.connect()
    await sender.publish("bench/echo", PAYLOAD)
    await asyncio.sleep(0.05)
    gc.collect()
    gc.disable()
    before, want = gc.mem_alloc(), received[0] + 200
    for _ in range(200):
        await sender.publish("bench/echo", PAYLOAD)
    while received[0] < want:
        await asyncio.sleep(0)
    say("alloc_both", (gc.mem_alloc() - before) // 200)
    gc.enable()
    await sender.disconnect()
    far = Client("far", HOST, RELAY)
    await far.connect()
    say("far1", await rate(20, 1, lambda: far.publish("bench/q", PAYLOAD, 1)))
    say("far8", await rate(160, 8, lambda: far.publish("bench/q", PAYLOAD, 1)))
    await far.disconnect()
    print("@restart")
    while client.connected:
        await asyncio.sleep(0.002)
    while not client.connected:
        await asyncio.sleep(0.002)
    say("back", time.time_ns() // 1000000)
    await client.disconnect()


asyncio.run(main())
