"""MQTT 3.1.1 client for MicroPython (ESP8266 first) and CPython: QoS 0/1/2, small, bounded, reconnecting.

packet.py   the codec: bytes in, bytes out, no I/O
session.py  what outlives a connection: packet identifiers, messages in flight, QoS 2 state
client.py   the client: connect, publish, subscribe, keepalive, reconnect
transport.py / transport_cpython.py   the only files that know sockets
"""

from .client import Client
from .packet import ConnectRefused, Message, MQTTError, ProtocolError, SubscribeRefused, Will, matches

__all__ = ("Client", "ConnectRefused", "MQTTError", "Message", "ProtocolError", "SubscribeRefused", "Will", "matches")
