"""Why there is no connection to the broker, in words: for the log and the page. Loaded after a failure, then let go."""

import errno

import cloud
from micropython import const
from mqtt import ConnectRefused, MQTTError, ProtocolError

from . import call
from .log import WARNING

_STARVED = const(5)  # attempts to connect that may fail for want of memory: scattered as it is then, only a reset helps
_NO_HOST = const(-2)  # of getaddrinfo


def say(node, link, reason: Exception) -> None:
    """An attempt to connect has failed."""
    if isinstance(reason, OSError) and reason.errno == errno.EAGAIN:
        return  # link.py waits for the time that must lie between two connects
    client = link.client
    if isinstance(reason, MemoryError) or "MemoryError" in str(reason):
        link.starved += 1
        if link.starved > _STARVED:
            call("ending.restart", node, "no memory for a connection")
    text = words(link.platform, reason)
    if len(link.platform.brokers) > 1 or not isinstance(reason, ConnectRefused):  # a line has 120 characters
        text = "%s:%d: %s" % (client.host, client.port, text)
    if text != link.said:
        link.said = node.said = text
        node.log(WARNING, "mqtt: " + text)
    node.wifi.report_online(False, isinstance(reason, (ConnectRefused, ProtocolError)))


def words(platform, reason: Exception) -> str:
    """The reason, in the platform's terms where they say more."""
    code = reason.code if isinstance(reason, ConnectRefused) else 0
    if code or (isinstance(reason, OSError) and reason.errno == _NO_HOST):
        try:
            return platform.explain(code)
        finally:
            cloud.release()
    if isinstance(reason, MQTTError) or not isinstance(reason, OSError):
        return str(reason)
    text = reason.args[1] if len(reason.args) > 1 else str(reason)
    if reason.errno == errno.ECONNRESET and platform.presence:
        text += ", perhaps for the will: see mqtt.availability"
    return text
