"""`python -m tools run` with a paho client in place of the virtual board: for tests of the runner itself.

The publisher is a process of its own, like the board's VM. FAKE_NODE is what it does: `good`, `mute`, `dies`, `raises`…
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time

import paho.mqtt.client as mqtt

from tools import run
from tools.__main__ import app
from tools.board_run import BoardFailure
from tools.watcher import Address

BEHAVIOUR = os.environ.get("FAKE_NODE", "good")


class PublisherBoard:
    """Has the methods of BoardRun that run.py calls."""

    def __init__(self, image: object, address: Address) -> None:
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        node = [run.device_name(), self._address.host, str(self._address.port)]
        self._process = subprocess.Popen([sys.executable, __file__, "node", *node], start_new_session=True)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)

    def describe(self) -> str:
        return f"pid {self._process.pid if self._process else 0}"

    def console(self, lines: int) -> list[str]:
        return ["MicroPython v0", "the last words"][-lines:]

    def check(self) -> None:
        if self._process and self._process.poll() is not None:
            raise BoardFailure("the board stopped")

    def ended(self) -> str:
        return "MemoryError: memory allocation failed, allocating 192 bytes" if BEHAVIOUR == "raises" else ""

    def has_wifi(self) -> bool:
        return BEHAVIOUR != "offair"


def node(name: str, host: str, port: str) -> None:
    """Publish until killed; ends with its parent."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if BEHAVIOUR == "dies":
        sys.exit(3)
    if BEHAVIOUR == "offair":
        time.sleep(600)
    base = f"node/{name}"
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.will_set(base + "/status", "offline", retain=True)
    client.connect(host, int(port))
    client.loop_start()
    client.publish(base + "/status", "online", retain=True)
    client.publish(base + "/info", json.dumps({"units": {"temperature": "°C"}}), retain=True)
    if BEHAVIOUR in ("mute", "raises"):
        time.sleep(600)
    for count in range(100_000):
        client.publish(base + "/telemetry", json.dumps({"temperature": 20 + count / 10, "adc": 512}))
        time.sleep(0.1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["node"]:
        node(*sys.argv[2:])
    else:
        run.BoardRun = PublisherBoard  # type: ignore[assignment,misc]
        app()
