"""A TCP connection on MicroPython; transport_cpython.py has its twin."""

import errno
import socket
from asyncio import core  # type: ignore[attr-defined]  # not in the stubs

_IPPROTO_TCP = 6
_TCP_NODELAY = 1


async def dial(transport, host: str, port: int, ssl: object, fresh: bool) -> None:
    """Connect. `fresh`: look the name up again (getaddrinfo blocks, so the addresses are kept otherwise)."""
    key = (host, port)
    if fresh or transport.key != key:
        transport.key = None
        transport.found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        transport.key = key
    found = transport.found
    address = found[0]
    transport.found = found[1:] + found[:1]  # several: the next one next time
    sock = transport.sock = transport.io = socket.socket(address[0], address[1], address[2])
    sock.setblocking(False)
    try:
        sock.connect(address[-1])
    except OSError as e:
        if e.errno != errno.EINPROGRESS:
            raise
    await writable(sock)
    # lwIP and POSIX have Nagle's algorithm on; with a delayed ACK on the other side it costs 40 ms a packet.
    sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    if ssl:
        from .secure import wrap

        wrap(transport, host, ssl)


def writable(sock):  # awaitable: MicroPython's coroutines are generators
    """Wait until the socket is connected, or failed to be."""
    yield core._io_queue.queue_write(sock)
