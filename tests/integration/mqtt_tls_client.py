"""One TLS connection: `mqtt_tls_client.py HOST PORT CA_FILE`. Prints `@ok` after a QoS 2 round trip, or `@error
text`."""

import asyncio
import sys

from mqtt import Client
from mqtt_broker import until


async def main():
    got = []
    ca = sys.argv[3]
    client = Client("tls", sys.argv[1], int(sys.argv[2]), ssl=True if ca == "system" else ca, on_message=got.append)
    try:
        await client.connect(10)
    except Exception as e:  # noqa: BLE001  (the test looks at which it is)
        print("@error", type(e).__name__, e)
        return
    await client.subscribe("t", 2)
    await client.publish("t", b"x" * 400, 2)
    await until(lambda: got)
    for i in range(50):
        await client.publish("t", b"%d" % i, i % 3)
    await until(lambda: len(got) == 51)
    await client.disconnect()
    print("@ok")


asyncio.run(main())
