"""Send a file and receive it again, both in constant memory: `large_file.py HOST PORT FILE`."""

import asyncio
import os
import sys

from mqtt import Client


class FileSink:
    """Where a message larger than the receive buffer goes. The file is complete only after finish(True)."""

    def __init__(self, name):
        self.name = name
        self.file = open(name + ".part", "wb")  # noqa: SIM115

    def write(self, view):
        self.file.write(view)

    def finish(self, complete):
        self.file.close()
        if complete:
            os.rename(self.name + ".part", self.name)
        done.set()


done = asyncio.Event()


async def main():
    """There and back again."""
    name = sys.argv[3]
    client = Client(
        "example-file",
        sys.argv[1],
        int(sys.argv[2]),
        on_large=lambda topic, length, retain: FileSink(name + ".copy"),
    )
    await client.connect()
    await client.subscribe("example/file", 1)
    with open(name, "rb") as file:
        await client.publish("example/file", file, qos=1, length=os.stat(name)[6])
    await done.wait()
    print("copied")
    await client.disconnect()


asyncio.run(main())
