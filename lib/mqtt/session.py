"""What outlives a connection (§4.1): packet identifiers, messages in flight both ways, and their order.

A message of ours takes a slot of a fixed window until its handshake is done:

    QoS 1   UNSENT -> PUBLISHED -PUBACK-> FREE
    QoS 2   UNSENT -> PUBLISHED -PUBREC-> RELEASED -PUBCOMP-> FREE

(PUBREC is answered with PUBREL at once.) On a new connection PUBLISHED becomes UNSENT, to be sent again with DUP, and RELEASED
becomes RELEASE: the PUBREL has to be sent again. UNSENT and RELEASE are written in the order of `order`.
A received QoS 2 message is remembered by its packet identifier from PUBLISH to PUBREL, so that it is delivered once.
"""

import asyncio

from .packet import PUBACK, ProtocolError, const

FREE = const(0)
UNSENT = const(1)
PUBLISHED = const(2)
RELEASE = const(3)
RELEASED = const(4)

_MAX_RECEIVED = const(128)  # QoS 2 messages of the broker between PUBLISH and PUBREL; brokers stop at about 20
_FORMAT = const(1)  # of an exported session


class Slot:
    """One message of ours in flight. `head`: first byte of the PUBLISH without DUP. `at`: when it was last written."""

    def __init__(self) -> None:
        self.pid = 0
        self.state = FREE
        self.dup = False
        self.head = 0
        self.topic = b""
        self.payload: object = b""
        self.size = 0
        self.at = 0
        self.done = asyncio.Event()


class Session:
    """The window of messages in flight and the identifiers in use."""

    def __init__(self, window: int):
        self._free = [Slot() for _ in range(window)]
        self.order: list = []  # slots in use, oldest first
        self.unsent = 0  # how many of them wait to be written
        self.received: set = set()  # packet identifiers of QoS 2 messages received and not yet released
        self.waiting: dict = {}  # packet identifier -> who waits for a SUBACK or UNSUBACK; ends with the connection
        self._last = 0

    def new_pid(self) -> int:
        """A packet identifier that is not in use, 1..65535 (§2.3.1)."""
        pid = self._last
        while True:
            pid = pid + 1 if pid < 65535 else 1
            for slot in self.order:
                if slot.pid == pid:
                    break
            else:
                if pid not in self.waiting:
                    self._last = pid
                    return pid

    def take(self, head: int, topic: bytes, payload: object, size: int) -> "Slot | None":
        """Put a message into the window; None when it is full."""
        if not self._free:
            return None
        slot = self._free.pop()
        slot.pid = self.new_pid()
        slot.state = UNSENT
        slot.dup = False
        slot.head = head
        slot.topic = topic
        slot.payload = payload
        slot.size = size
        slot.done.clear()
        self.order.append(slot)
        self.unsent += 1
        return slot

    def next_unsent(self) -> "Slot | None":
        """The oldest message with something to write."""
        if self.unsent:
            for slot in self.order:
                if slot.state in (UNSENT, RELEASE):
                    return slot
        return None

    def sent(self, slot: Slot, now: int) -> None:
        """What `slot` had to write has been handed to the socket."""
        slot.state += 1
        slot.dup = True
        slot.at = now
        self.unsent -= 1

    def free(self, slot: Slot) -> None:
        """The message is done, or given up: whoever waits for it goes on."""
        if slot.state in (UNSENT, RELEASE):
            self.unsent -= 1
        self.order.remove(slot)
        slot.state = FREE
        slot.pid = 0
        slot.payload = slot.topic = b""
        self._free.append(slot)
        slot.done.set()

    def acked(self, kind: int, pid: int) -> bool:
        """PUBACK or PUBCOMP: whether it ended a message of ours. Unknown, repeated and late ones are ignored."""
        for slot in self.order:
            if slot.pid == pid:
                if slot.state != (PUBLISHED if kind == PUBACK else RELEASED) or (kind == PUBACK and slot.head & 4):
                    return False
                self.free(slot)
                return True
        return False

    def pubrec(self, pid: int) -> bool:
        """PUBREC: whether PUBREL is the answer: to ours, first or repeated, and to unknown ones, or the broker keeps them."""
        for slot in self.order:
            if slot.pid == pid:
                if not slot.head & 4 or slot.state not in (PUBLISHED, RELEASED):
                    return False
                slot.state = RELEASED
        return True

    def first_time(self, pid: int) -> bool:
        """Whether a received QoS 2 message is new; remembers it until its PUBREL."""
        if pid in self.received:
            return False
        if len(self.received) >= _MAX_RECEIVED:
            raise ProtocolError("more than %d QoS 2 messages without PUBREL" % _MAX_RECEIVED)
        self.received.add(pid)
        return True

    def reconnected(self, present: bool) -> None:
        """A new connection: all that was in flight is to be written again, in order (§4.4, §4.6).

        Without a session at the broker the messages are new ones to it: PUBLISH without DUP, also where PUBREL was due.
        """
        self.waiting.clear()
        self.unsent = len(self.order)
        if not present:
            self.received.clear()
        for slot in self.order:
            if not present:
                slot.state = UNSENT
                slot.dup = False
            else:
                slot.state = UNSENT if slot.state < RELEASE else RELEASE

    # --- across deep sleep and reboot

    def export(self) -> bytes:
        """The session as bytes. Raises ValueError while a message from a file or generator is in flight."""
        out = bytearray((_FORMAT, self._last >> 8, self._last & 255, len(self.received)))
        for pid in self.received:
            out.extend(bytes((pid >> 8, pid & 255)))
        for slot in self.order:
            if not isinstance(slot.payload, bytes):
                raise ValueError("a message from a file or generator is in flight")
            sizes = (slot.pid, len(slot.topic), slot.size >> 16, slot.size & 65535)
            out.extend(bytes((slot.state, slot.dup, slot.head)))
            for number in sizes:
                out.extend(bytes((number >> 8, number & 255)))
            out.extend(slot.topic)
            out.extend(slot.payload)
        return bytes(out)

    def restore(self, data: bytes) -> None:
        """Take over what `export` gave. Raises ValueError, and changes nothing, when it is not that or does not fit."""
        at = 4 + 2 * data[3] if len(data) >= 4 and data[0] == _FORMAT else -1
        if at < 0 or len(data) < at or self.order:
            raise ValueError("session: exported bytes of this version wanted, for a client without messages in flight")
        found = []
        end = at
        while end < len(data):
            head = end + 11
            size = topic = -1
            if head <= len(data):
                topic = data[end + 5] << 8 | data[end + 6]
                size = data[end + 7] << 24 | data[end + 8] << 16 | data[end + 9] << 8 | data[end + 10]
            bad = size < 0 or head + topic + size > len(data) or not UNSENT <= data[end] <= RELEASED
            if bad or len(found) >= len(self._free) or not data[end + 2] & 6 or not (data[end + 3] or data[end + 4]):
                raise ValueError("session: truncated, damaged, or more messages than the window holds")
            found.append((end, topic, size))
            end = head + topic + size
        self._last = data[1] << 8 | data[2]
        for i in range(4, at, 2):
            self.received.add(data[i] << 8 | data[i + 1])
        for start, topic, size in found:
            slot = self._free.pop()
            slot.state = data[start]
            slot.dup = bool(data[start + 1])
            slot.head = data[start + 2]
            slot.pid = data[start + 3] << 8 | data[start + 4]
            slot.topic = data[start + 11 : start + 11 + topic]
            slot.payload = data[start + 11 + topic : start + 11 + topic + size]
            slot.size = size
            slot.done.clear()
            self.order.append(slot)
        self.unsent = 0
