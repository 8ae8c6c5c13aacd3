"""`python -m tools run` around a publisher in place of the board: output, exit codes, reasons, no process left."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.processes import ROOT, environment, in_terminal, left_behind
from tools.broker import HOST

COMMAND = [sys.executable, str(Path(__file__).with_name("run_with_publisher.py")), "run"]
LINE = re.compile(r'node/vboard-[0-9a-f]{4}/telemetry \{"temperature": [\d.]+, "adc": 512\}')


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
    [
        ("mute", "reached the broker (it is online) but sent none"),
        ("dies", "the board stopped"),
        ("raises", "program ended: MemoryError: memory allocation failed, allocating 192 bytes"),
        ("offair", "no WiFi"),
    ],
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
    code, screen = in_terminal(COMMAND, mark, when="°C", keys=b"\x03")
    assert code == 0
    assert "temperature" in screen and "°C" in screen and "count" in screen
    assert "Traceback" not in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")  # the cursor is visible again
    assert left_behind(mark) == []


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
