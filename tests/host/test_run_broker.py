"""The brokers that tests and `make run` use: they accept clients, come back on their port, and never stay behind."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import time

import paho.mqtt.client as mqtt
import pytest

from tests.brokers import EmbeddedBroker, Mosquitto
from tools.broker import HOST, free_port


def echo(broker: Mosquitto | EmbeddedBroker) -> bytes:
    """Publish to oneself with QoS 1; returns what came back."""
    received: queue.Queue[bytes] = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: client.publish("echo", b"hello", qos=1)
    client.on_connect = lambda *_: client.subscribe("echo", 1)
    client.on_message = lambda _client, _data, message: received.put(message.payload)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        return received.get(timeout=10)
    finally:
        client.disconnect()
        client.loop_stop()


def gone(pid: int, seconds: float = 10) -> bool:
    """True once no such process runs (a zombie that nobody waits for counts as gone)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("name", ["mosquitto", "amqtt"])
def test_broker_serves_and_comes_back_on_its_port(name: str, request: pytest.FixtureRequest) -> None:
    broker = request.getfixturevalue(name)
    assert echo(broker) == b"hello"
    first, port = broker.pid, broker.port
    broker.stop()
    assert gone(first)
    broker.start()
    second = broker.pid
    broker.kill()
    assert gone(second)
    broker.start()
    assert broker.port == port
    assert echo(broker) == b"hello"


def test_embedded_broker_ends_when_its_parent_is_killed() -> None:
    code = (
        "import time; from tools.broker import EmbeddedBroker\n"
        "b = EmbeddedBroker(); b.start(); print(b.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            os.kill(child, 0)
        finally:
            parent.send_signal(signal.SIGKILL)
    assert gone(child)


def test_taken_port_gives_another() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        wish = taken.getsockname()[1]
        assert free_port(wish) not in (0, wish)
    assert free_port(wish) == wish


def test_a_port_that_is_taken_between_the_choice_and_the_start_gives_another() -> None:
    broker = EmbeddedBroker()
    with socket.socket() as quicker:
        quicker.bind((HOST, broker.port))
        quicker.listen()
        taken = broker.port
        broker.start()
        try:
            assert broker.port != taken
            assert echo(broker) == b"hello"
        finally:
            broker.stop()
