"""Sockets that asyncio can wait for, in the same way on the chip, on the unix VM and on CPython.

MicroPython's asyncio has streams for TCP but nothing for datagrams, and CPython's streams buffer in ways that cannot be
bounded. The portal therefore uses plain non-blocking sockets; this file is the only place that knows how each
interpreter waits for one, what an address looks like there and where the clock is. Used by dns.py and server.py.
"""

import asyncio
import errno
import socket

try:
    from asyncio import core as _core  # MicroPython: the queue of sockets that tasks wait for
    from time import ticks_diff, ticks_ms

    def readable(sock):
        """Wait until `sock` has something to read, or is closed."""
        yield _core._io_queue.queue_read(sock)

    def writable(sock):
        """Wait until `sock` takes more data."""
        yield _core._io_queue.queue_write(sock)

except ImportError:  # CPython
    from time import monotonic

    def ticks_ms() -> int:
        """Milliseconds of a clock that only goes forward."""
        return int(monotonic() * 1000)

    def ticks_diff(later: int, earlier: int) -> int:
        """Milliseconds from `earlier` to `later`."""
        return later - earlier

    def _wake(ready: asyncio.Future) -> None:
        if not ready.done():
            ready.set_result(None)

    async def readable(sock: socket.socket) -> None:
        """Wait until `sock` has something to read, or is closed."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(sock, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_reader(sock)

    async def writable(sock: socket.socket) -> None:
        """Wait until `sock` takes more data."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_writer(sock, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_writer(sock)


def again(error: OSError) -> bool:
    """True if `error` only says that a non-blocking socket has to be waited for."""
    return error.errno == errno.EAGAIN


def bind(address: str, port: int, datagram: bool = False, backlog: int = 2) -> "socket.socket":
    """A non-blocking socket bound to `address`:`port`, and listening unless it is for datagrams."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if not datagram:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(socket.getaddrinfo(address, port)[0][-1])
        if not datagram:
            sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def host_of(address) -> str:
    """The dotted IPv4 address in what accept() and recvfrom() return: a tuple, or on the unix VM a raw sockaddr_in."""
    if isinstance(address, tuple):
        return address[0]
    return "%d.%d.%d.%d" % tuple(address[4:8])


def same_subnet(one: str, other: str) -> bool:
    """True if both dotted addresses lie in the same /24, the size of the chip's access point network."""
    return one[: one.rfind(".") + 1] == other[: other.rfind(".") + 1]
