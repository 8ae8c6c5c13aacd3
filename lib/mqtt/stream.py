"""Payloads from files and generators, sent in constant memory: pieces of the send buffer's size."""

import asyncio
import errno
import sys

if False:  # for the type checker; compiled to nothing
    from typing import Any

    from .client import Client

from .backlog import free, gone
from .session import AT, DUP, HEAD, PAYLOAD, PID, STATE, TOPIC

if sys.implementation.name == "micropython":
    from .transport import wake
else:
    from .transport_cpython import wake


class _Source:
    """A payload of known length: a file, read from where it stands, again if need be; or an iterator of bytes, once."""

    def __init__(self, payload: "Any", length: int):
        self.length = length
        self.file = payload if hasattr(payload, "read") else None
        self.start = payload.tell() if self.file else 0
        self.pieces = None if self.file else iter(payload)
        self.broke = False  # it was the source, not the link, that ended the last try

    def __len__(self) -> int:
        return self.length

    def open(self, chunk: int):
        """Its pieces."""
        if self.file:
            self.file.seek(self.start)
            return _read(self.file, chunk)
        pieces = self.pieces
        self.pieces = None
        if pieces is None:
            raise OSError(errno.EIO, "a message from an iterator can't be sent again; it may have arrived")
        return pieces


def _read(file, chunk: int):
    while True:
        piece = file.read(chunk)
        if not piece:
            return
        yield piece


def source(payload: "Any", length: int) -> _Source:
    """`payload` for publish(length=...). Raises TypeError or ValueError."""
    if not isinstance(length, int) or not 0 <= length <= 0x0FFFFFFF:
        raise ValueError("length: number of bytes wanted, %r given" % (length,))
    if isinstance(payload, (bytes, bytearray, memoryview, str)) or not (
        hasattr(payload, "read") or hasattr(payload, "__iter__") or hasattr(payload, "__next__")
    ):
        raise TypeError(
            "payload: with length, an open file or an iterator of bytes wanted, %s given" % type(payload).__name__
        )
    return _Source(payload, length)


async def send(client: "Client", first: int, topic: bytes, pid: int, payload: _Source) -> None:
    """Write one PUBLISH; nothing else is written meanwhile. Broken off half-way, it ends the link.

    Raises ValueError when the source is shorter than its length, OSError from the source or the link.
    """
    payload.broke = True
    pieces = payload.open(len(client._tx))
    payload.broke = False
    left = len(payload)
    size = 2 + len(topic) + (2 if pid else 0) + left
    head = [first]
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    tail = bytes((pid >> 8, pid & 255)) if pid else b""
    await free(client)
    client._out = client._next = b""  # ours until the end
    done = False
    try:
        at = _Filler(client)
        await at.add(bytes(head + [size, len(topic) >> 8, len(topic) & 255]))
        await at.add(topic)
        await at.add(tail)
        for piece in pieces:
            count = min(len(piece), left)
            left -= count
            await at.add(memoryview(piece)[:count])
            if not left:
                break
        if left:
            raise ValueError("payload: ended %d bytes before its length" % left)
        await at.flush()
        done = True
    finally:
        client._next = None
        if done:
            client._out = None
        else:
            payload.broke = client.connected and client._fault is None
            client._fail(OSError(errno.ECONNABORTED, "a message was broken off"))


class _Filler:
    """Fills the send buffer and writes it when it is full."""

    def __init__(self, client: "Client"):
        self.client = client
        self.buf = client._tx
        self.at = 0

    async def add(self, data: "bytes | memoryview") -> None:
        buf = self.buf
        start = 0
        while start < len(data):
            count = min(len(buf) - self.at, len(data) - start)
            buf[self.at : self.at + count] = memoryview(data)[start : start + count]
            self.at += count
            start += count
            if self.at == len(buf):
                await self.flush()

    async def flush(self) -> None:
        client = self.client
        if self.at:
            client._push(self.buf, self.at)
            self.at = 0
        while client._out:
            await asyncio.sleep(0.005)
            client._push()
            if not client.connected or client._fault:
                break
        if not client.connected or client._fault:
            raise gone(client)


async def resend(client: "Client") -> None:
    """Write the oldest message of the session that waits for it and comes from a source."""
    session = client.session
    for slot in session.order:
        if slot[STATE] & 1:
            break
    payload = slot[PAYLOAD]
    if isinstance(payload, bytes):
        return
    first = slot[HEAD] | slot[DUP]
    slot[DUP] = 8
    try:
        await send(client, first, slot[TOPIC], slot[PID], payload)
    except (ValueError, OSError) as e:
        if slot[PID] and payload.broke:
            slot[PAYLOAD] = e  # for the task that waits for it
            session.free(slot)
            if client._line:
                wake(client._line[0])
        return
    if slot[PID] and slot[STATE] & 1:
        slot[STATE] += 1
        slot[AT] = client._now
        session.unsent -= 1
