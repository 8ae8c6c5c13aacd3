"""`make watch`: a live table of all nodes at a broker: are they there, what do they read, how well do they live.

Knows of a node only what its topics say: `<base>/status` (retained `online` or `offline`), `<base>/telemetry` (a JSON
object of readings; rssi, free_heap and uptime, there or in `<base>/health` and `<base>/info`, are the node's health).
`--csv` writes each reading down.
"""

from __future__ import annotations

import csv
import datetime
import json
import queue
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.readings import printable
from tools.watcher import ANYBODY, Arrival, Login, Watcher, parse_address

MAX_NODES = 200
MAX_READINGS = 24  # of one node
KEPT = 24  # values of a sparkline
BARS = "▁▂▃▄▅▆▇█"
HEALTH = ("rssi", "free_heap", "uptime", "reset_reason", "reconnects")  # shown in columns of their own, or not at all
KINDS = ("status", "telemetry", "health", "info")
HEADING = ("time", "node", "reading", "value")  # of the CSV file; time in UTC
TICK = 0.5  # s


@dataclass
class Node:
    """What has been seen of one node. `seen` is monotonic time in s, 0.0 if only retained messages came."""

    status: str = ""
    seen: float = 0.0
    readings: dict[str, deque[float | str]] = field(default_factory=dict)

    def last(self, name: str) -> str:
        """The last value of a reading, or "" if there is none."""
        return _text(self.readings[name][-1]) if self.readings.get(name) else ""


class Nodes:
    """All nodes, built message by message. No I/O."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def add(self, arrival: Arrival) -> list[tuple[str, str, float | str]]:
        """Take a message; returns fresh readings as (node, name, value)."""
        base, _, kind = arrival.topic.rpartition("/")
        if not base or kind not in KINDS or (base not in self.nodes and len(self.nodes) >= MAX_NODES):
            return []
        text = arrival.payload.decode("utf-8", "backslashreplace")
        node = self.nodes.setdefault(base, Node())
        if not arrival.retained:
            node.seen = arrival.at
        if kind == "status":
            node.status = printable(text)[:12]
            return []
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return []
        fresh: list[tuple[str, str, float | str]] = []
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                continue
            if kind != "telemetry" and name not in HEALTH:
                continue
            if name in node.readings or len(node.readings) < MAX_READINGS:
                node.readings.setdefault(name, deque(maxlen=KEPT)).append(value)
                fresh.append((base, name, value))
        return [] if arrival.retained else fresh

    def table(self, now: float, title: str) -> Table:
        """A row for each reading; what is the node's own stands in its first row."""
        table = Table(
            "node", "status", "seen", "rssi", "heap", "reading", "value", "trend", title=title, title_justify="left"
        )
        for base, node in sorted(self.nodes.items()):
            seen = f"{now - node.seen:.0f} s" if node.seen else "–"
            head = [printable(base), _status(node.status), seen, node.last("rssi"), node.last("free_heap")]
            names = [name for name in node.readings if name not in HEALTH] or [""]
            for i, name in enumerate(names):
                values = node.readings.get(name, ())
                cells = head if i == 0 else [""] * len(head)
                table.add_row(*cells, printable(name), node.last(name) if name else "", sparkline(list(values)))
        return table


def sparkline(values: list[float | str]) -> str:
    """The numbers among `values` as bars, lowest to highest."""
    numbers = [v for v in values if not isinstance(v, str)]
    if not numbers:
        return ""
    low, span = min(numbers), max(numbers) - min(numbers)
    return "".join(BARS[int((v - low) / span * (len(BARS) - 1) + 0.5) if span else 0] for v in numbers)


def _status(text: str) -> Text:
    return Text(text or "–", style={"online": "green", "offline": "red"}.get(text, ""))


def _text(value: float | str) -> str:
    return printable(value)[:24] if isinstance(value, str) else f"{value:.6g}"


def watch(
    broker: str,
    console: Console,
    *,
    topic: str = "node/#",
    login: Login = ANYBODY,
    record: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Show the table until Ctrl-C, or until `stop()`. Raises ToolError if the broker cannot be had."""
    address = parse_address(broker, login.port)
    watcher = Watcher(address, topic, login)
    nodes = Nodes()
    with ExitStack() as stack:
        writer = None
        if record:
            file = stack.enter_context(record.open("a", newline="", buffering=1))  # a line is there when it is written
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(HEADING)
        watcher.start()
        stack.callback(watcher.stop)
        view = stack.enter_context(Live(console=console, auto_refresh=False)) if sys.stdout.isatty() else None
        while not stop():
            try:
                fresh = nodes.add(watcher.arrivals.get(timeout=TICK))
            except queue.Empty:
                fresh = []
            for node, name, value in fresh:
                if writer:
                    stamp = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
                    writer.writerow([stamp, node, name, value])
                if view is None:
                    console.print(Text(f"{printable(node)} {printable(name)} {_text(value)}"), soft_wrap=True)
            if view is not None:
                away = "" if watcher.connected else "; the broker is away, trying again"
                view.update(nodes.table(time.monotonic(), f"{topic} at {address}{away}; Ctrl-C ends"), refresh=True)
