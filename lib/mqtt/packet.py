"""The MQTT 3.1.1 codec: packets to bytes and bytes to packets. No I/O, no state but the receive buffer.

Section numbers are those of the OASIS standard "MQTT Version 3.1.1". The protocol level is an argument of `connect`
alone: the other client packets used here are the same in both 3.1 levels, and MQTT 5 will be a codec beside this one.
"""

from collections import namedtuple

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # type: ignore[no-redef]
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
_SUBSCRIBE = const(0x82)
_UNSUBSCRIBE = const(0xA2)
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

# What a broker may send: the whole first byte, or 0 where only PUBLISH has free flags; then the body's length, 255: any.
# One byte for each packet type 0..15.
_FIRST = b"\x00\x00\x20\x30\x40\x50\x62\x70\x00\x90\x00\xb0\x00\xd0\x00\x00"
_SIZE = b"\x00\x00\x02\xff\x02\x02\x02\x02\x00\xff\x00\x02\x00\x00\x00\x00"

_MAX_SIZE = const(0x0FFFFFFF)  # of a packet's body (§2.2.3)

_REFUSALS = (
    "protocol version not accepted",
    "client identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorised",
)


class MQTTError(Exception):
    """Everything that this client raises by itself, but for OSError (network) and ValueError/TypeError (arguments)."""


class ProtocolError(MQTTError):
    """The other side broke the protocol; the text says how. The link is closed."""


class ConnectRefused(MQTTError):
    """The broker answered CONNECT with a return code other than 0: `.code`, 1 to 5 (§3.2.2.3)."""

    def __init__(self, code: int):
        super().__init__("connection refused: %s (code %d)" % (_REFUSALS[code - 1], code))
        self.code = code


class SubscribeRefused(MQTTError):
    """A SUBACK with 0x80 in it: `.codes` has the granted QoS or 0x80 of each filter, in order. The link stays up."""

    def __init__(self, codes: list):
        super().__init__("subscription refused by the broker: %s" % codes)
        self.codes = codes


Message = namedtuple("Message", ("topic", "payload", "qos", "retain", "dup"))
"""A received message: topic str, payload bytes, qos 0..2, retain bool, dup bool."""


class Will:
    """What the broker publishes for a client that went without DISCONNECT (§3.1.2.5). Payload: bytes or str."""

    def __init__(self, topic: str, payload: "bytes | str", qos: int = 0, retain: bool = False):
        self.topic = topic_bytes(topic, "will topic")
        self.payload = payload_bytes(payload)
        if len(self.payload) > 65535:
            raise ValueError("will payload: at most 65535 bytes wanted, %d given" % len(self.payload))
        check_qos(qos)
        self.flags = 4 | qos << 3 | (32 if retain else 0)


# --- arguments ------------------------------------------------------------------------------------------------------


def check_qos(qos: int) -> None:
    """Raises ValueError unless `qos` is 0, 1 or 2."""
    if qos not in (0, 1, 2):
        raise ValueError("qos: 0, 1 or 2 wanted, %r given" % (qos,))


def text_bytes(text: str, name: str) -> bytes:
    """UTF-8 of `text` for a length-prefixed field (§1.5.3): at most 65,535 bytes, no NUL, no lone surrogate."""
    if not isinstance(text, str):
        raise TypeError("%s: str wanted, %s given" % (name, type(text).__name__))
    data = text.encode()  # CPython refuses lone surrogates here (UnicodeEncodeError is a ValueError)
    if len(data) > 65535:
        raise ValueError("%s: at most 65535 bytes wanted, %d given" % (name, len(data)))
    if not valid_utf8(data, len(text)):
        raise ValueError("%s: NUL and surrogates are not allowed" % name)
    return data


def topic_bytes(topic: str, name: str = "topic") -> bytes:
    """UTF-8 of a topic name: not empty, no wildcards (§4.7.1, §4.7.3)."""
    data = text_bytes(topic, name)
    if not data:
        raise ValueError("%s: at least one character wanted" % name)
    if b"+" in data or b"#" in data:
        raise ValueError("%s: wildcards + and # are for subscriptions only" % name)
    return data


