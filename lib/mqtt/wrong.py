"""What is wrong, in words: the rules that packet.py and client.py check, for who is told. Loaded when one was broken."""

import errno

from .errors import ProtocolError
from .session import AT, HEAD, RELEASED, STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client

_SUBACK = 0x90


def packet(first: int, size: int, byte: int) -> ProtocolError:
    """Of a packet: its first byte, its remaining length, and the last byte of that."""
    if byte > 127:
        return ProtocolError("remaining length over 4 bytes")
    if first >> 4 == 3 and (first & 6 == 6 or first & 14 == 8):
        return ProtocolError("PUBLISH with QoS 3, or DUP in QoS 0")
    if first not in b"\x20\x40\x50\x62\x70\x90\xb0\xd0" and first >> 4 != 3:
        return ProtocolError("unknown packet 0x%02x" % first)
    if (size == 2 and first in b"\x40\x50\x62\x70\xb0") or (size > 2 and first == _SUBACK):
        return ProtocolError("packet identifier 0")
    return ProtocolError("packet 0x%02x with a body of %d" % (first, size))


def publish(topic: bytes, too_long: bool, pid: int) -> ProtocolError:
    """Of a PUBLISH: its topic, whether that is longer than its packet, and the packet identifier."""
    if too_long:
        return ProtocolError("topic longer than its packet")
    if not pid:
        return ProtocolError("packet identifier 0")
    return ProtocolError("bad topic %r" % topic[:32])


def late(client: "Client", since: int) -> OSError:
    """What the client waits for in vain since then (ticks_ms)."""
    if client._stage:
        what = client._stage
    elif client._pinged and client._ping_at == since:
        what = "PINGRESP"
    elif client._out is not None and client._sent_at == since:
        what = "progress in sending"
    else:
        what = "rest of a packet"
        for slot in client.session.order:
            if not slot[STATE] & 1 and slot[AT] == since:
                what = "PUBCOMP" if slot[STATE] == RELEASED else "PUBREC" if slot[HEAD] & 4 else "PUBACK"
        for request in client.session.waiting.values():
            if request[AT] == since:
                what = "SUBACK" if request[0] == _SUBACK else "UNSUBACK"
    return OSError(errno.ETIMEDOUT, "no %s in time" % what)


def protocol_error(text: str) -> ProtocolError:
    """What others found, in their words."""
    return ProtocolError(text)
