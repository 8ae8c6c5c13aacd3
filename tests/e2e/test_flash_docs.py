"""The commands of README's "Flash a board", as printed there, by a new user with an empty chip: at the end readings arrive.

What is not here is stood in for outside of the project: the site with the firmware by a server on loopback, the USB port
by a pty (in the list that the system would give), the chip by the boot loader stand-in and then the virtual board.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_flash_node import ROOT

from tests.brokers import EmbeddedBroker
from tests.fake_firmware import firmware
from tools.board_run import KEY, SSID
from tools.vboard import Board
from tools.vboard.bootloader import BootLoader
from tools.watcher import Address, Watcher

PARTS = ("lib", "tools", "firmware", "config", "Makefile", "boot.py", "main.py", "requirements.lock", "pyproject.toml")
NAME = "ESP8266_GENERIC-FLASH_2M_ROMFS-20260824-v1.29.0.bin"
PATIENCE = 60  # s for a command, or for its next question
SECRETS = ("its key", "password at the broker")
PORTS = """\
import types
from serial.tools import list_ports
found = types.SimpleNamespace(device={device!r}, vid=0x1A86, pid=0x7523, serial_number="")
list_ports.comports = lambda: [found]
"""


def commands(path: Path, heading: str) -> list[str]:
    block = re.search(rf"## {heading}\n(?:[\s\S]*?\n)??\n((?: {{4}}make .*\n)+)", path.read_text())
    assert block
    return [line.partition("#")[0].strip() for line in block[1].splitlines()]


def test_both_documents_print_the_same_commands() -> None:
    assert commands(ROOT / "README.md", "Flash a board") == commands(ROOT / "docs" / "flash.md", "In short")


class User:
    """A person at a terminal in a copy of the project, without what is built here; `port` is the plug of the cable."""

    def __init__(self, folder: Path, page: str) -> None:
        self.project = folder / "my project"
        self.project.mkdir()
        for name in PARTS:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, self.project / name)
        (self.project / ".venv").symlink_to((ROOT / ".venv").resolve())
        base = self.project / "firmware" / "base.json"
        base.write_text(json.dumps({**json.loads(base.read_text()), "page": page}))
        self.port = folder / "ttyUSB0"
        (self.project / "sitecustomize.py").write_text(PORTS.format(device=str(self.port)))
        self.said = ""

    def plug(self, path: str) -> None:
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(path)

    def start(self, command: str) -> None:
        assert command.startswith("make ")
        self._terminal, slave = pty.openpty()
        self.said = ""
        kept = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BROKER", "PORT")}
        self._process = subprocess.Popen(
            ["make", "-o", ".venv/.ready", *command.split()[1:]],  # -o: the packages are installed already
            cwd=self.project,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "COLUMNS": "160", "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            assert time.monotonic() < deadline and self._read(), f"no {text!r} in:\n{self.said}"

    def answer(self, question: str, text: str) -> None:
        """Wait for the question, and for a key until it does not show; what was said before is done with."""
        self.wait_for(question + ": ")
        deadline = time.monotonic() + PATIENCE
        while question in SECRETS and termios.tcgetattr(self._terminal)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "a secret is shown as it is typed"
            time.sleep(0.01)
        self.said = ""
        os.write(self._terminal, text.encode() + b"\n")

    def end(self, *codes: int) -> str:
        """Until the command has ended, well or with one of these codes; returns what it said since the last question."""
        try:
            deadline = time.monotonic() + PATIENCE
            while self._read():
                assert time.monotonic() < deadline, self.said
            assert self._process.wait(PATIENCE) in (codes or (0,)), self.said
            return self.said
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            os.close(self._terminal)

    def run(self, command: str) -> str:
        self.start(command)
        return self.end()

    def interrupt(self) -> None:
        """Ctrl-C reaches make and the tool."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> bool:
        """False when the terminal is closed."""
        if select.select([self._terminal], [], [], 1)[0]:
            try:
                data = os.read(self._terminal, 4096)
            except OSError:
                data = b""
            self.said += data.decode(errors="replace").replace("\r", "")
            return bool(data)
        return True


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The download page, and what it lists."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / NAME).write_bytes(firmware())
    (folder / "index.html").write_text(f'<a href="/{NAME}">{NAME}</a>')
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_command_as_printed(tmp_path: Path, amqtt: EmbeddedBroker, site: str) -> None:
    get, flash, provision, doctor, monitor = commands(ROOT / "README.md", "Flash a board")
    user, image = User(tmp_path, site), tmp_path / "flash.bin"
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/new/telemetry")
    watcher.start()
    try:
        assert "not pinned; PIN=1 pins it" in user.run(get)
        with BootLoader(image) as chip:
            user.plug(chip.path)
            said = user.run(flash)
        assert "verified by MD5" in said
        assert "this port cannot reset the chip; press RST" in said and "WARNING" not in said, "a pty has no such lines"
        with Board(image) as board:
            board.air.add(SSID, KEY)
            user.plug(board.console_path)
            board.power_on()
            user.start(provision)
            for question, text in (
                ("name of the node", "new"),
                ("WiFi network (SSID)", SSID),
                ("its key", "short"),
                ("its key", KEY),
                ("MQTT broker, host or host:port", f"{amqtt.host}:{amqtt.port}"),
                ("user at the broker", ""),
                ("password at the broker", ""),
                ("first sensor (docs/sensors.md)", "adc"),
            ):
                user.answer(question, text)
            said = user.end()
            assert "WiFi  new" in said and KEY not in said
            assert watcher.arrivals.get(timeout=40).payload
            assert "all is well" in user.run(doctor)
            assert "nothing to copy" in user.run("make deploy")
            user.start(monitor)
            user.wait_for("mqtt: connected")
            assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  ", user.said, re.MULTILINE)
            user.interrupt()
            user.end(-signal.SIGINT)  # make's own
    finally:
        user.kill()
        watcher.stop()
