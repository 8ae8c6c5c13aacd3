"""Run in the MicroPython VM by test_portal_heap.py: what the portal costs in heap, its code in ROMFS as on the chip.

Prints a JSON object: bytes for the import, for the portal up and idle, at the worst moment of a page, and idle again.
The node's stand-in is there before the count begins. The worst moment is looked for whenever the node is asked something.
"""

import asyncio
import gc
import json
import sys

import vfs

with open(sys.argv[1], "rb") as file:
    vfs.mount(vfs.VfsRom(memoryview(file.read())), "/rom")
sys.path[:] = ["/rom", ".frozen", sys.argv[2]]


def used():
    gc.collect()
    return gc.mem_alloc()


def fill_names():
    """Make names until the VM has a new table for them: a table that grows (by doubling) is not the portal's cost alone."""
    number = 0
    while True:
        before = gc.mem_alloc()
        getattr(gc, "name%d" % number, None)
        number += 1
        if gc.mem_alloc() - before > 4096:
            return


async def main(port, dns_port):
    import settings

    fill_names()
    start = used()
    import portal

    loaded = used()
    import portal_node

    node = portal_node.Node("online")
    sys.modules.pop("portal.networks", None)
    settings.release()
    before = used()
    box = portal.Portal(node, "127.0.0.1", port, dns_port)
    task = asyncio.create_task(box.run())
    await asyncio.sleep(0.1)
    idle = used()
    worst = [0]

    def watched(method):
        def call(*arguments):
            worst[0] = max(worst[0], used())
            return method(*arguments)

        return call

    for name in ("networks", "status", "progress", "hosts"):
        setattr(node, name, watched(getattr(node, name)))
    print("ready")
    while box.guard is None:
        await asyncio.sleep(0.1)
    while box.guard is not None:  # the test asks; then the portal is left alone
        await asyncio.sleep(0.1)
    again = used()
    code = loaded - start
    print(
        json.dumps(
            {
                "import": code,
                "idle": code + idle - before,
                "worst": code + worst[0] - before,
                "again": code + again - before,
            }
        )
    )
    task.cancel()


asyncio.run(main(int(sys.argv[3]), int(sys.argv[4])))
