"""`make monitor`: lines with their time, ports that come and go, what a broker sees."""

from __future__ import annotations

import datetime
import io
import os
import pty
import tty
from pathlib import Path

from rich.console import Console

from tests.brokers import EmbeddedBroker
from tools.monitor import monitor, styled
from tools.watcher import Address, Watcher


class Board:
    """The far end of a serial port with a name that stays."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.plug()

    def plug(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(slave))
        self.slave = slave

    def unplug(self) -> None:
        os.close(self.slave)
        os.close(self.master)
        self.name.unlink()


def test_lines_have_times_and_colours_and_no_control_characters() -> None:
    line = styled("wifi: online", datetime.datetime(2026, 1, 2, 3, 4, 5, 6000))
    assert line.plain == "03:04:05.006  wifi: online"
    assert any("green" in str(span.style) for span in line.spans)


def test_a_board_that_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    board = Board(tmp_path / "port")
    out = io.StringIO()
    steps = iter(
        [
            (lambda: "is open" in out.getvalue(), lambda: os.write(board.master, b"first\x1b[2J\r\nhal")),
            (lambda: "first" in out.getvalue(), lambda: os.write(board.master, b"f\r\n")),
            (lambda: "half" in out.getvalue(), board.unplug),
            (lambda: "is gone" in out.getvalue(), board.plug),
            (lambda: out.getvalue().count("is open") == 2, lambda: os.write(board.master, b"again\n")),
            (lambda: "again" in out.getvalue(), lambda: None),
        ]
    )
    step, rounds = next(steps), 0

    def stop() -> bool:
        nonlocal step, rounds
        rounds += 1
        assert rounds < 200, out.getvalue()
        if step[0]():
            step[1]()
            step = next(steps, None)
        return step is None

    monitor(str(board.name), Console(file=out, width=120), stop=stop)
    assert "\x1b" not in out.getvalue() and "first\\x1b[2J" in out.getvalue()
    board.unplug()


def test_what_the_broker_sees_is_added(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    board = Board(tmp_path / "port")
    sender = Watcher(Address(amqtt.host, amqtt.port), "none")
    sender.start()
    out = io.StringIO()
    rounds = 0

    def stop() -> bool:
        nonlocal rounds
        rounds += 1
        sender._client.publish("node/a/telemetry", b'{"t":1}')
        assert rounds < 100, out.getvalue()
        return 'broker  node/a/telemetry {"t":1}' in out.getvalue()

    try:
        monitor(str(board.name), Console(file=out, width=120), f"{amqtt.host}:{amqtt.port}", stop)
    finally:
        sender.stop()
        board.unplug()
