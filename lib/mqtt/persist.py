"""The session over deep sleep and reboot: as bytes, and back."""

from .packet import const, is_topic
from .session import DUP, HEAD, PAYLOAD, PID, RELEASED, STATE, TOPIC, UNSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client

_FORMAT = const(1)


def export_session(client: "Client") -> bytes:
    """What is in flight, both ways. Raises ValueError while a message from a file or generator is."""
    session = client.session
    out = bytearray((_FORMAT, session.last >> 8, session.last & 255, len(session.received)))
    for pid in session.received:
        out.extend(bytes((pid >> 8, pid & 255)))
    for slot in session.order:
        payload = slot[PAYLOAD]
        if not isinstance(payload, bytes):
            raise ValueError("session: a message from a file or generator is in flight")
        out.extend(bytes((slot[STATE], slot[DUP] >> 3, slot[HEAD])))
        for number in (slot[PID], len(slot[TOPIC]), len(payload) >> 16, len(payload) & 65535):
            out.extend(bytes((number >> 8, number & 255)))
        out.extend(slot[TOPIC])
        out.extend(payload)
    return bytes(out)


def restore_session(client: "Client", data: bytes) -> None:
    """Take over what export_session() gave; before connect(). Raises ValueError, and changes nothing, when it is
    damaged."""
    session = client.session
    at = 4 + 2 * data[3] if len(data) >= 4 and data[0] == _FORMAT and data[3] <= 128 else -1
    if at < 0 or len(data) < at or session.order or client.connected:
        raise ValueError("session: exported bytes wanted, and a client that has nothing in flight")
    received = [data[i] << 8 | data[i + 1] for i in range(4, at, 2)]
    found = []
    pids = []
    while at < len(data):
        head = at + 11
        topic = size = -1
        if head <= len(data):
            topic = data[at + 5] << 8 | data[at + 6]
            size = data[at + 7] << 24 | data[at + 8] << 16 | data[at + 9] << 8 | data[at + 10]
        pid = data[at + 3] << 8 | data[at + 4] if size >= 0 else 0
        if (
            not pid
            or pid in pids
            or head + topic + size > len(data)
            or not UNSENT <= data[at] <= RELEASED
            or data[at + 1] > 1
            or data[at + 2] & 0xF8 != 0x30
            or data[at + 2] & 6 not in ((2, 4) if data[at] < 3 else (4,))
            or len(found) >= session.window
        ):
            raise ValueError("session: truncated, damaged, or more messages than the window holds")
        raw = data[head : head + topic]
        if not (is_topic(raw, -1)):
            raise ValueError("session: damaged topic")
        found.append((at, raw, head + topic, size))
        pids.append(pid)
        at = head + topic + size
    if 0 in received:
        raise ValueError("session: packet identifier 0")
    for pid in received:
        session.received.add(pid)
    for start, raw, body, size in found:
        if len(raw) + 9 > len(client._tx):
            client._tx = bytearray(len(raw) + 9)
        slot = session.take(data[start + 2], raw, bytes(data[body : body + size]))
        slot[STATE] = data[start]
        slot[DUP] = data[start + 1] << 3
        slot[PID] = data[start + 3] << 8 | data[start + 4]
    session.last = data[1] << 8 | data[2]
