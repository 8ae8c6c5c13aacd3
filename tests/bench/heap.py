"""Runs in the MicroPython VM: `heap.py ram|rom PLACE HOST PORT MODULE`; prints `@ NAME BYTES`, heap kept over a bare
VM.

PLACE: a folder of .mpy files (ram), or a ROMFS image (rom). HOST "-": import only.
"""

import gc
import sys

kind, place, host, port, module = sys.argv[1:6]
if kind == "rom":
    import vfs

    with open(place, "rb") as f:
        image = f.read()
    vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
    sys.path[:] = ["/rom", ".frozen"]
else:
    sys.path[:] = [place, ".frozen"]


def used():
    gc.collect()
    return gc.mem_alloc() - base


async def main():
    import asyncio

    from mqtt import Client

    client = Client("heap", host, int(port))
    await client.connect()
    await client.subscribe("bench/heap")
    await asyncio.sleep(0.2)
    print("@ connected", used())


gc.collect()
base = gc.mem_alloc()
__import__(module)
print("@ imported", used())
if host != "-":
    import asyncio

    asyncio.run(main())
