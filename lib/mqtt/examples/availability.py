"""Say online after each connect; the broker says offline by the will when we vanish: `availability.py HOST [PORT]`."""

import asyncio
import sys

from mqtt import Client, Will

TOPIC = "example/status"


async def main():
    """Connect, work, say goodbye."""
    client: Client = Client(
        "example-will",
        sys.argv[1],
        int(sys.argv[2]) if len(sys.argv) > 2 else 1883,
        keepalive=10,
        will=Will(TOPIC, "offline", qos=1, retain=True),
        on_state=lambda up, reason: asyncio.create_task(client.publish(TOPIC, "online", 1, True)) if up else None,
    )
    await client.connect()
    await asyncio.sleep(2)  # here the work would be done
    await client.publish(TOPIC, "offline", 1, True)  # disconnect() sends no will
    await client.disconnect()
    print("said goodbye")


asyncio.run(main())
