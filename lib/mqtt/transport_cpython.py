"""Sockets and waiting on CPython, the twin of transport.py, dial.py and secure.py; not needed on the chip."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl as tls
import time

__all__ = ("Transport", "Waiters", "dial", "ticks_diff", "ticks_ms", "wait", "wake")

_WRITE_LIMIT = 65536  # bytes that asyncio may hold for the socket before we wait

Waiters = list  # futures of the tasks that wait for the same thing


def ticks_ms() -> int:
    """Milliseconds of a clock that only goes forward."""
    return time.monotonic_ns() // 1000000


def ticks_diff(end: int, start: int) -> int:
    """Milliseconds from `start` to `end`."""
    return end - start


async def wait(waiters: list[asyncio.Future[None]]) -> None:
    """Wait until somebody calls wake(waiters)."""
    future = asyncio.get_running_loop().create_future()
    waiters.append(future)
    await future


def wake(waiters: list[asyncio.Future[None]]) -> None:
    """Let all that wait go on."""
    for future in waiters:
        if not future.done():  # cancelled
            future.set_result(None)
    waiters.clear()


class Transport:
    """One TCP or TLS connection."""

    exact = False

    def __init__(self) -> None:
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.key: tuple[str, int] | None = None
        self.found: list[tuple] = []

    def write(self, buf: bytes | bytearray | memoryview, end: int) -> int:
        """Hand buf[:end] to the socket without waiting; returns how many bytes it took."""
        if self.writer is None or self.writer.transport.is_closing():
            raise OSError(errno.ECONNRESET, "connection closed")
        if self.writer.transport.get_write_buffer_size() > _WRITE_LIMIT:
            return 0
        self.writer.write(bytes(memoryview(buf)[:end]))
        return end

    async def readinto(self, buf: memoryview, due: int) -> int:
        """Wait for bytes and put them into `buf`; returns how many. Raises OSError when the other side closed."""
        assert self.reader is not None
        data = await self.reader.read(len(buf))
        if not data:
            raise OSError(errno.ECONNRESET, "closed by the broker")
        buf[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the socket; its address stays known."""
        if self.writer is not None:
            if self.writer.transport.get_write_buffer_size():
                self.writer.transport.abort()  # nobody takes it
            self.writer.close()
        self.reader = self.writer = None


async def dial(transport: Transport, host: str, port: int, ssl: object, fresh: bool) -> None:
    """Connect. ssl: True (system CAs), a CA file (PEM or DER), or an SSLContext; certificate and host are checked."""
    if fresh or transport.key != (host, port):
        transport.key = None
        transport.found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        transport.key = (host, port)
    context = None
    if isinstance(ssl, str):
        with open(ssl, "rb") as f:
            data = f.read()
        context = tls.create_default_context(cadata=data.decode() if data.startswith(b"-----") else data)
    elif ssl is True:
        context = tls.create_default_context()
    elif ssl:
        context = ssl  # type: ignore[assignment]
    address = transport.found[0][4]
    transport.found = transport.found[1:] + transport.found[:1]  # several: the next one next time
    transport.reader, transport.writer = await asyncio.open_connection(
        address[0], address[1], ssl=context, server_hostname=host if context else None
    )
