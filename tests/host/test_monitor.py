"""`make monitor`: lines with their time, ports that come and go, what a broker sees."""

from __future__ import annotations

import datetime
import fcntl
import io
import os
import pty
import tty
from pathlib import Path

from rich.console import Console

from tests.brokers import EmbeddedBroker
from tests.e2e.deploy_world import Project
from tools.monitor import monitor, styled
from tools.names import Names
from tools.vboard import Board as VirtualBoard
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


def test_a_traceback_has_the_names_of_the_source(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write(
        "lib/node/__init__.py",
        "class Meter:\n    def _look_at_it(self):\n        return self._not_there_at_all\n\n"
        "    def f(self):\n        self._not_there_at_all_ = 1\n\n"
        "def _measure_it(x):\n    return Meter()._look_at_it()\n\ndef main(v):\n    _measure_it(v)\n",
    )
    built = project.build()
    out = io.StringIO()
    with VirtualBoard(built.merged) as board:
        board.power_on()
        board.wait_for(">>> ")
        rounds = 0

        def stop() -> bool:
            nonlocal rounds
            rounds += 1
            assert rounds < 100, out.getvalue()
            if rounds == 2:
                board.reset()
            return "AttributeError" in out.getvalue()

        names = Names.of_last_build(project.root / "build" / "names.json")
        monitor(board.console_path, Console(file=out, width=120), stop=stop, names=names)
        log = board.log
    said = out.getvalue()
    assert 'File "lib/node/__init__.py", line 9, in _measure_it' in said and "line 3, in _look_at_it" in said
    assert "AttributeError: 'Meter' object has no attribute '_not_there_at_all'" in said
    assert "_measure_it" not in log and "Meter" not in log, "the image has short names"
    assert Names.of_last_build(tmp_path / "none").long("a: 'b'") == "a: 'b'"


def test_a_port_that_another_program_has_is_said_once(tmp_path: Path) -> None:
    out = io.StringIO()
    board = Board(tmp_path / "port")
    rounds = 0

    def stop() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            fcntl.flock(other, fcntl.LOCK_UN)
        assert rounds < 50, out.getvalue()
        return "is open" in out.getvalue()

    with open(board.name, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        monitor(str(board.name), Console(file=out, width=200), stop=stop)
    board.unplug()
    assert out.getvalue().count("another program has") == 1


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
