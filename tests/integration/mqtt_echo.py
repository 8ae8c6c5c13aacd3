"""Publishes what comes on `in/...` again on `out/...`, at the QoS it came with; `mqtt_echo.py PORT`."""

import asyncio
import sys

from mqtt import Client


async def main():
    queue = []
    client = Client("echo", "127.0.0.1", int(sys.argv[1]), on_message=queue.append, buffer=1024)
    await client.connect()
    await client.subscribe("in/#", 2)
    print("@ready")
    while True:
        while queue:
            message = queue.pop(0)
            if message.topic == "in/stop":
                await client.disconnect()
                return
            await client.publish("out" + message.topic[2:], message.payload, message.qos)
        await asyncio.sleep(0.005)


asyncio.run(main())
