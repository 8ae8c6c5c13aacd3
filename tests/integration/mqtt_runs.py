"""Runs programs of the MQTT tests under CPython and in the MicroPython VM, and watches with paho-mqtt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "lib"
UNIT = HERE.parent / "unit"
PYTHONS = ("cpython", "micropython")
HEAP = "400K"  # of the VM: more than a chip has, for the scripted tests load their own code too


def command(python: str, program: Path, *args: object) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment for a program that imports from lib/ and tests/unit/."""
    words = [str(a) for a in args]
    if python == "cpython":
        path = os.pathsep.join((str(LIB), str(UNIT)))
        return [sys.executable, str(program), *words], {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    env = {**os.environ, "MICROPYPATH": f"{LIB}:{UNIT}:.frozen"}
    return [sys.executable, "-m", "micropython_unix", "-X", f"heapsize={HEAP}", str(program), *words], env


class Program:
    """A running program. `lines`: its output so far."""

    def __init__(self, python: str, program: Path, *args: object, on_line: Callable[[str], None] | None = None) -> None:
        words, env = command(python, program, *args)
        self._process = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        self.lines: list[str] = []
        self._on_line = on_line
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.lines.append(line)
            if self._on_line is not None:
                self._on_line(line)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait(self, timeout: float) -> int:
        """Its exit code; AssertionError with its output when it does not end in time."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise AssertionError("still running:\n" + self.output) from error
        self._reader.join(10)
        return code

    def end(self) -> None:
        """Kill it, if it still runs."""
        self._process.kill()
        self._process.wait(10)


class Judge:
    """paho-mqtt, subscribed with a session of its own; it sees what the broker delivers. `got`: (topic, payload,
    qos, retain).

    What the broker delivers twice to the judge itself (DUP, with the packet identifier of before) counts once:
    mosquitto
    2.0.11 does that after a restart even in QoS 2 (PUBLISH again where PUBREL was due). What it accepted twice from a
    publisher comes as two messages with two identifiers, and counts twice.
    """

    def __init__(self, port: int, *filters: str, qos: int = 1, client_id: str = "judge") -> None:
        self.got: list[tuple[str, bytes, int, bool]] = []
        self._mids: dict[int, tuple[str, bytes]] = {}
        self._subscribed = threading.Event()
        self._filters = [(name, qos) for name in filters]
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False)
        self.client.reconnect_delay_set(0.1, 0.3)
        self.client.max_inflight_messages_set(100)
        self.client.on_connect = lambda client, *_: client.subscribe(self._filters)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._arrived
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(10)

    def _arrived(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        entry = (message.topic, bytes(message.payload))
        if message.qos:
            if message.dup and self._mids.get(message.mid) == entry:
                return
            self._mids[message.mid] = entry
        self.got.append((*entry, message.qos, bool(message.retain)))

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _, _ in list(self.got) if name == topic]

    def publish(self, topic: str, payload: bytes | str, qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait until it is acknowledged."""
        info = self.client.publish(topic, payload, qos, retain)
        info.wait_for_publish(15)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def wait_for(condition: Callable[[], object], timeout: float, what: Callable[[], str]) -> None:
    """Wait for a condition; AssertionError that says `what()` when it does not come true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.01)
