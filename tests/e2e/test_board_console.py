"""The serial console: the real mpremote and the real ampy, Ctrl-C, soft reboot; and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.image import Image
from tools.vboard import Board

MakeBoard = Callable[..., Board]
PROMPT = ">>> "
BUSY = "import time\nprint('busy')\nwhile True:\n    time.sleep_ms(50)\n"


def tool(*arguments: str | Path) -> str:
    """Run `python -m TOOL ARGUMENTS`; returns its output."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mpremote(board: Board, *arguments: str | Path) -> str:
    return tool("mpremote", "connect", board.console_path, *arguments)


def ampy(board: Board, *arguments: str | Path) -> str:
    return tool("ampy.cli", "--port", board.console_path, *arguments)


@pytest.mark.parametrize("main", ["print('idle')\n", BUSY])
def test_mpremote_works_whether_or_not_the_node_runs(make_board: MakeBoard, tmp_path: Path, main: str) -> None:
    board = make_board(main=main)
    board.power_on()
    board.wait_for("idle" if "idle" in main else "busy")
    assert "boot.py" in mpremote(board, "fs", "ls")
    assert mpremote(board, "exec", "print(6 * 7)").strip() == "42"
    source, back = tmp_path / "a file", tmp_path / "back"
    source.write_bytes(bytes(range(256)) * 12)
    mpremote(board, "fs", "cp", source, ":copied")
    mpremote(board, "fs", "cp", ":copied", back)
    assert back.read_bytes() == source.read_bytes()
    mark = board.mark()
    mpremote(board, "soft-reset")
    board.wait_for("MPY: soft reboot", since=mark)
    assert mpremote(board, "eval", "1+1").strip() == "2"


def test_what_mpremote_wrote_survives_a_power_cut(make_board: MakeBoard, tmp_path: Path) -> None:
    board = make_board()
    board.power_on()
    (tmp_path / "new main").write_text("print('new main ran')\n")
    mpremote(board, "fs", "cp", tmp_path / "new main", ":main.py")
    board.power_off()
    board.power_on()
    board.wait_for("new main ran")


def test_mpremote_reset_is_a_reset(make_board: MakeBoard) -> None:
    board = make_board(main="import machine\nprint('cause', machine.reset_cause())\n")
    board.power_on()
    board.wait_for("cause 0")
    mpremote(board, "reset")
    board.wait_for("cause 4")


@pytest.mark.parametrize("main", ["print('idle')\n", BUSY])
def test_ampy_works_whether_or_not_the_node_runs(make_board: MakeBoard, tmp_path: Path, main: str) -> None:
    board = make_board(main=main)
    board.power_on()
    board.wait_for("idle" if "idle" in main else "busy")
    assert "/boot.py" in ampy(board, "ls")
    source = tmp_path / "a file"
    source.write_text("put by ampy\n" * 50)
    ampy(board, "put", source, "/put.txt")
    assert ampy(board, "get", "/put.txt").strip() == source.read_text().strip()


def test_ctrl_c_interrupts_the_node_and_ctrl_d_starts_it_again(make_board: MakeBoard) -> None:
    board = make_board(main=BUSY)
    board.power_on()
    board.wait_for("busy")
    board.type("\x03")
    log = board.wait_for(PROMPT)
    assert "KeyboardInterrupt" in log
    mark = board.mark()
    board.type("\x04")
    log = board.wait_for("busy", since=mark)
    assert "MPY: soft reboot\nboot ran\n" in log


def test_ctrl_c_in_an_asyncio_node(make_board: MakeBoard) -> None:
    main = "import asyncio\nasync def f():\n    print('busy')\n    await asyncio.sleep(1000)\nasyncio.run(f())\n"
    board = make_board(main=main)
    board.power_on()
    board.wait_for("busy")
    board.type("\r\x03\x03")  # as ampy does
    board.wait_for(PROMPT)
    assert board.boots == 1


def test_a_soft_reset_in_raw_repl_runs_boot_py_only_and_stays_raw(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    board.wait_for(PROMPT)
    board.type("\x01")
    board.wait_for("raw REPL; CTRL-B to exit\n>")
    mark = board.mark()
    board.type("\x04")
    log = board.wait_for("raw REPL; CTRL-B to exit\n>", since=mark)
    assert log == "OK\nMPY: soft reboot\nboot ran\nraw REPL; CTRL-B to exit\n>"
    mark = board.mark()
    board.type("print(5)\x04")
    board.wait_for("OK5\n", since=mark)
    board.type("\x02")
    board.wait_for(PROMPT, since=mark)


def test_newlines_are_cr_lf_on_the_wire(make_board: MakeBoard) -> None:
    board = make_board()
    port = os.open(board.console_path, os.O_RDWR | os.O_NOCTTY)
    try:
        board.power_on()
        board.wait_for(PROMPT)
        seen = b""
        while PROMPT.encode() not in seen:
            seen += os.read(port, 1024)
        assert seen.startswith(b"boot ran\r\nmain ran\r\n")
        assert b"\r\r" not in seen
    finally:
        os.close(port)


def test_a_console_that_nobody_reads_does_not_hold_up_the_node(make_board: MakeBoard) -> None:
    main = "for i in range(3000):\n    print('x' * 100)\nprint('through')\n"
    board = make_board(main=main)
    port = os.open(board.console_path, os.O_RDWR | os.O_NOCTTY)  # open, and silent
    try:
        board.power_on()
        board.wait_for("through", timeout=20)
        assert len(board.log) <= 256 * 1024
    finally:
        os.close(port)


OWNER = """
import sys, time
from pathlib import Path
from tools.vboard import Board
board = Board(Path(sys.argv[1]))
board.power_on()
print(board.pid, flush=True)
if sys.argv[2] == "raise":
    raise ValueError
time.sleep(100)
"""


@pytest.mark.parametrize("end", ["raise", "SIGTERM", "SIGINT", "SIGKILL"])
def test_no_process_is_left_however_the_owner_ends(make_image: Callable[..., Image], end: str) -> None:
    image = make_image(main=BUSY)
    root = Path(__file__).parents[2]
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(image.path), end],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        if end != "raise":
            owner.send_signal(getattr(signal, end))
        owner.wait(20)
        deadline = time.monotonic() + 10
        while running(pid):
            assert time.monotonic() < deadline, "the VM outlives its owner"
            time.sleep(0.01)
    finally:
        owner.kill()
        owner.wait()


def test_no_process_or_descriptor_is_left_after_close(make_image: Callable[..., Image]) -> None:
    image = make_image(main=BUSY)
    before = set(os.listdir("/proc/self/fd"))
    with Board(image) as board:
        board.power_on()
        pid = board.pid
    assert pid and not running(pid)
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def running(pid: int) -> bool:
    """Zombies of a foreign parent count as ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
