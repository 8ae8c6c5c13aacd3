"""What a broker delivered, as rows for the table of `make run`. No I/O here; run.py feeds it.

Topics of a node (`base` is `node/<name>`): `<base>/telemetry` carries a JSON object of values, and each message there
is one *reading*; `<base>/status` is retained `online` or `offline`; `<base>/info` may be retained JSON with `units`.
Any other JSON object or scalar below `base` is shown too, and is not counted as a reading.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

MAX_ROWS = 40  # a hostile or odd node must not fill the screen
MAX_TEXT = 60  # characters of a value that are shown
TELEMETRY, STATUS, INFO = "telemetry", "status", "info"


@dataclass
class Row:
    """One value: `updated` is the monotonic time (s) of the last message, `count` the messages so far."""

    value: str
    updated: float
    count: int


class Readings:
    """The table's content, built message by message."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.count = 0  # readings so far
        self.status = ""  # online, offline, or nothing yet
        self.rows: dict[tuple[str, str], Row] = {}
        self._units: dict[str, str] = {}

    def add(self, topic: str, payload: bytes, retained: bool, now: float) -> bool:
        """Take one message. True if it is a reading: fresh, on the telemetry topic."""
        kind = topic[len(self.base) + 1 :] if topic.startswith(self.base + "/") else ""
        text = payload.decode("utf-8", "backslashreplace")
        if kind == STATUS:
            self.status = printable(text)
            return False
        value = _parse(text)
        if kind == INFO:
            units = value.get("units") if isinstance(value, dict) else None
            if isinstance(units, dict):
                self._units = {str(name): printable(str(unit)) for name, unit in units.items()}
            return False
        if isinstance(value, dict):
            for name, part in value.items():
                self._put(topic, name, part, now)
        else:
            self._put(topic, "", value, now)
        if kind != TELEMETRY or retained:
            return False
        self.count += 1
        return True

    def unit(self, topic: str, name: str) -> str:
        """Unit of a row, or "" if the node named none."""
        return self._units.get(name or topic.rsplit("/", 1)[-1], "")

    def _put(self, topic: str, name: str, value: object, now: float) -> None:
        row = self.rows.get((topic, name))
        if row is None and len(self.rows) >= MAX_ROWS:
            return
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self.rows[topic, name] = Row(printable(text)[:MAX_TEXT], now, row.count + 1 if row else 1)

    def table(self, now: float, title: str, caption: str) -> Table:
        """The rows as a rich table; `now` is monotonic (s)."""
        table = Table(title=Text(title), caption=Text(caption), title_justify="left", caption_justify="left")
        for heading, justify in (("topic", "left"), ("value", "right"), ("unit", "left"), ("age", "right")):
            table.add_column(heading, justify="right" if justify == "right" else "left", no_wrap=heading != "topic")
        table.add_column("count", justify="right")
        for (topic, name), row in self.rows.items():
            label = Text(printable(topic))
            if name:
                label.append(" " + printable(name), style="bold cyan")
            age = f"{max(0.0, now - row.updated):.0f} s"
            table.add_row(label, Text(row.value, style="bold"), Text(self.unit(topic, name)), age, str(row.count))
        return table


def printable(text: str) -> str:
    """The text on one line, with control characters escaped: payloads come from the wire, the terminal obeys them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _parse(text: str) -> object:
    """The JSON value, or the text itself if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
