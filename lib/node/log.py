"""What the node says: to the console at once, and the last lines kept for the page and for MQTT."""

from micropython import const

from . import call

_KEPT = const(6)  # lines
_WIDTH = const(120)  # characters of a line

LEVELS = "debug info warning error"
DEBUG = const(0)
INFO = const(1)
WARNING = const(2)
ERROR = const(3)


class Log:
    """`log(INFO, text)`: one line, without line breaks of its own, cut to 120 characters.

    least: the lowest level that is shown. lines: the last ones. sink(level, text): told of each, or None.
    """

    def __init__(self, least: int = INFO):
        self.least = least
        self.lines: list = []
        self.sink = None

    def __call__(self, level: int, text: str) -> None:
        if level < self.least:
            return
        text = text.replace("\r", " ").replace("\n", " ")[:_WIDTH]
        line = text if level == INFO else "%s: %s" % (LEVELS.split()[level], text)
        print(line)
        self.lines.append(line)
        if len(self.lines) > _KEPT:
            self.lines.pop(0)
        if level >= WARNING:
            try:
                call("watch.note", line)
            except MemoryError:
                pass  # the console has it
        if self.sink:
            self.sink(level, text)
