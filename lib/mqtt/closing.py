"""The end of a connection, and the wait before the next one."""

import asyncio
import sys
from random import getrandbits

from . import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client

if sys.implementation.name == "micropython":
    from .transport import ticks_diff, ticks_ms, wake
else:
    from .transport_cpython import ticks_diff, ticks_ms, wake  # type: ignore[no-redef]  # its twin

_STABLE = 10000  # ms of connection after which the backoff begins anew
_NAP = 0.1  # s; how soon retry_now() is heard


def lost(client: "Client") -> None:
    """The link is gone: close, and tell who waits for an answer on it."""
    client._stage = ""
    client._transport.close()
    client._out = client._next = None
    requests = client.session.waiting
    for request in requests.values():
        wake(request[2])
    requests.clear()
    if client.connected:
        client.connected = False
        if ticks_diff(client._now, client._since) > _STABLE:
            client._failures = 0
        load("calls").call(client.on_state, False, client.reason)


async def wait_after(client: "Client") -> bool:
    """After a fault: close, and wait for the next attempt. Returns whether there is to be one."""
    client.reason = client._fault
    lost(client)
    if not client.reconnect or client._once:
        return False
    # Full jitter under an exponential ceiling; refused by name (not "server unavailable"): near the ceiling.
    ceiling = int(client.max_backoff * 1000)
    chance = getrandbits(16)
    if getattr(client.reason, "code", 3) != 3:
        delay = ceiling - (chance * (ceiling >> 2) >> 16)
    else:
        delay = chance * min(ceiling, 500 << min(client._failures, 12)) >> 16
    client._wait = delay
    since = ticks_ms()
    while client._wait > ticks_diff(ticks_ms(), since):
        await asyncio.sleep(_NAP)
    return True
