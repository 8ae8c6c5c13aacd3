"""The commands of docs/flash.md, as printed there, by a new user with an empty chip: at the end readings arrive."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from test_flash_node import ROOT

from tests.brokers import EmbeddedBroker
from tests.fake_firmware import firmware
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.vboard import Board
from tools.vboard.bootloader import BootLoader
from tools.watcher import Address, Watcher

PARTS = ("lib", "tools", "firmware", "config", "Makefile", "boot.py", "main.py", "requirements.lock", "pyproject.toml")


def copy_of_the_project(folder: Path) -> Path:
    """What a new user has: without what is built here, so that the firmware of this test stays in the test."""
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    return folder


def commands() -> list[str]:
    text = (ROOT / "docs" / "flash.md").read_text()
    block = re.search(r"## In short\n\n((?: {4}.*\n)+)", text)
    assert block
    return [line.strip() for line in block[1].splitlines()]


def start(project: Path, command: str, **variables: str | Path) -> subprocess.Popen[str]:
    assert command.startswith("make ")
    # -o: the packages are installed already
    words = ["make", "-o", ".venv/.ready", *command.split()[1:], *(f"{k}={v}" for k, v in variables.items())]
    kept = {k: v for k, v in os.environ.items() if k not in variables and k not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.Popen(
        words,
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=kept,
        start_new_session=True,
    )


def run(project: Path, command: str, **variables: str | Path) -> str:
    process = start(project, command, **variables)
    try:
        said = process.communicate(timeout=60)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{command}:\n{said}"
    return said


def test_every_command_as_printed(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    project = copy_of_the_project(tmp_path / "my project")
    base, settings, image = tmp_path / "download.bin", tmp_path / "mine.json", tmp_path / "flash.bin"
    base.write_bytes(firmware())
    settings.write_text(json.dumps(node_settings("new", amqtt.port)))
    get, flash, provision, doctor, monitor = commands()

    assert "SHA-256" in run(project, get, FILE=base)  # no network in a test
    with BootLoader(image) as chip:
        said = run(project, flash, PORT=chip.path, RESET="no")
    assert "verified by MD5" in said
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/new/telemetry")
    watcher.start()
    try:
        with Board(image, names={BROKER_NAME: (amqtt.host, amqtt.port)}) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            said = run(project, provision, PORT=board.console_path, SETTINGS=settings)
            assert "WiFi  new" in said and KEY not in said
            assert watcher.arrivals.get(timeout=40).payload
            said = run(project, doctor, PORT=board.console_path, BROKER=f"{amqtt.host}:{amqtt.port}")
            assert "all is well" in said
            assert "nothing to copy" in run(project, "make deploy", PORT=board.console_path)
            watched = start(project, monitor, PORT=board.console_path)
            try:
                assert watched.stdout
                line = next(line for line in watched.stdout if "mqtt: connected" in line)
                assert re.match(r"\d\d:\d\d:\d\d\.\d{3}  ", line)
                os.killpg(watched.pid, signal.SIGINT)
                watched.communicate(timeout=20)
            finally:
                if watched.poll() is None:
                    os.killpg(watched.pid, signal.SIGKILL)
    finally:
        watcher.stop()
