"""HTTP connections: who may have one, and how many at a time. All that happens on a connection is exchange.py's.

There are _SLOTS connections at a time, further ones wait in the listener's short queue. The code that serves them is
loaded with the first connection and released when there has been none for a while: an idle portal costs little heap.
"""

import asyncio
import gc

from . import net

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


_SLOTS = const(2)


class Slot:
    """One place for a connection. `task` is None while it is free."""

    sock = None
    task = None
    state = 0  # of exchange.py
    since = 0  # ticks of the last change of state
    moved = 0  # ticks when the client last took something
    expired = False  # the guard has cancelled the task
    silent = True  # nothing has been sent yet


async def accept(portal, sock) -> None:
    """Accept connections on the listening `sock` until cancelled; then the connections are cut."""
    slots = portal.slots = [Slot() for _ in range(_SLOTS)]
    try:
        while True:
            await net.ready(sock)
            slot = slots[0] if slots[0].task is None else slots[1]
            portal.waiting = slot.task is not None
            if portal.waiting:
                await asyncio.sleep(0.05)
                continue
            try:
                slot.sock, address = sock.accept()
            except OSError:
                await asyncio.sleep(0.1)  # gone again, or no memory for it at this moment
                continue
            peer = net.peer_of(address)
            if portal.inside(peer) or portal.node.web_password:
                slot.sock.setblocking(False)
                slot.since = net.ticks_ms()  # the guard may look before the first step of the task
                try:
                    from . import exchange

                    slot.task = asyncio.create_task(exchange.serve(portal, slot, peer))
                    if portal.guard is None:
                        portal.guard = asyncio.create_task(exchange.guard(portal))
                    del exchange  # nothing here may hold what the guard releases
                except MemoryError:
                    gc.collect()
                    slot.sock.close()  # a browser tries again
            else:
                slot.sock.close()
    finally:
        for slot in slots:
            if slot.task is not None:
                slot.task.cancel()
        if portal.guard is not None:
            portal.guard.cancel()
