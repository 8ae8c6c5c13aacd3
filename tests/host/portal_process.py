"""Runs the portal (tests/unit/portal_node.py) in a process of its own, on CPython or in the MicroPython VM."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"


@dataclass
class Running:
    """A portal that answers."""

    port: int
    dns_port: int
    process: subprocess.Popen

    def connect(self, timeout: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def send(self, data: bytes, timeout: float = 10) -> bytes:
        """The whole answer to `data`."""
        with self.connect(timeout) as sock:
            sock.sendall(data)
            return receive(sock)

    def get(self, path: str = "/", extra: str = "") -> bytes:
        return self.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{extra}\r\n".encode())


def receive(sock: socket.socket) -> bytes:
    """Everything until the end; a reset is an end too."""
    data = b""
    try:
        while piece := sock.recv(4096):
            data += piece
    except ConnectionResetError:
        pass
    return data


def command(interpreter: str, *arguments: str, heap: str = "4M") -> list[str]:
    """The command line that runs a Python file on "cpython" or "micropython"."""
    if interpreter == "micropython":
        return [sys.executable, "-m", "micropython_unix", "-X", f"heapsize={heap}", *arguments]
    return [sys.executable, *arguments]


def environment(lib: str = str(ROOT / "lib")) -> dict[str, str]:
    return dict(os.environ, PYTHONPATH=f"{lib}:{UNIT}", MICROPYPATH=f"{lib}:{UNIT}:.frozen")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def running(
    interpreter: str, scenario: str = "fresh", ports: tuple[int, int] | None = None, *wrap: str
) -> Iterator[Running]:
    """A portal on loopback in that scenario of portal_node.py."""
    web, names = ports or (free_port(), free_port(socket.SOCK_DGRAM))
    line = command(interpreter, str(UNIT / "portal_node.py"), str(web), str(names), scenario)
    process = subprocess.Popen([*wrap, *line], env=environment())
    try:
        portal = Running(web, names, process)
        deadline = time.monotonic() + 20
        while True:
            try:
                if portal.get("/progress").startswith(b"HTTP/1.1 200"):
                    break
            except ConnectionRefusedError:
                assert process.poll() is None, "the portal ended at its start"
                assert time.monotonic() < deadline, "the portal does not answer"
                time.sleep(0.05)
        yield portal
        assert process.poll() is None, "the portal ended by itself"
    finally:
        process.kill()
        process.wait()
