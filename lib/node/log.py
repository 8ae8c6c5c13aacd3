"""What the node says: to the console at once, and the last lines kept for the page and for MQTT."""

from micropython import const

_KEPT = const(12)  # lines
_WIDTH = const(160)  # characters of a line

LEVELS = "debug info warning error"


class Log:
    """Lines with a level. `level`: the least that is shown, a word of LEVELS. `sink(level, text)`: told of each."""

    def __init__(self, level: str = "info"):
        self.lines: list = []
        self.sink = None
        self.set_level(level)

    def set_level(self, level: str) -> None:
        """Raises ValueError for a word that is none of LEVELS."""
        self._least = LEVELS.split().index(level)

    def say(self, level: str, text: str) -> None:
        """One line, without line breaks of its own, cut to 160 characters."""
        if LEVELS.split().index(level) < self._least:
            return
        text = text.replace("\r", " ").replace("\n", " ")[:_WIDTH]
        line = text if level == "info" else "%s: %s" % (level, text)
        print(line)
        self.lines.append(line)
        if len(self.lines) > _KEPT:
            self.lines.pop(0)
        if self.sink:
            self.sink(level, text)

    def info(self, text: str) -> None:
        """What a user expects to read."""
        self.say("info", text)

    def warning(self, text: str) -> None:
        """Something is not as it was set; the node goes on."""
        self.say("warning", text)

    def error(self, text: str) -> None:
        """Something does not work until it is changed."""
        self.say("error", text)

    def debug(self, text: str) -> None:
        """What a developer wants to know."""
        self.say("debug", text)
