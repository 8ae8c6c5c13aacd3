"""Brokers for tests, each a process of its own on a free loopback port: Debian's mosquitto, and the embedded amqtt.

Both have `host`, `port`, `start()`, `stop()` (polite: SIGTERM) and `kill()` (SIGKILL); the port stays over restarts.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tools.broker import EmbeddedBroker, free_port

START_TIMEOUT = 15  # s
SBIN = "/usr/sbin:/usr/local/sbin"  # where Debian and Homebrew put mosquitto; not on every user's PATH


def find_program(name: str) -> str | None:
    """Path of an installed program, also from the folders for servers; None if it is missing."""
    return shutil.which(name) or shutil.which(name, path=SBIN)


class Mosquitto:
    """mosquitto with anonymous access, until the `with` ends. Raises RuntimeError, with its log, if it does not come up."""

    def __init__(self, program: str, folder: Path, extra: str = "") -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._program = program
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} {self.host}\nallow_anonymous true\nset_tcp_nodelay true\nlog_type all\n"
            + ("user root\n" if os.geteuid() == 0 else "")
            + extra
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and return once it accepts connections."""
        with self.log.open("ab") as log:
            command = [self._program, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        log_text = self.log.read_text(errors="replace")
        self.kill()
        raise RuntimeError("mosquitto did not start:\n" + log_text)

    def stop(self) -> None:
        """End it as `systemctl stop` would. Does nothing if it does not run."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None


__all__ = ["EmbeddedBroker", "Mosquitto", "find_program"]
