"""The hot half of the MQTT 3.1.1 codec: PUBLISH out, every packet in. No I/O, no state but the receive buffer.

Section numbers are those of the OASIS standard "MQTT Version 3.1.1". The packets that a connection needs rarely are
built
where they are sent: CONNECT in opening.py, SUBSCRIBE and UNSUBSCRIBE in request.py. MQTT 5 will be a codec beside
this one.
"""

from collections import namedtuple

from . import load

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # type: ignore[no-redef]  # noqa: D103
        return value


CONNACK = const(0x20)
PUBLISH = const(0x30)
PUBACK = const(0x40)
PUBREC = const(0x50)
PUBREL = const(0x62)  # with its fixed flags (§3.6.1)
PUBCOMP = const(0x70)
SUBACK = const(0x90)
UNSUBACK = const(0xB0)
PINGRESP = const(0xD0)

# What a broker may send, for each packet type 0..15: the whole first byte (0: nothing, or PUBLISH with its free flags);
# then the body's length, 255: any.
_FIRST = b"\x00\x00\x20\x00\x40\x50\x62\x70\x00\x90\x00\xb0\x00\xd0\x00\x00"
_SIZE = b"\x00\x00\x02\xff\x02\x02\x02\x02\x00\xff\x00\x02\x00\x00\x00\x00"


class MQTTError(Exception):
    """Everything that this client raises by itself, but for OSError (network) and ValueError/TypeError (arguments)."""


class ProtocolError(MQTTError):
    """The other side broke the protocol; the text says how. The link is closed."""


class ConnectRefused(MQTTError):
    """The broker answered CONNECT with a return code other than 0: `.code`, 1 to 5 (§3.2.2.3)."""

    code = 0


class SubscribeRefused(MQTTError):
    """A SUBACK with 0x80 in it: `.codes` has the granted QoS or 0x80 of each filter, in order. The link stays up."""

    codes: list = []


Message = namedtuple("Message", ("topic", "payload", "qos", "retain", "dup"))
"""A received message: topic str, payload bytes, qos 0..2, retain bool, dup bool."""


def is_topic(raw: bytes, characters: int) -> bool:
    """Whether `raw`, so many characters long, is a topic name: not empty, UTF-8, no NUL, no wildcard (§1.5.3, §4.7)."""
    return (
        0 < len(raw) < 65536
        and b"\0" not in raw
        and b"+" not in raw
        and b"#" not in raw
        and (len(raw) == characters or load("text").is_utf8(raw))  # all ASCII, or the slow walk
    )


def topic_bytes(topic: str) -> bytes:
    """UTF-8 of a topic name. Raises TypeError or ValueError."""
    try:
        raw = topic.encode() if isinstance(topic, str) else b""
    except UnicodeError:  # CPython: a lone surrogate
        raw = b""
    if not is_topic(raw, len(topic) if raw else 0):
        load("text").topic_bytes(topic, "topic")  # raises, in words
    return raw


def put_publish(buf: bytearray, first: int, topic: bytes, pid: int, payload: bytes) -> int:
    """Write a PUBLISH (§3.3) into `buf`; returns its end. Negative: the payload did not fit, it is to follow. 0:
    nothing did.

    first: the first byte, with DUP, QoS and retain. pid: 0 for QoS 0.
    """
    length = len(topic)
    size = len(payload)
    body = length + size + (4 if pid else 2)
    end = body + (2 if body < 128 else 5)
    if end - size > len(buf):
        return 0
    buf[0] = first
    at = 1
    rest = body
    while rest > 127:
        buf[at] = rest & 127 | 128
        rest >>= 7
        at += 1
    buf[at] = rest
    buf[at + 1] = length >> 8
    buf[at + 2] = length & 255
    at += 3
    buf[at : at + length] = topic
    at += length
    if pid:
        buf[at] = pid >> 8
        buf[at + 1] = pid & 255
        at += 2
    if end > len(buf):
        return -at
    buf[at : at + size] = payload
    return at + size


class Decoder:
    """Cuts packets out of a byte stream, in one fixed buffer; every length is checked before it is believed.

    Put received bytes into `room()`, add their number to `end`, then call `next()` until it returns 0.
    A PUBLISH that is larger than the buffer comes as its head, with `left` > 0: see oversize.py.
    """

    def __init__(self, size: int):
        self.buf = bytearray(size)
        self.view = memoryview(self.buf)
        self.start = 0  # of what was not handed out yet
        self.end = 0
        self.pos = 0  # of the body of the packet that next() returned
        self.size = 0  # of that body, as far as it is in the buffer
        self.pid = 0  # its packet identifier, if it has one
        self.left = 0  # bytes of a large payload still to come
        self.due = 2  # bytes wanted at least before next() can go on

    def room(self) -> "bytearray | memoryview":
        """The free part of the buffer, to be filled from the socket."""
        start = self.start
        end = self.end
        if start == end:
            self.start = self.end = 0
            return self.buf
        if start:
            self.end = end - start
            self.view[: end - start] = bytes(self.view[start:end])
            self.start = 0
        return self.view[self.end :]

    def next(self) -> int:
        """The first byte of the next whole packet; 0: more bytes are wanted. ProtocolError for what no broker may
        send."""
        buf = self.buf
        pos = self.start
        have = self.end - pos
        if have < 2:
            self.due = 2 - have
            return 0
        first = buf[pos]
        kind = first >> 4
        if kind == 3:
            if first & 6 == 6 or first & 14 == 8:
                raise ProtocolError("PUBLISH with QoS 3, or DUP in QoS 0")
        elif not first or first != _FIRST[kind]:
            raise ProtocolError("unknown packet 0x%02x" % first)
        size = buf[pos + 1]
        pos += 2
        if size > 127:
            size &= 127
            shift = 7
            while True:
                if shift > 21:
                    raise ProtocolError("remaining length over 4 bytes")
                if pos >= self.end:
                    self.due = 1
                    return 0
                b = buf[pos]
                pos += 1
                size |= (b & 127) << shift
                if b < 128:
                    break
                shift += 7
        if size != _SIZE[kind] and (size < 3 or _SIZE[kind] != 255):
            raise ProtocolError("packet 0x%02x with a body of %d" % (first, size))
        if size > self.end - pos:
            if pos - self.start + size > len(buf):
                return load("oversize").head(self, first, pos, size)
            self.due = size - (self.end - pos)
            return 0
        self.pos = pos
        self.size = size
        self.start = pos + size
        if kind > 3 and size:
            pid = self.pid = buf[pos] << 8 | buf[pos + 1]
            if not pid:
                raise ProtocolError("packet identifier 0")
        return first

    def publish(self, first: int) -> Message:
        """The PUBLISH (§3.3) that next() returned; sets `pid`. The payload of a large one is empty here."""
        buf = self.buf
        at = self.pos
        end = at + self.size
        stop = at + 2 + (buf[at] << 8 | buf[at + 1])
        raw = bytes(self.view[at + 2 : stop])
        at = stop
        if first & 6:
            at += 2
        if at > end:
            raise ProtocolError("topic longer than its packet")
        try:
            topic = raw.decode()
        except UnicodeError:
            topic = ""
        if not is_topic(raw, len(topic)):
            raise ProtocolError("bad topic %r" % raw[:32])
        if at > stop:
            pid = self.pid = buf[stop] << 8 | buf[stop + 1]
            if not pid:
                raise ProtocolError("packet identifier 0")
        return Message(topic, bytes(self.view[at:end]), first >> 1 & 3, bool(first & 1), bool(first & 8))
