"""`make monitor`: what a board says on its serial console, with the time of each line; comes back by itself.

It only listens; for a prompt use `mpremote`. Tracebacks are shown with the names of the source (names.py). `--broker` adds
what arrives at a broker, so that both sides of a reading are seen in their order.
"""

from __future__ import annotations

import datetime
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import serial
from rich.console import Console
from rich.text import Text

from tools.names import Names
from tools.readings import printable
from tools.watcher import ANYBODY, Login, Watcher, parse_address
from tools.wire import reason

BAUD = 115200
WAIT = 0.2  # s for a byte
RETRY = 0.5  # s between two tries to open the port again
MAX_LINE = 1000  # bytes
STYLES = (("error", "red"), ("Error", "red"), ("Traceback", "red"), ("warning", "yellow"), ("online", "green"))


class Line:
    """The port, read in whole lines; opened again when the board was unplugged."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._serial: Any = None
        self._rest = b""
        self._waiting = False

    def read(self) -> Iterator[str]:
        """The lines that have come; waits for at most WAIT. A line of our own says when the port goes and comes."""
        if self._serial is None:
            try:
                self._serial = _open(self._port)
            except (OSError, serial.SerialException) as error:
                if not self._waiting:
                    self._waiting = True
                    yield f"--- {reason(error, self._port)}; waiting for it"
                time.sleep(RETRY)
                return
            self._waiting = False
            yield f"--- {self._port} is open"
        try:
            data = self._serial.read(max(1, self._serial.in_waiting))
        except (OSError, serial.SerialException):
            self.close()
            self._waiting = True
            yield f"--- {self._port} is gone; waiting for it"
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield printable(line.rstrip(b"\r").decode("utf-8", "backslashreplace"))
        if len(self._rest) > MAX_LINE:
            line, self._rest = self._rest, b""
            yield printable(line.decode("utf-8", "backslashreplace"))

    def close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None


def styled(text: str, now: datetime.datetime) -> Text:
    """The line with its time, coloured by what it says."""
    style = next((style for word, style in STYLES if word in text), "")
    return Text.assemble((f"{now:%H:%M:%S}.{now.microsecond // 1000:03d}  ", "dim"), (text, style))


def monitor(
    port: str,
    console: Console,
    broker: str = "",
    stop: Callable[[], bool] = lambda: False,
    *,
    topic: str = "#",
    login: Login = ANYBODY,
    names: Names | None = None,
) -> None:
    """Show lines until Ctrl-C, or until `stop()`. Raises ToolError if the broker cannot be had."""
    line = Line(port)
    names = names or Names.of_last_build()
    with ExitStack() as stack:
        stack.callback(line.close)
        watcher = None
        if broker:
            watcher = Watcher(parse_address(broker, login.port), topic, login)
            watcher.start()
            stack.callback(watcher.stop)
        while not stop():
            for text in line.read():
                console.print(styled(names.long(text), datetime.datetime.now()), soft_wrap=True)
            while watcher:
                try:
                    arrival = watcher.arrivals.get_nowait()
                except queue.Empty:
                    break
                words = printable(f"{arrival.topic} {arrival.payload.decode('utf-8', 'backslashreplace')}")
                shown = styled(f"broker  {words}", datetime.datetime.now())
                console.print(shown, style="cyan", soft_wrap=True)


def _open(port: str) -> Any:
    library: Any = serial
    return library.serial_for_url(port, BAUD, timeout=WAIT, exclusive=True)
