"""One attempt to connect: TCP, TLS, CONNECT (§3.1), CONNACK (§3.2), and what of the session has to be sent again."""

import asyncio
import errno
import sys

from . import load
from .packet import CONNACK
from .session import DUP, RELEASE, STATE, UNSENT

if False:  # for the type checker; compiled to nothing
    from typing import Any

    from .client import Client
    from .session import Session

if sys.implementation.name == "micropython":
    from .transport import ticks_ms, wake

    dial: "Any" = None
else:
    from .transport_cpython import dial, ticks_ms, wake

_LOOKUP_AFTER = 2  # failures to connect after which the broker's name is looked up again
_REFUSALS = "protocol version|client identifier|server unavailable|bad user name or password|not authorised"


def connect_packet(client: "Client") -> bytes:
    """CONNECT with all that the client knows of itself."""
    name, user, password = client._identity
    will = client._will
    flags = 2 if client.clean_session else 0
    fields = [name]
    if will:
        flags |= will[0]
        fields += will[1:]
    if user is not None:
        flags |= 0x80
        fields.append(user)
    if password is not None:
        flags |= 0x40
        fields.append(password)
    body = b"\x00\x04MQTT" + bytes((4, flags, client.keepalive >> 8, client.keepalive & 255))
    for field in fields:
        body += bytes((len(field) >> 8, len(field) & 255)) + field
    return packet(0x10, body)


def packet(first: int, body: bytes) -> bytes:
    """A packet with its remaining length (§2.2.3)."""
    size = len(body)
    head = [first]
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body


async def open_link(client: "Client") -> None:
    """Connect once. Raises OSError, ConnectRefused or ProtocolError; closing is up to the caller."""
    rx = client._rx
    transport = client._transport
    client._fault = None
    if client.on_attempt:
        try:
            client.on_attempt(client)
        except OSError:
            raise
        except Exception as e:  # noqa: BLE001  (whatever the application raises; the task must not end by it)
            raise OSError(errno.ECONNABORTED, "on_attempt: %r" % e)
    fresh = client._failures > 0 and client._failures % _LOOKUP_AFTER == 0
    client._failures += 1
    client._now = client._since = ticks_ms()
    client._stage = "TCP connection"
    try:
        await (dial or load("dial").dial)(transport, client.host, client.port, client.ssl, fresh)
        client._stage = "CONNACK"
        hello = connect_packet(client)
        while True:
            hello = hello[transport.write(hello, len(hello)) :]
            if not hello:
                break
            await asyncio.sleep(0.01)
        rx.start = rx.end = rx.left = 0
        while True:
            first = rx.next()
            if first:
                break
            room = rx.room()  # may change rx.end
            rx.end += await transport.readinto(room, rx.due)
    except ValueError as e:  # mbedTLS on a bad certificate, and secure.py
        raise OSError(errno.ECONNABORTED, " ".join(str(e).split()))
    if first != CONNACK or rx.left:
        raise load("wrong").protocol_error("first packet 0x%02x, CONNACK wanted [MQTT-3.2.0-1]" % first)
    present = rx.buf[rx.pos]
    code = rx.buf[rx.pos + 1]
    if present > 1 or code > 5 or (present and (code or client.clean_session)):
        raise load("wrong").protocol_error("CONNACK with flags %d and code %d" % (present, code))
    if code:
        from .errors import ConnectRefused

        refusal = ConnectRefused("refused by the broker: %s (code %d)" % (_REFUSALS.split("|")[code - 1], code))
        refusal.code = code
        raise refusal
    client._pinged = False
    client._acks_end = 0
    client._now = client._sent_at = client._received_at = client._since = ticks_ms()
    client._stage = ""
    client._present = present == 1
    client._once = False
    client.connects += 1
    client.connected = True
    rearm(client.session, present)
    wake(client._changed)
    load("calls").call(client.on_state, True, None)
    if not present and client._subscriptions:
        await load("request").resubscribe(client)
    if client.session.unsent:
        from .backlog import send_unsent

        await send_unsent(client)


def rearm(session: "Session", present: int) -> None:
    """All that was in flight is to be written again, in order (§4.4, §4.6).

    Without a session at the broker the messages are new ones to it: PUBLISH without DUP, also where PUBREL was due.
    """
    session.unsent = len(session.order)
    if not present:
        session.received.clear()
    for slot in session.order:
        if present and slot[STATE] >= RELEASE:
            slot[STATE] = RELEASE
        else:
            slot[STATE] = UNSENT
            slot[DUP] = slot[DUP] if present else 0
