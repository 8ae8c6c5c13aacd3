"""The hot half of the MQTT 3.1.1 codec: PUBLISH out, every packet in. No I/O, no state but the receive buffer.

Section numbers are those of the OASIS standard "MQTT Version 3.1.1". What is checked here is said in words in wrong.py.
The packets that a connection needs rarely are built where they are sent: CONNECT in opening.py, SUBSCRIBE and
UNSUBSCRIBE in request.py. MQTT 5 will be a codec beside this one.
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

# What a broker may send, for each packet type 0..15: the whole first byte (255: nothing, or PUBLISH with its free
# flags); then, 16 further, the body's length, 255: any.
_RULES = (
    b"\xff\xff\x20\xff\x40\x50\x62\x70\xff\x90\xff\xb0\xff\xd0\xff\xff"
    b"\x00\x00\x02\xff\x02\x02\x02\x02\x00\xff\x00\x02\x00\x00\x00\x00"
)


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


def put_publish(buf: bytearray, first: int, topic: bytes, pid: int, payload: bytes) -> int:
    """Write a PUBLISH (§3.3) into `buf`, at least len(topic) + 9 bytes long; returns its end. Negative: the payload
    did not fit, it is to follow.

    first: the first byte, with DUP, QoS and retain. pid: 0 for QoS 0.
    """
    size = len(payload)
    rest = len(topic) + size + (4 if pid else 2)
    buf[0] = first
    at = 1
    while rest > 127:
        buf[at] = rest & 127 | 128
        rest >>= 7
        at += 1
    buf[at] = rest
    rest = len(topic)
    buf[at + 1] = rest >> 8
    buf[at + 2] = rest & 255
    at += 3
    buf[at : at + rest] = topic
    at += rest
    if pid:
        buf[at] = pid >> 8
        buf[at + 1] = pid & 255
        at += 2
    if at + size > len(buf):
        return -at
    buf[at : at + size] = payload
    return at + size


class Decoder:
    """Cuts packets out of a byte stream, in one fixed buffer; every length is checked before it is believed.

    Put received bytes into `room()`, add their number to `end`, then call `next()` until it returns 0.
    A PUBLISH that is larger than the buffer comes as its head, with `left` > 0: see oversize.py.
    """

    def __init__(self, size: int):
        self.buf = memoryview(bytearray(size))
        self.start = 0  # of what was not handed out yet
        self.end = 0
        self.pos = 0  # of the body of the packet that next() returned
        self.size = 0  # of that body, as far as it is in the buffer
        self.pid = 0  # its packet identifier, if it has one
        self.left = 0  # bytes of a large payload still to come
        self.due = 2  # bytes wanted at least before next() can go on

    def room(self) -> memoryview:
        """The free part of the buffer, to be filled from the socket."""
        start = self.start
        buf = self.buf
        self.start = 0
        self.end -= start
        if not self.end:
            return buf
        if start:
            buf[: self.end] = bytes(buf[start : start + self.end])
        return buf[self.end :]

    def next(self) -> int:
        """The first byte of the next whole packet; 0: more bytes are wanted. ProtocolError for what no broker may
        send."""
        buf = self.buf
        pos = self.start + 1
        size = shift = 0
        while True:
            if pos >= self.end:
                self.due = pos - self.end + 1
                return 0
            byte = buf[pos]
            pos += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 27:
                break
        first = buf[self.start]
        kind = first >> 4
        want = _RULES[kind + 16]
        if (
            byte > 127
            or (first & 6 == 6 or first & 14 == 8 if kind == 3 else first != _RULES[kind])
            or (size != want and (size < 3 or want < 255))
        ):
            raise load("wrong").packet(first, size, byte)
        end = pos + size
        if end > self.end:
            if end - self.start > len(buf):
                return load("oversize").head(self, first, pos, size)
            self.due = end - self.end
            return 0
        self.pos = pos
        self.size = size
        self.start = end
        if kind > 3 and size:
            self.pid = buf[pos] << 8 | buf[pos + 1]
            if not self.pid:
                raise load("wrong").packet(first, size, byte)
        return first

    def publish(self, first: int) -> Message:
        """The PUBLISH (§3.3) that next() returned; sets `pid`. The payload of a large one is empty here."""
        buf = self.buf
        pos = self.pos
        end = pos + self.size
        at = pos + 2 + (buf[pos] << 8 | buf[pos + 1])
        raw = bytes(buf[pos + 2 : at])
        pid = 1
        if first & 6:
            at += 2
            if at <= end:
                self.pid = pid = buf[at - 2] << 8 | buf[at - 1]
        try:
            topic = raw.decode()
        except UnicodeError:
            topic = ""
        if at > end or not pid or not is_topic(raw, len(topic)):
            raise load("wrong").publish(raw, at > end, pid)
        return Message(topic, bytes(buf[at:end]), first >> 1 & 3, bool(first & 1), bool(first & 8))
