"""Commands that do not fit the MQTT client's receive buffer: collected here, up to a limit. Loaded for each of them."""

from mqtt import Message

_LARGEST = 2048  # bytes of a command's payload; more is answered, not kept


def take(node, topic: str, length: int, retain: bool) -> "Sink | None":
    """A message of `length` bytes is coming: where to put it. None: it is passed by, and answered that it is too large or
    that there is no room for it now; commands.py knows it by its payload, an int."""
    if length <= _LARGEST and not retain and not node.inbox:
        return Sink(node, topic, length)
    node.link.take(Message(topic, length, 0, retain, False))
    return None


class Sink:
    """Collects a large command."""

    def __init__(self, node, topic: str, length: int):
        self._node = node
        self._topic = topic
        self._data = bytearray(length)
        self._end = 0

    def write(self, piece) -> None:
        """The next bytes."""
        self._data[self._end : self._end + len(piece)] = piece
        self._end += len(piece)

    def finish(self, complete: bool) -> None:
        """No more bytes will come."""
        if complete and self._node.link:
            self._node.link.take(Message(self._topic, self._data, 0, False, False))
