"""Sockets that asyncio can wait for, in the same way on the chip, on the unix VM and on CPython.

MicroPython's asyncio has streams for TCP but nothing for datagrams, and CPython's streams buffer in ways that cannot be
bounded. The portal therefore uses plain non-blocking sockets; this file is the only place that knows how each
interpreter waits for one, what an address looks like there and where the clock is. Used by dns, server and exchange.
"""

import asyncio
import socket

try:
    from asyncio import core as _core  # MicroPython: the queue of sockets that tasks wait for
    from time import ticks_diff, ticks_ms

    def ready(sock, write=False):
        """Wait until `sock` has something to read (or is closed), or with `write` until it takes data."""
        if write:
            yield _core._io_queue.queue_write(sock)
        else:
            yield _core._io_queue.queue_read(sock)

except ImportError:  # CPython
    from time import monotonic

    def ticks_ms() -> int:
        """Milliseconds of a clock that only goes forward."""
        return int(monotonic() * 1000)

    def ticks_diff(later: int, earlier: int) -> int:
        """Milliseconds from `earlier` to `later`."""
        return later - earlier

    async def ready(sock: socket.socket, write: bool = False) -> None:
        """Wait until `sock` has something to read (or is closed), or with `write` until it takes data."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
        add(sock, woken.set)
        try:
            await woken.wait()
        finally:
            remove(sock)


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
