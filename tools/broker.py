"""The embedded broker of `make run`: amqtt in a process of its own, loopback only, no login.

The child ends on SIGTERM, and when its standard input closes: so it cannot outlive its parent, however that one ends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.errors import ToolError

HOST = "127.0.0.1"
DEFAULT_PORT = 1883
START_TIMEOUT = 30.0  # s, until the child says that it listens; importing amqtt takes a second or two
STOP_TIMEOUT = 5.0  # s, then it is killed
READY = b"ready\n"


class BrokerError(ToolError):
    """The broker could not be started or reached; the text is one line for the user."""


def free_port(wish: int = 0) -> int:
    """`wish` if a listener may bind it on loopback, else any free port."""
    for port in (wish, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise BrokerError("no free port on loopback")


class EmbeddedBroker:
    """amqtt as a child process. The port is chosen once and kept over `stop()` and `start()`."""

    def __init__(self, wish: int = 0) -> None:
        self.host = HOST
        self.port = free_port(wish)
        self._kept = False  # the port is ours from the first start on
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id. Raises BrokerError while it does not run."""
        if self._process is None:
            raise BrokerError("the embedded broker does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it; returns once it accepts connections. Raises BrokerError with the child's last words."""
        words = self._start()
        while words and not self._kept and "address already in use" in words:
            self.port = free_port()  # somebody was quicker
            words = self._start()
        if words is not None:
            raise BrokerError(f"the embedded broker did not start: {words or 'no word from it'}")
        self._kept = True

    def _start(self) -> str | None:
        """None when it runs, else its last words."""
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.broker", str(self.port)],
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the runner alone
            )
            deadline = time.monotonic() + START_TIMEOUT
            while time.monotonic() < deadline and self._process.poll() is None:
                log.seek(0)
                if READY in log.read():
                    return None
                time.sleep(0.02)
            log.seek(0)
            words = log.read().decode(errors="replace").strip().splitlines()
        self.kill()
        return words[-1] if words else ""

    def stop(self) -> None:
        """End it politely. Does nothing if it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT)
        if process.stdin:
            process.stdin.close()


async def _serve(port: int) -> None:
    """Run amqtt until SIGTERM or the end of standard input."""
    from amqtt.broker import Broker

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await loop.connect_read_pipe(lambda: _EndOfInput(ended), sys.stdin)
    listeners = {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": listeners, "plugins": plugins})
    await broker.start()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    await ended.wait()
    await broker.shutdown()


class _EndOfInput(asyncio.Protocol):
    """Sets the event when the pipe is closed."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def connection_lost(self, exc: Exception | None) -> None:
        self._event.set()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(_serve(int(sys.argv[1])))
