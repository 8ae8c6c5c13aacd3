"""`make run` with all that is real: make, the image, the node in its VM, the broker, the client that watches.

The readings that count here come from a broker, never from the node's own log.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import EmbeddedBroker, Mosquitto
from tests.processes import ROOT, environment, in_terminal, left_behind
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Watcher

LINE = re.compile(r"node/vboard-[0-9a-f]{4}/telemetry \{.*\}")
PARTS = ("boot.py", "main.py", "lib", "tools", "firmware", "config", "Makefile", "pyproject.toml", "requirements.lock")
PATIENCE = 60  # s that a run or the next reading may take on a busy machine


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in a folder with a space in its name, with the packages installed."""
    folder = tmp_path / "my node"
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    os.utime(folder / "requirements.lock", (0, 0))  # older than .venv/.ready: nothing is to be installed
    return folder


def make_run(folder: Path, mark: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "run"],
        env=environment(mark, **more),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_five_readings_from_a_path_with_a_space_and_again(project: Path, mark: str) -> None:
    for _ in range(2):
        done = make_run(project, mark, READINGS="5")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 5
        assert all(LINE.fullmatch(line) for line in lines)
        assert left_behind(mark) == []


def test_readings_go_through_the_users_broker(project: Path, mark: str, mosquitto: Mosquitto) -> None:
    done = make_run(project, mark, READINGS="2", BROKER=f"{mosquitto.host}:{mosquitto.port}")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert done.stdout.split()[0] in mosquitto.log.read_text()


def test_broker_that_is_not_there_fails_before_anything_boots(project: Path, mark: str) -> None:
    done = make_run(project, mark, READINGS="1", BROKER="127.0.0.1:1")
    assert done.returncode != 0
    assert "no broker at 127.0.0.1:1" in done.stderr
    assert "board" not in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_make_run_and_restores_the_terminal(project: Path, mark: str) -> None:
    code, screen = in_terminal(["make", "run"], mark, when="telemetry", keys=b"\x03", folder=project)
    assert code in (0, -signal.SIGINT, 130, 2)  # make's own way to say that it was interrupted
    assert "Traceback" not in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")  # the cursor is visible again
    assert left_behind(mark) == []


@pytest.fixture
def running(project: Path, mark: str, mosquitto: Mosquitto) -> Iterator[subprocess.Popen[str]]:
    """`make run` through mosquitto, without an end; the runner itself, for signals by its process id."""
    command = [str(project / ".venv" / "bin" / "python"), "-m", "tools", "run"]
    env = environment(mark, BROKER=f"{mosquitto.host}:{mosquitto.port}")
    with subprocess.Popen(command, env=env, cwd=project, stdout=subprocess.PIPE, text=True) as process:
        killer = threading.Timer(2 * PATIENCE - 10, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def next_reading(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()  # ends at the latest when the runner is killed
    assert LINE.fullmatch(line.strip()), "no reading came"
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_the_runner(running: subprocess.Popen[str], mark: str, number: signal.Signals) -> None:
    next_reading(running)
    running.send_signal(number)
    running.wait(PATIENCE)
    assert left_behind(mark) == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_readings_go_on_after_the_broker_was_away(
    running: subprocess.Popen[str], mosquitto: Mosquitto, end: str
) -> None:
    next_reading(running)
    getattr(mosquitto, end)()
    before = len(mosquitto.log.read_text())
    mosquitto.start()
    delivered = re.compile(r"Sending PUBLISH to .*/telemetry")
    while not delivered.search(mosquitto.log.read_text()[before:]):
        next_reading(running)  # what the runner still had from before
    next_reading(running)


def test_readings_go_on_after_the_access_point_was_away(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    image = build_image(tmp_path / "flash.bin", node_settings("one", amqtt.port))
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/one/telemetry")
    watcher.start()
    try:
        with Board(image, names={BROKER_NAME: (amqtt.host, amqtt.port)}) as board:
            point = board.air.add(SSID, KEY)
            board.power_on()
            watcher.arrivals.get(timeout=PATIENCE)
            board.air.change(point, up=False)
            board.wait_until(lambda: not board.silicon.online()[0], timeout=PATIENCE)
            while not watcher.arrivals.empty():
                watcher.arrivals.get_nowait()
            board.air.change(point, up=True)
            for _ in range(2):
                watcher.arrivals.get(timeout=PATIENCE)
    finally:
        watcher.stop()
