"""What outlives a connection (§4.1): packet identifiers, messages in flight both ways, and their order.

A message of ours takes a slot of a fixed window until its handshake is done, then its identifier is 0 again:

    QoS 1   UNSENT -> PUBLISHED -PUBACK-> done
    QoS 2   UNSENT -> PUBLISHED -PUBREC-> RELEASED -PUBCOMP-> done

(PUBREC is answered with PUBREL at once.) On a new connection PUBLISHED becomes UNSENT, to be sent again with DUP, and
RELEASED becomes RELEASE: the PUBREL has to be sent again. UNSENT and RELEASE are written in the order of `order`.
A received QoS 2 message is remembered by its packet identifier from PUBLISH to PUBREL, so that it is delivered once.
"""

import sys

from .packet import const

if sys.implementation.name == "micropython":
    from .transport import Waiters, wake
else:
    from .transport_cpython import Waiters, wake

UNSENT = const(1)
PUBLISHED = const(2)
RELEASE = const(3)
RELEASED = const(4)

# A slot is a list (an instance takes twice the heap): [PID] ... [DONE]
PID = const(0)  # packet identifier, 1..65535; 0: done
AT = const(1)  # ticks_ms when it was last written
STATE = const(2)
DUP = const(3)  # 8 if it was sent before, else 0: its bit in the first byte
HEAD = const(4)  # first byte of its PUBLISH, without DUP
TOPIC = const(5)  # bytes
PAYLOAD = const(6)  # bytes, a source of stream.py, or the exception that ended it
DONE = const(7)  # who waits for its end


class Session:
    """The window of messages in flight and the identifiers in use."""

    def __init__(self, window: int):
        self.window = window
        self.order: "list[list]" = []  # slots, oldest first
        self.unsent = 0  # how many wait to be written
        self.received: "set[int]" = set()  # packet identifiers of QoS 2 messages received and not yet released
        self.waiting: dict = {}  # packet identifier -> request that waits for a SUBACK or UNSUBACK
        self.last = 0

    def find(self, pid: int) -> "list | None":
        """The slot with this packet identifier."""
        for slot in self.order:
            if slot[PID] == pid:
                return slot
        return None

    def new_pid(self) -> int:
        """A packet identifier that is not in use, 1..65535 (§2.3.1)."""
        pid = self.last
        while True:
            pid = pid % 65535 + 1
            if not self.find(pid) and pid not in self.waiting:
                self.last = pid
                return pid

    def take(self, head: int, topic: bytes, payload: object) -> list:
        """Put a message into the window. There must be room."""
        slot = [self.new_pid(), 0, UNSENT, 0, head, topic, payload, Waiters()]
        self.order.append(slot)
        self.unsent += 1
        return slot

    def free(self, slot: list) -> None:
        """The message is done, or given up: whoever waits for it goes on."""
        if slot[STATE] & 1:  # UNSENT, RELEASE
            self.unsent -= 1
        self.order.remove(slot)
        slot[PID] = 0
        wake(slot[DONE])
