"""Sockets that asyncio can wait for, in the same way on the chip, on the unix VM and on CPython.

MicroPython's asyncio has streams for TCP but nothing for datagrams, and CPython's streams buffer in ways that cannot be
bounded. The portal therefore uses plain non-blocking sockets; this file is the only place that knows how each
interpreter waits for one (on CPython: net_cpython.py), what an address looks like and where the clock is.
"""

import socket
import sys

if sys.implementation.name == "micropython":
    from asyncio import core as _core  # type: ignore[attr-defined] # has the queue of waiting sockets
    from time import ticks_diff, ticks_ms

    def ready(sock, write=False):
        """Wait until `sock` has something to read (or is closed), or with `write` until it takes data."""
        if write:
            yield _core._io_queue.queue_write(sock)
        else:
            yield _core._io_queue.queue_read(sock)

else:
    from .net_cpython import ready, ticks_diff, ticks_ms  # type: ignore[no-redef] # noqa: F401


def bind(address: str, port: int, backlog: int = 0) -> "socket.socket":
    """A non-blocking socket bound to `address`:`port`: listening with that `backlog`, or for datagrams if it is 0."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if backlog else socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if backlog:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(socket.getaddrinfo(address, port)[0][-1])
        if backlog:
            sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def peer_of(address) -> str:
    """The dotted IPv4 address in what accept() and recvfrom() return: a tuple, or on the unix VM a raw sockaddr_in."""
    if isinstance(address, tuple):
        return address[0]
    return "%d.%d.%d.%d" % tuple(address[4:8])


def near(one: str, other: str) -> bool:
    """True if both dotted addresses lie in the same /24, the size of the chip's access point network."""
    return one[: one.rfind(".") + 1] == other[: other.rfind(".") + 1]
