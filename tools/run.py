"""`make run`: image, broker, virtual board, and a table of what an independent client receives from the broker.

The steps are in `_Run.go`, in order; a step that fails raises an exception whose text is the reason on the last line.
Whatever ends the run (enough readings, a failure, Ctrl-C, SIGTERM, SIGHUP), `ExitStack` ends all it started.
"""

from __future__ import annotations

import hashlib
import io
import queue
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.board_run import BROKER_NAME, KEY, SSID, BoardFailure, BoardRun, fresh_settings, node_settings
from tools.broker import DEFAULT_PORT, BrokerError, EmbeddedBroker, free_port
from tools.image import ROOT, ImageError, build_image
from tools.label import Label
from tools.provision import new_key
from tools.readings import Readings, printable
from tools.watcher import Address, Arrival, Watcher, parse_address

OK, FAILED = 0, 1
TICK = 0.25  # s between two pictures of the table
CONSOLE_LINES = 8  # of the board's console, shown with a failure
PAGE_PORT = 8080  # of the set-up page, where it is free
PAGE_TIMEOUT = 60  # s until it is up
SVG_WIDTH = 100  # columns of the picture


class Interrupted(BaseException):
    """A signal asks for the end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class NoReadings(Exception):
    """The readings did not come in time; the text says how far the node got."""


def run(
    broker: str = "", wanted: int = 0, timeout: float = 120.0, svg: Path | None = None, portal: bool = False
) -> int:
    """Run until `wanted` readings came (0: until a signal); returns the exit code. Arguments as in __main__.py."""
    live = sys.stdout.isatty()
    console = Console(stderr=not live, highlight=False)
    this = _Run(console, live, wanted, timeout)
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        this.go(broker, portal)
        code = OK
    except (BrokerError, ImageError, BoardFailure, NoReadings) as error:
        for line in this.board.console(CONSOLE_LINES) if this.board else []:
            console.print(Text(f"  board: {printable(line)}", style="dim"), soft_wrap=True)
        console.print(Text(f"make run: {error}", style="bold red"), soft_wrap=True)
        code = FAILED
    except Interrupted as end:
        asked = end.number == signal.SIGINT and not wanted
        code = OK if asked else 128 + end.number
    finally:
        this.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    if svg and code == OK:
        this.save_picture(svg)
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # the clean-up below is bounded; a second Ctrl-C must not cut it short
    raise Interrupted(number)


class _Run:
    """One run: what it has started, and what it has seen."""

    def __init__(self, console: Console, live: bool, wanted: int, timeout: float) -> None:
        self.board: BoardRun | None = None
        self._console = console
        self._live = live
        self._wanted = wanted
        self._timeout = timeout  # s from the start of the board
        self._deadline = 0.0
        self._stack = ExitStack()
        self._steps: list[Text] = []
        self._watcher: Watcher | None = None
        self._name = device_name()
        self._readings = Readings(f"node/{self._name}")

    def go(self, broker: str, portal: bool) -> None:
        address, word = self._start_broker(broker)
        self._watcher = Watcher(address, f"{self._readings.base}/#")
        self._watcher.start()
        self._stack.callback(self._watcher.stop)
        self._done(f"broker    {word}")
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="node-")))
        label = Label(self._name, self._name, new_key(), f"127.0.0.1:{free_port(PAGE_PORT)}")
        settings = node_settings(self._name, address.port)
        if portal:
            settings = fresh_settings(self._name, int(label.address.split(":")[1]), label.key)
        with self._console.status("building the image"):
            image = build_image(folder / "flash.bin", settings)
        self._done(f"image     {len(image.romfs) / 1024:.0f} KiB in ROMFS, {', '.join(image.data)} on LittleFS")
        self.board = BoardRun(image, address)
        self._stack.callback(self.board.stop)
        self.board.start()
        self._deadline = time.monotonic() + self._timeout
        self._done(f"board     boots, {self.board.describe()}")
        if portal:
            self.board.wait_for_page(PAGE_TIMEOUT)
            self._done(f"page      http://{label.address}/")
            self._console.print(Text(self._invitation(label)), soft_wrap=True)
        if self._live:
            self._show_table()
        else:
            self._print_lines()

    def _invitation(self, label: Label) -> str:
        """What a person does at the page; the code is what a phone would scan to join a real node's access point."""
        return (
            f"\n{label.text()}\n"
            f"Open http://{label.address}/ in a browser. The virtual air has the network {SSID}, whose key is {KEY};\n"
            f"the broker is {BROKER_NAME}. The readings come when the page says Connected.\n"
        )

    def close(self) -> None:
        self._stack.close()

    def save_picture(self, path: Path) -> None:
        """Write the steps and the table of this run as SVG: what a terminal shows at the end."""
        picture = Console(record=True, file=io.StringIO(), width=SVG_WIDTH, force_terminal=True, highlight=False)
        picture.print(Text(f"$ make run{f' READINGS={self._wanted}' if self._wanted else ''}", style="bold"))
        for step in self._steps:
            picture.print(step)
        picture.print(self._table(finished=True))
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save_svg(str(path), title="make run")

    def _start_broker(self, broker: str) -> tuple[Address, str]:
        """Where the broker is, the user's or an embedded one, and how to call it."""
        if broker:
            address = parse_address(broker)
            return address, str(address)
        embedded = EmbeddedBroker(DEFAULT_PORT)
        self._stack.callback(embedded.stop)
        with self._console.status("starting the embedded broker"):
            embedded.start()
        address = Address(embedded.host, embedded.port)
        taken = "" if embedded.port == DEFAULT_PORT else f" ({DEFAULT_PORT} is taken)"
        return address, f"amqtt on {address}{taken}"

    def _done(self, text: str) -> None:
        step = Text.assemble(("✓ ", "green"), text)
        self._steps.append(step)
        self._console.print(step, soft_wrap=True)

    # -- until the end --------------------------------------------------------------------------------------------

    def _print_lines(self) -> None:
        while not self._finished():
            arrival = self._next()
            if arrival and self._take(arrival):
                payload = arrival.payload.decode("utf-8", "backslashreplace")
                print(printable(arrival.topic), printable(payload), flush=True)

    def _show_table(self) -> None:
        with Live(console=self._console, auto_refresh=False, transient=False) as view:
            while True:
                finished = self._finished()
                view.update(self._table(finished), refresh=True)
                if finished:
                    return
                arrival = self._next()
                while arrival:
                    self._take(arrival)
                    arrival = None if self._finished() else self._next(wait=0)

    def _table(self, finished: bool) -> Table:
        title = f"{self._readings.base}  {self._readings.status or 'starting'}"
        return self._readings.table(time.monotonic(), title, self._caption(finished))

    def _caption(self, finished: bool) -> str:
        count = (
            f"{self._readings.count} of {self._wanted} readings" if self._wanted else f"{self._readings.count} readings"
        )
        if finished:
            return count
        assert self._watcher
        if not self._watcher.connected:
            return f"{count}; the broker is away, trying again"
        last = self.board.console(1) if self.board and not self._readings.count else []
        return "; ".join([count, *(printable(line) for line in last), "Ctrl-C ends"])

    def _take(self, arrival: Arrival) -> bool:
        return self._readings.add(arrival.topic, arrival.payload, arrival.retained, arrival.at)

    def _next(self, wait: float = TICK) -> Arrival | None:
        assert self._watcher
        try:
            return self._watcher.arrivals.get(timeout=wait) if wait else self._watcher.arrivals.get_nowait()
        except queue.Empty:
            return None

    def _finished(self) -> bool:
        """True if enough came. Raises BoardFailure if the node is dead, NoReadings if the time is over."""
        assert self.board
        assert self._watcher
        if self._wanted and self._readings.count >= self._wanted:
            return True
        self.board.check()
        if self._wanted and (why := self.board.ended()):  # without READINGS a person may be at the prompt
            raise BoardFailure(f"the node's program ended: {why}")
        if self._wanted and time.monotonic() > self._deadline:
            raise NoReadings(self._reason())
        return False

    def _reason(self) -> str:
        assert self.board
        assert self._watcher
        if not self._watcher.connected:
            return "the broker went away and did not come back in time"
        if self._readings.count:
            return f"only {self._readings.count} of {self._wanted} readings came in time"
        if self._readings.status:
            return f"no reading came in time: the node reached the broker (it is {self._readings.status}) but sent none"
        if not self.board.has_wifi():
            return "no reading came in time: the node has no WiFi"
        return "no reading came in time: the node has WiFi but did not get through to the broker"


def device_name() -> str:
    """The node's name, the same at each run in this folder: on a broker of the user's, two runs do not mix."""
    return "vboard-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:4]
