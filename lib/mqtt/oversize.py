"""A received message larger than the buffer: to a sink, if one wants it, else nowhere; in constant memory."""

from . import load
from .packet import PUBACK, PUBLISH, PUBREC

if False:  # for the type checker; compiled to nothing
    from typing import Any

    from .client import Client
    from .packet import Decoder

_MAX_RECEIVED = 128  # as in client.py


def head(rx: "Decoder", first: int, pos: int, size: int) -> int:
    """For Decoder.next(): the head of a packet whose body, `size` bytes from `pos`, is larger than the buffer.

    Gives out the topic and the packet identifier as the body, and sets `left`. Where not even the topic fits, `size`
    is 0,
    `left` the whole body, and `pid` says how far into it the packet identifier stands.
    """
    if first & 0xF0 != PUBLISH:
        raise load("wrong").protocol_error("packet 0x%02x of %d bytes, more than the buffer" % (first, size))
    have = rx.end - pos
    if have < 2:
        rx.due = 2 - have
        return 0
    length = 2 + (rx.buf[pos] << 8 | rx.buf[pos + 1]) + (2 if first & 6 else 0)
    if length > size:
        raise load("wrong").protocol_error("topic longer than its packet")
    if length > len(rx.buf) - pos + rx.start:
        rx.pid = length - 2
        rx.size = 0
        rx.left = size
        rx.start = pos
        return first
    if have < length:
        rx.due = length - have
        return 0
    rx.pos = pos
    rx.size = length
    rx.left = size - length
    rx.start = pos + length
    return first


async def receive(client: "Client", first: int) -> int:
    """Take the rest of the message that head() began. Returns the acknowledgement that is due for `pid`, or 0."""
    rx = client._rx
    call = load("calls").call
    qos = first >> 1 & 3
    known = client.session.received
    sink: "Any" = None
    pid_at = -1
    pid = 0
    if rx.size:
        topic = rx.publish(first).topic
        pid = rx.pid
        if client.on_large and (qos < 2 or pid not in known):
            sink = call(client.on_large, topic, rx.left, bool(first & 1))
    elif qos:
        pid_at = rx.pid
    if sink is None and (qos < 2 or pid not in known):
        client.dropped += 1
    at = 0
    whole = False
    try:
        while rx.left:
            if rx.start == rx.end:
                room = rx.room()  # may change rx.end
                rx.end += await client._transport.readinto(room, rx.left)
                client._received_at = client._now
            count = min(rx.end - rx.start, rx.left)
            piece = rx.buf[rx.start : rx.start + count]
            rx.start += count
            rx.left -= count
            if sink is not None and call(_write, sink, piece) is None:
                call(sink.finish, False)
                sink = None
            for i in (pid_at, pid_at + 1):
                if pid_at >= 0 and at <= i < at + count:
                    pid = pid << 8 | piece[i - at]
            at += count
        whole = True
    finally:
        if sink is not None:
            call(sink.finish, whole)
    if not qos:
        return 0
    if not pid:
        raise load("wrong").protocol_error("packet identifier 0")
    if qos == 2:
        if len(known) >= _MAX_RECEIVED:
            raise load("wrong").protocol_error("too many QoS 2 messages")
        known.add(pid)
    rx.pid = pid
    return PUBACK if qos == 1 else PUBREC


def _write(sink, piece: memoryview) -> bool:
    sink.write(piece)
    return True
