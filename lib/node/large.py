"""Commands that do not fit the MQTT client's receive buffer: collected here. Loaded for each of them."""

from mqtt import Message


def sink(node, topic: str, length: int) -> "Sink":
    """Where to put a message of `length` bytes that is coming."""
    return Sink(node, topic, length)


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
