"""Print what comes on example/#, through broker restarts and outages, until example/stop: `subscribe.py HOST
[PORT]`."""

import asyncio
import sys

from mqtt import Client

stop = asyncio.Event()


def on_message(message):
    """Called for each message."""
    print(message.topic, message.payload.decode(), "(retained)" if message.retain else "")
    if message.topic == "example/stop":
        stop.set()


def on_state(up, reason):
    """Called when the link comes and goes."""
    print("connected" if up else "lost: %s" % reason)


async def main():
    """Listen until told to stop."""
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 1883
    client = Client("example-subscribe", sys.argv[1], port, on_message=on_message, on_state=on_state)
    await client.connect()
    await client.subscribe("example/#", 1)
    await stop.wait()
    await client.disconnect()


asyncio.run(main())
