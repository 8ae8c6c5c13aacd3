"""MQTT 3.1.1 client for MicroPython (ESP8266 first) and CPython: QoS 0/1/2, small, bounded, reconnecting.

Loaded all the time, because a connection needs it:
    client.py     publish, the reading task, keepalive and every deadline
    packet.py     the codec: bytes in, bytes out, no I/O
    session.py    what outlives a connection: packet identifiers, messages in flight, QoS 2 state
    transport.py / transport_cpython.py   the only files that know sockets and the scheduler
Loaded when first needed, and kept:
    errors.py     what it raises                        backlog.py   a full socket or window, while there is one
Loaded when called and let go after (`load`), for RAM is scarce and ROM is not:
    setup.py      arguments of the constructor, identity, will          oversize.py  messages larger than the buffer
    control.py    connect, start, disconnect                            request.py   subscribe, unsubscribe
    opening.py    one attempt to connect; dial.py: TCP on MicroPython   closing.py   the end of a connection, backoff
    text.py       the rules for strings, and their faults in words      wrong.py     other faults in words
    calls.py      calls into the application
Optional, may be left out: secure.py (TLS on MicroPython), stream.py (payloads from files and generators),
    persist.py (session over a reboot), topics.py (`matches`).
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .errors import ConnectRefused, MQTTError, ProtocolError, SubscribeRefused
    from .setup import Will
    from .topics import matches

__all__ = ("Client", "ConnectRefused", "MQTTError", "Message", "ProtocolError", "SubscribeRefused", "Will", "matches")


def load(name: str, keep: bool = False) -> "ModuleType":
    """A module of this package. Unless `keep`, its memory is free again when the functions called have returned."""
    full = __name__ + "." + name
    __import__(full)
    modules = sys.modules
    module = modules[full]
    if sys.implementation.name == "micropython" and not keep:
        del modules[full]
        globals().pop(name, None)
    return module


def __getattr__(name: str) -> object:
    if name == "Will":
        return load("setup").Will
    if name == "matches":
        return load("topics").matches
    if name in ("MQTTError", "ProtocolError", "ConnectRefused", "SubscribeRefused"):
        return getattr(load("errors", True), name)
    try:
        return load(name)  # from mqtt import stream
    except ImportError:
        raise AttributeError(name)


from .client import Client
from .packet import Message
