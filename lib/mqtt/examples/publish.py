"""Publish a reading, retained, and know that the broker has it: `publish.py HOST [PORT]`."""

import asyncio
import sys

from mqtt import Client


async def main():
    """Connect, publish, leave."""
    client = Client("example-publish", sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1883)
    await client.connect()
    await client.publish("example/temperature", "21.5", qos=1, retain=True)
    print("published")
    await client.disconnect()


asyncio.run(main())
