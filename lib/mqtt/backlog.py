"""What a publisher waits for when the socket or the window is full. Loaded when that happens, and kept until nothing is
in flight any more."""

import asyncio
import errno
import sys

from . import load
from .session import DONE, STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client

if sys.implementation.name == "micropython":
    from .transport import Waiters, wait, wake
else:
    from .transport_cpython import Waiters, wait, wake

_BUSY = 0.005  # s between two tries on a socket that takes no more. Polled: see transport.Transport
_SPINS = 50  # tries before that, with only the other tasks in between


async def free(client: "Client") -> None:
    """Wait until the socket has taken all of the last packet. Raises OSError when the link is gone."""
    tries = 0
    while client._out is not None and client.connected and client._fault is None:
        await asyncio.sleep(0 if tries < _SPINS else _BUSY)
        tries += 1
        client._push()
    if not client.connected or client._fault:
        raise gone(client)


def gone(client: "Client") -> OSError:
    """There is no link, or none any more."""
    return OSError(errno.ENOTCONN, "not connected: %s" % (client._fault or client.reason))


async def stand_in_line(client: "Client") -> None:
    """Wait for room in the window; who comes first is served first. Raises OSError when the client is stopped."""
    line = client._line
    session = client.session
    turn = Waiters()
    line.append(turn)
    try:
        while line[0] is not turn or len(session.order) >= session.window:
            if client._task is None:
                raise client._fault or gone(client)
            await wait(turn)
    finally:
        line.remove(turn)
        if line:
            wake(line[0])


async def pass_on(client: "Client", slot: list) -> None:
    """Help a message of the session on its way, or wait for a change of it. Raises OSError when the client is
    stopped."""
    if client._task is None:
        raise client._fault or gone(client)
    if slot[STATE] & 1 and client.connected and client._fault is None:
        await asyncio.sleep(_BUSY)
        await send_unsent(client)
    else:
        await wait(slot[DONE])


async def send_unsent(client: "Client") -> None:
    """Write what the session has to write. Errors are those of the link: its task knows them."""
    session = client.session
    try:
        while session.unsent:
            await free(client)
            client._flush()
            if session.unsent and client._out is None and client._fault is None:
                await load("stream").resend(client)
    except OSError:
        return
