"""Arguments: of the constructor, of the will, of a payload; the identity. Needed before, not while, a connection is
up."""

import sys

from . import load
from .packet import Decoder
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .client import Client
    from .packet import Message

if sys.implementation.name == "micropython":
    from .transport import Transport, Waiters
else:
    from .transport_cpython import Transport, Waiters  # type: ignore[assignment]  # its twin

_ACKS = 64  # bytes of acknowledgements collected before they are written, as in client.py


class Will:
    """What the broker publishes for a client that went without DISCONNECT (§3.1.2.5). Payload: bytes or str."""

    def __init__(self, topic: str, payload: "bytes | str", qos: int = 0, retain: bool = False):
        self.topic = load("text").topic_bytes(topic, "will topic")
        self.payload: bytes = payload_bytes(payload, None)
        if len(self.payload) > 65535:
            raise ValueError("will payload: at most 65535 bytes wanted, %d given" % len(self.payload))
        if not isinstance(qos, int) or not 0 <= qos <= 2:
            raise ValueError("will qos: 0, 1 or 2 wanted, %r given" % (qos,))
        self.flags = 4 | qos << 3 | (32 if retain else 0)


def init(
    self: "Client",
    client_id: str,
    host: str,
    port: int = 1883,
    *,
    user: "str | None" = None,
    password: "str | bytes | None" = None,
    keepalive: int = 60,
    clean_session: bool = True,
    will: "Will | None" = None,
    ssl: object = None,
    version: int = 4,
    reconnect: bool = True,
    on_message: "Callable[[Message], object] | None" = None,
    on_state: "Callable[[bool, Exception | None], object] | None" = None,
    on_large: "Callable | None" = None,
    on_attempt: "Callable[[Client], object] | None" = None,
    window: int = 8,
    buffer: int = 512,
    response_timeout: float = 10,
    max_backoff: float = 60,
) -> None:
    """Client(...). Raises TypeError or ValueError.

    client_id: str, may be "" with clean_session (the broker then chooses). port: 1..65535. user, password: str or None
    (password: bytes too). keepalive: 0..65535 s, 0 switches it off. ssl: None, True, the path of a CA file, or an
    SSLContext. reconnect: after a first success of connect(), come back by itself for ever.
    on_message(Message), on_state(up, reason): plain functions, called from the reading task: to publish from them,
    start a task.
    on_large(topic, length, retain): called for a message larger than `buffer`; returns a sink with write(view) and
    finish(complete: bool), or None to drop the message (counted in `dropped`).
    on_attempt(client): called before each attempt to connect; may change host, port and identity (a token that
    expires, the next broker), and raises OSError to let this attempt pass.
    window: QoS 1 and 2 messages in flight, 1..255. buffer: bytes, for receiving; half of it for sending, larger
    messages leave by two writes. response_timeout: s, for each answer of the broker. max_backoff: s.
    """
    for name, value, low, high, kind in (
        ("port", port, 1, 65535, int),
        ("keepalive", keepalive, 0, 65535, int),
        ("version", version, 4, 4, int),
        ("window", window, 1, 255, int),
        ("buffer", buffer, 64, 65535, int),
        ("response_timeout", response_timeout, 0.1, 3600, (int, float)),
        ("max_backoff", max_backoff, 0, 86400, (int, float)),
    ):
        if not isinstance(value, kind):  # type: ignore[arg-type]  # one or several
            raise TypeError("%s: a number wanted, %s given" % (name, type(value).__name__))
        if not low <= value <= high:
            raise ValueError("%s: %s to %s wanted, %s given" % (name, low, high, value))
    if not isinstance(host, str):
        raise TypeError("host: str wanted, %s given" % type(host).__name__)
    if not client_id and not clean_session:
        raise ValueError("client_id: needed with clean_session=False [MQTT-3.1.3-7]")
    set_identity(self, client_id, user, password)
    self.host = host
    self.port = port
    self.keepalive = keepalive
    self.clean_session = clean_session
    # Not the Will itself: its class would keep all of this file in memory.
    self._will = (will.flags, will.topic, will.payload) if will else None
    self.ssl = ssl
    self.reconnect = reconnect
    self.on_message = on_message
    self.on_state = on_state
    self.on_large = on_large
    self.on_attempt = on_attempt
    self.max_backoff = max_backoff
    self.session = Session(window)
    self.connected = self._pinged = False
    self.reason = self._fault = self._out = self._next = self._task = self._topic = None
    self.dropped = self.connects = self._failures = self._acks_end = 0
    self._now = self._sent_at = self._received_at = self._ping_at = self._since = self._wait = 0
    self._rx = Decoder(buffer)
    self._tx = bytearray(buffer // 2)
    self._acks = bytearray(_ACKS)
    self._transport = Transport()
    self._line = []
    self._changed = Waiters()
    self._subscriptions = {}
    self._stage = ""
    timeout = self._timeout = int(response_timeout * 1000)
    self._tick = min(500, timeout // 4, keepalive * 125 or 500)
    self._idle = keepalive * 1000 - min(keepalive * 250, 5000)


def set_identity(
    client: "Client", client_id: str, user: "str | None" = None, password: "str | bytes | None" = None
) -> None:
    """Replace the credentials that the next CONNECT presents (tokens expire)."""
    text = load("text")
    name = text.text_bytes(client_id, "client_id")
    if user is None:
        if password is not None:
            raise ValueError("password: only with a user [MQTT-3.1.2-22]")
    else:
        user = text.text_bytes(user, "user")
    if password is not None and not isinstance(password, bytes):
        password = text.text_bytes(password, "password")
    if password is not None and len(password) > 65535:
        raise ValueError("password: at most 65535 bytes wanted, %d given" % len(password))
    client._identity = (name, user, password)  # type: ignore[assignment]  # UTF-8 by now


def payload_bytes(payload: object, length: "int | None") -> "Any":
    """The payload as bytes that nobody changes later (a copy where the caller could); with `length`: see stream.py."""
    if length is not None:
        return load("stream").source(payload, length)
    if isinstance(payload, str):
        try:
            return payload.encode()
        except UnicodeError:
            raise ValueError("payload: has a surrogate")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    raise TypeError("payload: bytes or str wanted, %s given" % type(payload).__name__)


def check_publish(topic: object, payload: object, qos: object, length: "int | None") -> None:
    """Say what is wrong with the arguments of publish(). Raises TypeError or ValueError."""
    load("text").topic_bytes(topic, "topic")
    size = len(payload_bytes(payload, length))
    if not isinstance(qos, int) or not 0 <= qos <= 2:
        raise ValueError("qos: 0, 1 or 2 wanted, %r given" % (qos,))
    raise ValueError("payload: %d bytes do not fit in a packet" % size)
