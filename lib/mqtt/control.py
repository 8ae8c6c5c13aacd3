"""Begin and end: connect, start, disconnect; and a publish with a time limit."""

import asyncio
import errno
import sys

from . import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .client import Client

if sys.implementation.name == "micropython":
    from .transport import wait
else:
    from .transport_cpython import wait


async def connect(client: "Client", timeout: float = 10) -> bool:
    """Make the first connection; returns session present.

    timeout: s, for TCP, TLS and CONNACK together (a name lookup blocks and is not counted on the chip).
    Raises ConnectRefused, ProtocolError, or OSError (ETIMEDOUT with what was missing in its text).
    """
    start(client, timeout)
    client._once = True
    client.reason = None
    task = client._task
    try:
        while not client.connected and client._task is task:
            await wait(client._changed)
    finally:
        if client._once and client._task is task:  # cancelled by our caller
            client._task = None
            task.cancel()  # type: ignore[union-attr]  # start() made it
            client._transport.close()
    if client._once:
        raise client.reason or OSError(errno.ENOTCONN, "disconnected")
    return client._present


def start(client: "Client", timeout: float = 10) -> None:
    """Connect in the background, and try for ever (`reconnect`); `on_state` and `reason` tell how it goes."""
    if client._task is not None:
        raise OSError(errno.EALREADY, "connect was called already")
    if not timeout > 0:
        raise ValueError("timeout: more than 0 s wanted, %s given" % timeout)
    client._tick = min(client._tick, max(int(timeout * 250), 1))
    client._once = False
    client._failures = 0
    client._fault = None
    client._open_for = int(timeout * 1000)
    client._task = asyncio.create_task(client._run())


async def disconnect(client: "Client", goodbye: bool = True) -> None:
    """Say goodbye (the will is not sent) and stay away. Who still waits gets OSError.

    goodbye False: for a network that is gone; the broker finds out by itself and sends the will.
    """
    task = client._task
    if client.connected and goodbye:
        from .backlog import free

        try:
            await free(client)
            client._push(b"\xe0\x00", 2)  # DISCONNECT
            await free(client)
        except OSError:
            pass  # the link is gone already: the same to us
    if task is not None and client._task is task:
        client._task = None
        client.reason = OSError(errno.ENOTCONN, "disconnected")
        client._fault = None
        try:
            load("closing").lost(client)
        finally:
            task.cancel()


def retry_now(client: "Client") -> None:
    """The network is back: end the wait between two attempts."""
    client._failures = 0
    client._wait = 0


async def within(timeout: float, work: "Coroutine") -> None:
    """Wait for `work` at most so many seconds. Raises OSError (ETIMEDOUT)."""
    try:
        await asyncio.wait_for(work, timeout)
    except asyncio.TimeoutError:
        raise OSError(errno.ETIMEDOUT, "not acknowledged within %s s; it may still arrive" % timeout)
