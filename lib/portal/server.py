"""HTTP connections: accept, read a request with a time limit, send the answer in small pieces, close.

request.py parses, app.py answers; this file owns sockets, buffers and deadlines. There are SLOTS connections at a time,
each with one buffer for what it sends; further ones wait in the listener's short queue. When somebody waits there, the
connection that has been silent longest loses its slot after PATIENCE: browsers open connections that they never use,
and a slow or hostile client must not lock the others out.
"""

import asyncio
import gc

from . import net
from .request import DONE, Request

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


SLOTS = 2
SEND_SIZE = 536  # bytes: one TCP segment for the MTU of 576 that the chip's access point offers
RECV_SIZE = 256
REQUEST_TIME = 8000  # ms from the connection to the end of its request
SEND_TIME = 15000  # ms for the whole answer
LINGER_TIME = 500  # ms to read on after a refusal, so that the client sees the answer and not a reset
LINGER_SIZE = 32768  # bytes
PATIENCE = 400  # ms that a connection without a request keeps its slot while others wait
_TICK = 0.1  # s between looks at the deadlines

_FREE = const(0)
_READING = const(1)
_SENDING = const(2)
_LINGERING = const(3)


class _Slot:
    """One place for a connection: its socket, its task and its deadline."""

    def __init__(self) -> None:
        self.buffer = bytearray(SEND_SIZE)
        self.state = _FREE
        self.sock = None
        self.task = None
        self.since = 0  # ticks of the last change of state
        self.expired = False  # the guard has cancelled the task
        self.silent = True  # nothing has been sent yet

    def enter(self, state: int) -> None:
        """Change the state, and start its clock."""
        self.state = state
        self.since = net.ticks_ms()


class Server:
    """Serves `respond(request, peer)`: a generator of bytes-like pieces, or None to hang up without a word.

    `admit(peer)` says whether the dotted address may connect at all. `on_error(exception)` hears of `respond`'s faults.
    """

    def __init__(self, respond, admit, on_error) -> None:
        self._respond = respond
        self._admit = admit
        self._on_error = on_error
        self._slots = tuple([_Slot() for _ in range(SLOTS)])
        self._waiting = False  # somebody waits in the listener's queue
        self.dropped = 0  # connections that lost their slot or their patience

    async def run(self, sock) -> None:
        """Accept connections on the listening `sock` until cancelled; then the connections are cut."""
        guard = asyncio.create_task(self._guard())
        try:
            while True:
                await net.readable(sock)
                slot = self._free()
                if slot is None:
                    self._waiting = True
                    await asyncio.sleep(_TICK)
                    continue
                self._waiting = False
                try:
                    connection, address = sock.accept()
                except OSError:
                    await asyncio.sleep(_TICK)  # gone again, or no memory for it at this moment
                    continue
                peer = net.host_of(address)
                if not self._admit(peer):
                    connection.close()
                    continue
                connection.setblocking(False)
                slot.sock = connection
                slot.expired = False
                slot.silent = True
                slot.enter(_READING)
                slot.task = asyncio.create_task(self._serve(slot, peer))
        finally:
            guard.cancel()
            for slot in self._slots:
                if slot.state != _FREE:
                    slot.task.cancel()

    def _free(self) -> "_Slot | None":
        for slot in self._slots:
            if slot.state == _FREE:
                return slot
        return None

    async def _guard(self) -> None:
        """Cancel the tasks of connections that are over their time."""
        while True:
            await asyncio.sleep(_TICK)
            for slot in self._slots:
                if slot.state == _FREE or slot.expired:
                    continue
                age = net.ticks_diff(net.ticks_ms(), slot.since)
                if slot.state == _READING:
                    limit = PATIENCE if self._waiting else REQUEST_TIME
                elif slot.state == _SENDING:
                    limit = SEND_TIME
                else:
                    limit = LINGER_TIME
                if age >= limit:
                    slot.expired = True
                    if slot.state != _LINGERING:
                        self.dropped += 1
                    self._waiting = False  # one goes at a time
                    slot.task.cancel()

    async def _serve(self, slot: _Slot, peer: str) -> None:
        """One connection from its first byte to its end."""
        request = Request()
        pieces = None
        try:
            try:
                if not await self._read(slot, request):
                    return
                pieces = self._respond(request, peer)
                slot.enter(_SENDING)
            except asyncio.CancelledError:
                if not slot.expired:
                    raise
                if not request.started():
                    return  # a browser's spare connection
                slot.expired = False
                request.error = 408
                pieces = self._respond(request, peer)
                slot.enter(_SENDING)
            if pieces is not None:
                await self._send(slot, pieces)
                if request.state != DONE:
                    await self._linger(slot)
        except asyncio.CancelledError:
            if not slot.expired:
                raise
        except OSError:
            self.dropped += 1  # the client went away
        except MemoryError:
            gc.collect()
            self._apology(slot, 503)
        except Exception as error:  # noqa: BLE001 - a fault in a page must not end the server; it is reported
            self._on_error(error)
            self._apology(slot, 500)
        finally:
            slot.sock.close()
            slot.sock = slot.task = None
            slot.enter(_FREE)

    async def _read(self, slot: _Slot, request: Request) -> bool:
        """Feed the request from the socket; False if the client closed before its end."""
        while request.state != DONE and not request.error:
            await net.readable(slot.sock)
            try:
                data = slot.sock.recv(RECV_SIZE)
            except OSError as error:
                if not net.again(error):
                    raise
                continue
            if not data:
                return False
            request.feed(data)
            if request.wants_continue():
                slot.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    async def _send(self, slot: _Slot, pieces) -> None:
        """Pack the pieces into the slot's buffer and send it whenever it is full."""
        buffer = slot.buffer
        fill = 0
        for piece in pieces:
            at = 0
            left = len(piece)
            while left:
                room = min(SEND_SIZE - fill, left)
                buffer[fill : fill + room] = piece[at : at + room]
                fill += room
                at += room
                left -= room
                if fill == SEND_SIZE:
                    await self._flush(slot, fill)
                    fill = 0
        if fill:
            await self._flush(slot, fill)

    async def _flush(self, slot: _Slot, size: int) -> None:
        slot.silent = False
        view = memoryview(slot.buffer)
        at = 0
        while at < size:
            try:
                at += slot.sock.send(view[at:size])
            except OSError as error:
                if not net.again(error):
                    raise
            if at < size:
                await net.writable(slot.sock)

    async def _linger(self, slot: _Slot) -> None:
        """Read what a refused client still sends, within limits: closing on unread data would reset the connection."""
        slot.enter(_LINGERING)
        left = LINGER_SIZE
        while left > 0:
            await net.readable(slot.sock)
            try:
                data = slot.sock.recv(RECV_SIZE)
            except OSError as error:
                if not net.again(error):
                    raise
                continue
            if not data:
                return
            left -= len(data)

    def _apology(self, slot: _Slot, status: int) -> None:
        """A last word when there is no memory or no sense left for a page. In mid-page there is nothing left to say."""
        if slot.silent:
            try:
                slot.sock.send(b"HTTP/1.1 %d Sorry\r\nRetry-After: 2\r\nConnection: close\r\n\r\n" % status)
            except OSError:
                self.dropped += 1