def filter_bytes(topic_filter: str) -> bytes:
    """UTF-8 of a topic filter: + alone in its level, # alone in the last one (§4.7.1)."""
    data = text_bytes(topic_filter, "filter")
    levels = topic_filter.split("/")
    for i, level in enumerate(levels):
        if ("+" in level or "#" in level) and (len(level) > 1 or (level == "#" and i + 1 < len(levels))):
            raise ValueError("filter: + must fill a level and # the last one, %r given" % topic_filter)
    if not data:
        raise ValueError("filter: at least one character wanted")
    return data


def payload_bytes(payload: "bytes | bytearray | memoryview | str") -> bytes:
    """The payload as bytes that nobody changes later (a copy where the caller could)."""
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, (bytearray, memoryview)):
        return bytes(payload)
    raise TypeError("payload: bytes or str wanted, %s given" % type(payload).__name__)


def valid_utf8(data: bytes, characters: int) -> bool:
    """Whether `data` is UTF-8 as MQTT wants it (§1.5.3): no NUL, no surrogates, no overlong forms.

    `characters`: its length as str: where that equals the bytes', all is ASCII and the slow walk is spared.
    """
    if b"\0" in data:
        return False
    if characters == len(data):
        return True
    i = 0
    size = len(data)
    while i < size:
        b = data[i]
        i += 1
        if b < 0x80:
            continue
        # smallest and largest second byte, and how many continuation bytes there are (Unicode, table 3-7)
        low, high = 0x80, 0xBF
        if 0xC2 <= b <= 0xDF:
            more = 1
        elif 0xE0 <= b <= 0xEF:
            more = 2
            if b == 0xE0:
                low = 0xA0
            elif b == 0xED:
                high = 0x9F
        elif 0xF0 <= b <= 0xF4:
            more = 3
            if b == 0xF0:
                low = 0x90
            elif b == 0xF4:
                high = 0x8F
        else:
            return False
        while more:
            if i >= size or not low <= data[i] <= high:
                return False
            low, high = 0x80, 0xBF
            i += 1
            more -= 1
    return True


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic name matches a filter; wildcards do not match a first level that begins with $ (§4.7.2)."""
    if topic[:1] == "$" and topic_filter[:1] in ("+", "#"):
        return False
    want = topic_filter.split("/")
    have = topic.split("/")
    for i, level in enumerate(want):
        if level == "#":
            return True
        if i >= len(have) or (level != "+" and level != have[i]):
            return False
    return len(want) == len(have)


# --- encoding -------------------------------------------------------------------------------------------------------


def put_size(buf: bytearray, at: int, size: int) -> int:
    """Write a remaining length (§2.2.3) at `at`; returns the index behind it."""
    while size > 127:
        buf[at] = size & 127 | 128
        size >>= 7
        at += 1
    buf[at] = size
    return at + 1


def put_publish(buf: bytearray, first: int, topic: bytes, pid: int, payload, size: int) -> int:
    """Write a whole PUBLISH into `buf`; returns its length, or 0 when it does not fit and must go in pieces.

    first: the first byte, with DUP, QoS and retain. pid: 0 for QoS 0. size: of the payload, bytes.
    """
    length = len(topic)
    body = 2 + length + size
    if pid:
        body += 2
    if body + 5 > len(buf):
        return 0
    buf[0] = first
    if body < 128:
        buf[1] = body
        at = 2
    else:
        at = put_size(buf, 1, body)
    buf[at] = length >> 8
    buf[at + 1] = length & 255
    at += 2
    buf[at : at + length] = topic
    at += length
    if pid:
        buf[at] = pid >> 8
        buf[at + 1] = pid & 255
        at += 2
    buf[at : at + size] = payload
    return at + size


def publish_head(first: int, topic: bytes, pid: int, size: int) -> bytes:
    """All of a PUBLISH but its payload. Raises ValueError where the packet would be larger than MQTT allows."""
    body = 2 + len(topic) + (2 if pid else 0) + size
    if body > _MAX_SIZE:
        raise ValueError("payload: %d bytes do not fit in a packet" % size)
    head = bytearray(7)
    head[0] = first
    at = put_size(head, 1, body)
    head[at] = len(topic) >> 8
    head[at + 1] = len(topic) & 255
    whole = bytes(head[: at + 2]) + topic
    return whole + bytes((pid >> 8, pid & 255)) if pid else whole


def put_ack(buf: bytearray, at: int, first: int, pid: int) -> int:
    """Write PUBACK, PUBREC, PUBREL or PUBCOMP at `at`; returns the index behind it."""
    buf[at] = first
    buf[at + 1] = 2
    buf[at + 2] = pid >> 8
    buf[at + 3] = pid & 255
    return at + 4


def _field(data: bytes) -> bytes:
    return bytes((len(data) >> 8, len(data) & 255)) + data


def _packet(first: int, body: bytes) -> bytes:
    head = bytearray(5)
    head[0] = first
    return bytes(head[: put_size(head, 1, len(body))]) + body


def connect(
    client_id: bytes,
    keepalive: int,
    clean_session: bool,
    user: "bytes | None",
    password: "bytes | None",
    will: "Will | None",
    level: int = 4,
) -> bytes:
    """CONNECT (§3.1)."""
    flags = 2 if clean_session else 0
    parts = _field(client_id)
    if will:
        flags |= will.flags
        parts += _field(will.topic) + _field(will.payload)
    if user is not None:
        flags |= 0x80
        parts += _field(user)
        if password is not None:
            flags |= 0x40
            parts += _field(password)
    return _packet(0x10, b"\x00\x04MQTT" + bytes((level, flags, keepalive >> 8, keepalive & 255)) + parts)


def subscribe(pid: int, filters: list) -> bytes:
    """SUBSCRIBE (§3.8) of [(filter bytes, qos)]."""
    body = bytes((pid >> 8, pid & 255))
    for topic_filter, qos in filters:
        body += _field(topic_filter) + bytes((qos,))
    return _packet(_SUBSCRIBE, body)


def unsubscribe(pid: int, filters: list) -> bytes:
    """UNSUBSCRIBE (§3.10) of [filter bytes]."""
    body = bytes((pid >> 8, pid & 255))
    for topic_filter in filters:
        body += _field(topic_filter)
    return _packet(_UNSUBSCRIBE, body)


# --- decoding -------------------------------------------------------------------------------------------------------


class Decoder:
    """Cuts packets out of a byte stream, in one fixed buffer; every length is checked before it is believed.

    Fill `room()` with received bytes, say how many with `filled(n)`, then call `next()` until it returns 0.
    A PUBLISH that is larger than the buffer comes as its head, with `left` > 0: its payload is then to be fetched with
    `piece()` until `left` is 0, before `next()` is called again. Where not even the topic fits, `size` is 0, `left` the
    whole body, and the packet identifier stands `pid_at` bytes into it.
    """

    def __init__(self, size: int):
        self.buf = bytearray(size)
        self._view = memoryview(self.buf)
        self.clear()

    def clear(self) -> None:
        """Forget all bytes: a new connection begins."""
        self._start = 0  # of what was not handed out yet
        self._end = 0
        self.pos = 0  # of the body of the packet that next() returned
        self.size = 0  # of that body, as far as it is in the buffer
        self.left = 0  # bytes of a large payload still to come out of piece()
        self.pid_at = 0  # where the packet identifier stands in a body whose topic is larger than the buffer
        self.due = 2  # bytes wanted at least before next() or piece() can go on

    def partial(self) -> bool:
        """Whether the buffer holds, or the last packet awaits, something unfinished."""
        return self._end > self._start or self.left > 0

    def room(self):
        """The free part of the buffer, to be filled from the socket."""
        if self._start == self._end:
            self._start = self._end = 0
            return self.buf
        if self._start:
            rest = self._end - self._start
            self._view[:rest] = bytes(self._view[self._start : self._end])
            self._start = 0
            self._end = rest
        return self._view[self._end :]

    def filled(self, count: int) -> None:
        """`count` bytes were put into `room()`."""
        self._end += count

    def next(self) -> int:
        """The first byte of the next whole packet (`pos`, `size`: its body); 0: more bytes are wanted.

        Raises ProtocolError for anything that a broker must not send.
        """
        buf = self.buf
        start = self._start
        have = self._end - start
        if have < 2:
            self.due = 2 - have
            return 0
        first = buf[start]
        kind = first >> 4
        if first != _FIRST[kind] and kind != 3 or not first & 0xF0:
            raise ProtocolError("packet with first byte 0x%02x from the broker" % first)
        size = buf[start + 1]
        pos = start + 2
        if size > 127:
            size &= 127
            shift = 7
            while True:
                if shift > 21:
                    raise ProtocolError("remaining length of more than 4 bytes")
                if pos >= self._end:
                    self.due = 1
                    return 0
                b = buf[pos]
                pos += 1
                size |= (b & 127) << shift
                if b < 128:
                    break
                shift += 7
        if kind == 3:
            if first & 6 == 6:
                raise ProtocolError("PUBLISH with QoS 3")
        elif size != _SIZE[kind] and (kind != 9 or size < 3):
            raise ProtocolError("packet 0x%02x with a body of %d bytes" % (first, size))
        if size > self._end - pos:
            if pos - start + size > len(buf):
                return self._large(first, pos, size)
            self.due = size - (self._end - pos)
            return 0
        self.pos = pos
        self.size = size
        self._start = pos + size
        return first

    def _large(self, first: int, pos: int, size: int) -> int:
        """The head of a PUBLISH that does not fit: topic and packet identifier must, the payload comes by piece()."""
        if first & 0xF0 != PUBLISH:
            raise ProtocolError("packet 0x%02x of %d bytes, more than the receive buffer" % (first, size))
        have = self._end - pos
        head = 2
        if have >= 2:
            head += (self.buf[pos] << 8 | self.buf[pos + 1]) + (2 if first & 6 else 0)
            if head > size:
                raise ProtocolError("topic longer than its packet")
            if head > len(self.buf) - pos + self._start:
                self.pid_at = head - 2
                self.size = 0
                self.left = size
                self._start = pos
                return first
        if have < head or head == 2:
            self.due = max(head - have, 1)
            return 0
        self.pos = pos
        self.size = head
        self.left = size - head
        self._start = pos + head
        return first

    def piece(self):
        """The next bytes of a large payload, as a view into the buffer: use them before any other call. Empty: none yet."""
        count = min(self._end - self._start, self.left)
        start = self._start
        self._start += count
        self.left -= count
        self.due = min(self.left, len(self.buf)) or 2
        return self._view[start : start + count]

    # The bodies. Each reads the packet that next() has just returned.

    def pid(self) -> int:
        """The packet identifier at the start of the body; never 0 (§2.3.1)."""
        pid = self.buf[self.pos] << 8 | self.buf[self.pos + 1]
        if not pid:
            raise ProtocolError("packet identifier 0")
        return pid

    def connack(self) -> "tuple[bool, int]":
        """(session present, return code) (§3.2.2)."""
        flags = self.buf[self.pos]
        code = self.buf[self.pos + 1]
        if flags > 1 or code > 5 or (flags and code):
            raise ProtocolError("CONNACK with flags 0x%02x and code %d" % (flags, code))
        return bool(flags), code

    def suback(self) -> list:
        """The return codes: granted QoS, or 0x80 (§3.9.3)."""
        codes = list(self.buf[self.pos + 2 : self.pos + self.size])
        for code in codes:
            if code > 2 and code != 0x80:
                raise ProtocolError("SUBACK with code 0x%02x" % code)
        return codes

    def publish(self, first: int) -> "tuple[str, int, bytes]":
        """(topic, packet identifier or 0, payload) (§3.3). The payload of a large one is empty here."""
        pos = self.pos
        end = pos + self.size
        length = (self.buf[pos] << 8 | self.buf[pos + 1]) if self.size > 1 else 65535
        topic_end = pos + 2 + length
        at = topic_end + 2 if first & 6 else topic_end
        if at > end:
            raise ProtocolError("topic longer than its packet")
        raw = bytes(self._view[pos + 2 : topic_end])
        try:
            topic = raw.decode()
        except UnicodeError:
            topic = ""
        if not topic or not valid_utf8(raw, len(topic)) or b"+" in raw or b"#" in raw:
            raise ProtocolError("topic empty, with a wildcard, or not UTF-8: %s" % raw[:32])
        pid = 0
        if first & 6:
            pid = self.buf[topic_end] << 8 | self.buf[topic_end + 1]
            if not pid:
                raise ProtocolError("packet identifier 0")
        return topic, pid, bytes(self._view[at:end])
