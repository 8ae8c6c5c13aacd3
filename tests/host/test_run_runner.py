"""`python -m tools run` around a publisher in place of the board: output, exit codes, reasons, no process left."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tools.broker import HOST

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, str(Path(__file__).with_name("run_with_publisher.py")), "run"]
LINE = re.compile(r'node/vboard-[0-9a-f]{4}/telemetry \{"temperature": [\d.]+, "adc": 512\}')
MARK = "RUN_TEST_MARK"  # in the environment of all processes of one run; tells them from others of this machine


def environment(mark: str, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("BROKER", "READINGS", "FAKE_NODE")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        MARK: mark,
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "LINES": "40",
        **more,
    }


def left_behind(mark: str, seconds: float = 10) -> list[str]:
    """Command lines of processes of the run that still live after `seconds` at most."""
    deadline = time.monotonic() + seconds
    while True:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


def run(mark: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(mark, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_five_readings_then_exit_0(mark: str) -> None:
    done = run(mark, READINGS="5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all(LINE.fullmatch(line) for line in lines)
    assert "amqtt on 127.0.0.1:" in done.stderr
    assert left_behind(mark) == []


def test_readings_come_through_the_users_broker(mark: str, mosquitto: Mosquitto) -> None:
    done = run(mark, READINGS="2", BROKER=f"{mosquitto.host}:{mosquitto.port}")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert f"{mosquitto.host}:{mosquitto.port}" in done.stderr
    assert "node/vboard-" in mosquitto.log.read_text()


def test_a_broker_on_1883_is_left_alone(mark: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, 1883))
        except OSError:
            pass  # somebody else's broker is there: just as good
        else:
            taken.listen()
        done = run(mark, READINGS="1")
    assert done.returncode == 0, done.stderr
    assert "(1883 is taken)" in done.stderr


@pytest.mark.parametrize(
    ("broker", "reason"),
    [
        ("nonsense:port", "the port is a number"),
        ("a b", "is not host[:port]"),
        ("127.0.0.1:1", "no broker at 127.0.0.1:1"),
        ("no-such-host.invalid", "no address for the broker's name"),
    ],
)
def test_broker_that_is_not_there_is_one_line(mark: str, broker: str, reason: str) -> None:
    done = run(mark, READINGS="1", BROKER=broker)
    assert done.returncode == 1
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert left_behind(mark) == []


def test_port_that_does_not_speak_mqtt_is_named(mark: str) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        done = run(mark, READINGS="1", BROKER=f"{HOST}:{other.getsockname()[1]}")
    assert done.returncode == 1
    assert "does not answer as an MQTT broker" in done.stderr


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("mute", "reached the broker (it is online) but sent none"), ("dies", "the board stopped"), ("offair", "no WiFi")],
)
def test_no_reading_is_exit_1_with_the_stage_and_the_console(mark: str, behaviour: str, reason: str) -> None:
    done = run(mark, "--timeout", "4", READINGS="5", FAKE_NODE=behaviour)
    assert done.returncode == 1
    assert reason in done.stderr.splitlines()[-1]
    assert "board: the last words" in done.stderr
    assert left_behind(mark) == []


def test_sigterm_ends_everything_without_a_traceback(mark: str) -> None:
    code, errors = started_then(mark, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM
    assert "Traceback" not in errors
    assert left_behind(mark) == []


def test_sigkill_of_the_runner_ends_the_children(mark: str) -> None:
    code, _ = started_then(mark, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert left_behind(mark) == []


def started_then(mark: str, number: signal.Signals) -> tuple[int, str]:
    """Start a run, wait for its first reading, send the signal; returns exit code and standard error."""
    with subprocess.Popen(
        COMMAND, env=environment(mark), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        killer = threading.Timer(50, process.kill)
        killer.start()
        try:
            assert process.stdout and process.stderr
            assert LINE.match(process.stdout.readline())
            process.send_signal(number)
            process.wait(30)
            return process.returncode, process.stderr.read()
        finally:
            killer.cancel()
            process.kill()


def test_terminal_shows_a_table_and_ctrl_c_restores_it(mark: str) -> None:
    code, screen = in_terminal(mark, keys=b"\x03")
    assert code == 0
    assert "temperature" in screen and "°C" in screen and "count" in screen
    assert "Traceback" not in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")  # the cursor is visible again
    assert left_behind(mark) == []


def in_terminal(mark: str, keys: bytes) -> tuple[int, str]:
    """Run in a terminal of its own, type the keys once readings are shown; returns exit code and all output."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(COMMAND[0], COMMAND, environment(mark))
    output, typed = b"", False
    deadline = time.monotonic() + 50
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux: the other side is closed
                chunk = b""
            if not chunk:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode(errors="replace")
            output += chunk
            if not typed and "°C".encode() in output:
                os.write(master, keys)
                typed = True
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise AssertionError("still running:\n" + output.decode(errors="replace")[-2000:])
    finally:
        os.close(master)


def test_picture_of_the_run_is_written(mark: str, tmp_path: Path) -> None:
    picture = tmp_path / "pictures" / "run.svg"
    done = run(mark, "--svg", str(picture), READINGS="2")
    assert done.returncode == 0, done.stderr
    text = picture.read_text()
    assert "temperature" in text and "°C" in text and "image" in text


@pytest.mark.parametrize("value", ["-1", "many"])
def test_wrong_number_of_readings_is_named(mark: str, value: str) -> None:
    done = run(mark, READINGS=value)
    assert done.returncode == 2
    assert "readings" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_second_run_goes_like_the_first(mark: str) -> None:
    first, second = run(mark, READINGS="1"), run(mark, READINGS="1")
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert first.stdout == second.stdout  # the same topic: the node's name is the same in the same folder
