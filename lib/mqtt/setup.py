"""Arguments: of the constructor, of the will, of a payload; the identity. Needed before, not while, a connection is
up."""

from . import load

if False:  # for the type checker; compiled to nothing
    from typing import Any

    from .client import Client


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


def check(
    client: "Client",
    client_id: str,
    user: "str | None",
    password: "str | bytes | None",
    version: int,
    window: int,
    buffer: int,
    response_timeout: float,
) -> None:
    """The rest of Client.__init__: what can be wrong with its arguments. Raises TypeError or ValueError."""
    for name, value, low, high, kind in (
        ("port", client.port, 1, 65535, int),
        ("keepalive", client.keepalive, 0, 65535, int),
        ("version", version, 4, 4, int),
        ("window", window, 1, 255, int),
        ("buffer", buffer, 64, 65535, int),
        ("response_timeout", response_timeout, 0.1, 3600, (int, float)),
        ("max_backoff", client.max_backoff, 0, 86400, (int, float)),
    ):
        if not isinstance(value, kind):
            raise TypeError("%s: a number wanted, %s given" % (name, type(value).__name__))
        if not low <= value <= high:
            raise ValueError("%s: %s to %s wanted, %s given" % (name, low, high, value))
    if not isinstance(client.host, str):
        raise TypeError("host: str wanted, %s given" % type(client.host).__name__)
    if not client_id and not client.clean_session:
        raise ValueError("client_id: needed with clean_session=False [MQTT-3.1.3-7]")
    set_identity(client, client_id, user, password)
    timeout = client._timeout = int(response_timeout * 1000)
    keepalive = client.keepalive
    client._tick = min(500, timeout // 4, keepalive * 125 or 500)  # ms between two looks at the deadlines
    client._idle = keepalive * 1000 - min(keepalive * 250, 5000)  # ms of silence after which PINGREQ is due


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
