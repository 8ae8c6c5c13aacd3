"""Sockets for MicroPython: the ESP8266 (lwIP, axTLS) and the unix VM (POSIX, mbedTLS). transport_cpython.py is its twin.

The twin has the same names: `Transport` with open, write, writable, readinto, close; `ticks_ms`, `ticks_diff`.
"""

import errno
import socket
from asyncio import core
from time import ticks_diff, ticks_ms

from .packet import const

__all__ = ("Transport", "random_bits", "ticks_diff", "ticks_ms")

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)
_TLS_TIMEOUT = const(10)  # s, for one blocking read or write of axTLS


def random_bits(count: int) -> int:
    """`count` random bits, at most 16."""
    import random

    return random.getrandbits(count)


class Transport:
    """One TCP or TLS connection.

    `exact`: this TLS (axTLS) reads wrongly when it must not block (micropython#7473): its socket stays blocking, and a
    read takes no more than is due.
    """

    exact = False

    def __init__(self) -> None:
        self._sock = None
        self._io = None
        self._addr = None

    async def open(self, host: str, port: int, ssl: object, fresh: bool) -> None:
        """Connect; `fresh`: look the name up again (getaddrinfo blocks, so the address is kept otherwise).

        ssl: None, True (verify with nothing but what the platform has), a CA file in DER, or an SSLContext.
        """
        if fresh or self._addr is None:
            self._addr = None
            self._addr = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
        addr = self._addr
        sock = socket.socket(addr[0], addr[1], addr[2])
        self._sock = sock
        sock.setblocking(False)
        try:
            sock.connect(addr[-1])
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        self._io = sock
        await self.writable()
        # lwIP and POSIX have Nagle's algorithm on; with a delayed ACK on the other side it costs 40 ms a packet.
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        if ssl:
            self._wrap(host, ssl)

    def _wrap(self, host: str, ssl: object) -> None:
        import tls

        sock = self._sock
        if ssl is True or isinstance(ssl, str):
            context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
            if hasattr(tls, "CERT_REQUIRED"):
                if ssl is True:
                    raise ValueError("ssl: this platform has no CA certificates of its own, a CA file (DER) is wanted")
                context.verify_mode = tls.CERT_REQUIRED
                with open(ssl, "rb") as f:
                    context.load_verify_locations(f.read())
        else:
            context = ssl
        if hasattr(tls, "CERT_REQUIRED"):
            self._io = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        else:
            self.exact = True
            sock.settimeout(_TLS_TIMEOUT)
            self._io = context.wrap_socket(sock, server_hostname=host)

    def write(self, buf, at: int, end: int) -> int:
        """Hand buf[at:end] to the socket without waiting; returns how many bytes it took."""
        # Without a slice where it can be: a slice is an allocation.
        return (self._io.write(memoryview(buf)[at:end]) if at else self._io.write(buf, end)) or 0

    def writable(self):  # awaitable: MicroPython's coroutines are generators
        """Wait until the socket takes bytes."""
        yield core._io_queue.queue_write(self._io)

    def readinto(self, buf):  # awaitable
        """Wait for bytes and put them into `buf`; returns how many. Raises OSError when the other side closed."""
        while True:
            yield core._io_queue.queue_read(self._io)
            count = self._io.readinto(buf)
            if count is not None:
                if not count:
                    raise OSError(errno.ECONNRESET, "connection closed by the broker")
                return count

    def close(self) -> None:
        """Close the socket; its address stays known."""
        self.exact = False
        if self._io is not None and self._io is not self._sock:
            try:
                self._io.close()
            except OSError:
                pass  # a TLS goodbye that can't be said
        if self._sock is not None:
            self._sock.close()
        self._sock = self._io = None
