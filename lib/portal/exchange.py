"""One HTTP exchange: read a request with a time limit, send the answer in small pieces, close.

request.py parses, app.py answers; this file moves bytes and keeps deadlines. When somebody waits for a connection, the
one that has sent no request for longest loses its slot after _PATIENCE: browsers open connections that they never use,
and a slow or hostile client must not lock the others out. Answers are made one after the other, and whoever does not
take his while another waits is cut. Loaded by server.py when needed.
"""

import asyncio
import gc
import sys
from errno import EAGAIN

import settings

from . import net

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


_SEND_SIZE = const(536)  # bytes: one TCP segment for the MTU of 576 that the chip's access point offers
_RECV_SIZE = const(256)
_PATIENCE = const(200)  # ms that a connection without a request keeps its slot while others wait
_STALLED = const(2000)  # ms without progress after which an answer is given up for the next one
_IDLE = const(20)  # looks of the guard without a connection, after which the code is released
_LINGER_SIZE = const(32768)  # bytes read on after a refusal, so that the client sees it and not a reset

# States of a slot, and the time limit of each in ms: READING until the request is there, SENDING for the whole answer,
# QUEUED until the other's answer is out.
_READING = const(0)
_SENDING = const(1)
_LINGERING = const(2)
_QUEUED = const(3)
_LIMITS = (8000, 15000, 500, 20000)


async def guard(portal) -> None:
    """Cancel the tasks of connections that are over their time; return, and release the code, when none has come."""
    idle = 0
    while idle < _IDLE:
        await asyncio.sleep(0.05 if portal.waiting else 0.1)
        idle += 1
        queued = portal.slots[0].state == _QUEUED or portal.slots[1].state == _QUEUED
        for slot in portal.slots:
            if slot.task is not None:
                idle = 0
                now = net.ticks_ms()
                late = net.ticks_diff(now, slot.since) >= _LIMITS[slot.state]
                if slot.state == _READING and portal.waiting:
                    late = net.ticks_diff(now, slot.since) >= _PATIENCE
                elif slot.state == _SENDING and queued:
                    late = late or net.ticks_diff(now, slot.moved) >= _STALLED
                if late and not slot.expired:
                    slot.expired = True
                    slot.task.cancel()
    portal.guard = None
    forget("exchange request markup template")
    gc.collect()


def forget(names: str) -> None:
    """Let the heap have these modules once nothing runs in them; their next import brings them back. None has state."""
    package = sys.modules["portal"]
    for name in names.split(" "):
        if sys.modules.pop("portal." + name, None) is not None:
            delattr(package, name)


async def serve(portal, slot, peer: str) -> None:
    """One connection from its first byte to its end."""
    from . import request as module

    parser = module.Parser()
    request = parser.request
    mine = False  # our turn to draw
    slot.expired = False
    slot.silent = True
    slot.state = _READING
    slot.since = net.ticks_ms()
    try:
        try:
            if await _read(slot, parser):
                return  # closed by the client before the end of its request
        except asyncio.CancelledError:
            if not slot.expired:
                raise
            if portal.waiting or not parser.seen:
                return  # a slow client must not cost the next one the time for an answer; a browser's spare connection
            slot.expired = False
            request.error = 408
        refused = request.error
        del parser, module  # the code of each phase goes before the next one needs the heap
        forget("request")
        slot.state = _QUEUED
        slot.since = net.ticks_ms()
        while portal.drawing:
            await asyncio.sleep(0.05)
        mine = portal.drawing = True
        slot.state = _SENDING
        slot.since = slot.moved = net.ticks_ms()
        gc.collect()
        from .app import respond

        pieces = respond(portal, request, peer)
        del respond, request
        forget("app probes login actions answers")
        await _send(slot, pieces)
        if refused:
            slot.state = _LINGERING
            slot.since = net.ticks_ms()
            await _read(slot, None)
    except asyncio.CancelledError:
        if not slot.expired:
            raise
    except OSError:
        portal.dropped += 1  # the client went away
    except MemoryError as error:
        gc.collect()
        portal.dropped += 1
        if portal.node.room():
            portal.node.fault(error)
        _apologize(slot, 503)
    except Exception as error:  # noqa: BLE001 - a fault in a page must not end the server; it is reported
        portal.node.fault(error)
        _apologize(slot, 500)
    finally:
        slot.sock.close()
        slot.sock = slot.task = None
        slot.state = _READING
        if mine:
            portal.drawing = False
            forget("app probes login actions answers page fields form networks")
            settings.release()


async def _read(slot, parser) -> bool:
    """Feed the request until it is complete or refused, or drain the socket (None); True if the client closed."""
    left = _LINGER_SIZE
    while left > 0 and (parser is None or not (parser.done or parser.request.error)):
        await net.ready(slot.sock)
        try:
            data = slot.sock.recv(_RECV_SIZE)
        except OSError as error:
            if error.errno != EAGAIN:
                raise
            continue
        if not data:
            return True
        left -= len(data)
        if parser is not None:
            parser.feed(data)
            if parser.wants_continue:
                parser.wants_continue = False
                slot.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return False


async def _send(slot, pieces) -> None:
    """Pack the pieces into a buffer and send it whenever it is full, and at the end."""
    buffer = bytearray(_SEND_SIZE)
    view = memoryview(buffer)
    fill = at = 0
    piece: "bytes | None" = b""
    while piece is not None or fill:
        if piece is not None and at == len(piece):
            piece = next(pieces, None)
            at = 0
        if piece is not None:
            room = min(_SEND_SIZE - fill, len(piece) - at)
            buffer[fill : fill + room] = piece[at : at + room]
            fill += room
            at += room
            if fill < _SEND_SIZE:
                continue
        slot.silent = False
        gc.collect()  # or the garbage of the whole page lies scattered over a heap that is nearly full
        sent = 0
        while sent < fill:
            try:
                sent += slot.sock.send(view[sent:fill])
                slot.moved = net.ticks_ms()
            except OSError as error:
                if error.errno != EAGAIN:
                    raise
            if sent < fill:
                await net.ready(slot.sock, True)
        fill = 0


def _apologize(slot, status: int) -> None:
    """A last word when there is no memory or no sense left for a page; the browser asks again. In mid-page it is too late."""
    if slot.silent:
        try:
            slot.sock.send(
                b"HTTP/1.1 %d Sorry\r\nRetry-After: 2\r\nRefresh: 2; url=/\r\nConnection: close\r\n\r\n..." % status
            )
        except OSError:
            return
