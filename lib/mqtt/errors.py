"""What this client raises by itself. Loaded when the first of them is needed, and kept."""


class MQTTError(Exception):
    """Everything that this client raises by itself, but for OSError (network) and ValueError/TypeError (arguments)."""


class ProtocolError(MQTTError):
    """The other side broke the protocol; the text says how. The link is closed."""


class ConnectRefused(MQTTError):
    """The broker answered CONNECT with a return code other than 0: `.code`, 1 to 5 (§3.2.2.3)."""

    code = 0


class SubscribeRefused(MQTTError):
    """A SUBACK with 0x80 in it: `.codes` has the granted QoS or 0x80 of each filter, in order. The link stays up."""

    codes: list = []
