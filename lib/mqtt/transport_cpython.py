"""Sockets for CPython, the twin of transport.py (see there); not needed on the chip."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import ssl as tls
import time

__all__ = ("Transport", "random_bits", "ticks_diff", "ticks_ms")

_WRITE_LIMIT = 65536  # bytes that asyncio may hold for the socket before we wait


def ticks_ms() -> int:
    """Milliseconds of a clock that only goes forward."""
    return time.monotonic_ns() // 1000000


def ticks_diff(end: int, start: int) -> int:
    """Milliseconds from `start` to `end`."""
    return end - start


def random_bits(count: int) -> int:
    """`count` random bits."""
    return random.getrandbits(count)


class Transport:
    """One TCP or TLS connection."""

    exact = False

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._addr: tuple | None = None

    async def open(self, host: str, port: int, ssl: object, fresh: bool) -> None:
        """Connect. ssl: None, True (system CAs), a CA file (PEM or DER), or an SSLContext; the host name is checked."""
        if fresh or self._addr is None:
            self._addr = None
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._addr = found[0][4]
        context = None
        if isinstance(ssl, str):
            with open(ssl, "rb") as f:
                data = f.read()
            context = tls.create_default_context(cadata=data.decode() if data.startswith(b"-----") else data)
        elif ssl is True:
            context = tls.create_default_context()
        elif ssl:
            context = ssl  # type: ignore[assignment]
        self._reader, self._writer = await asyncio.open_connection(
            self._addr[0], self._addr[1], ssl=context, server_hostname=host if context else None
        )

    def write(self, buf: bytes | bytearray, at: int, end: int) -> int:
        """Hand buf[at:end] to the socket without waiting; returns how many bytes it took."""
        assert self._writer is not None
        if self._writer.transport.is_closing():
            raise OSError(errno.ECONNRESET, "connection closed")
        if self._writer.transport.get_write_buffer_size() > _WRITE_LIMIT:
            return 0
        self._writer.write(bytes(memoryview(buf)[at:end]))
        return end - at

    async def writable(self) -> None:
        """Wait until the socket takes bytes."""
        assert self._writer is not None
        await self._writer.drain()

    async def readinto(self, buf: bytearray | memoryview) -> int:
        """Wait for bytes and put them into `buf`; returns how many. Raises OSError when the other side closed."""
        assert self._reader is not None
        data = await self._reader.read(len(buf))
        if not data:
            raise OSError(errno.ECONNRESET, "connection closed by the broker")
        buf[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the socket; its address stays known."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
