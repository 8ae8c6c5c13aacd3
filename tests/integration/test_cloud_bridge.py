"""The bridge for real: a node on plain MQTT, a mosquitto with our configuration, and as the cloud a mosquitto that
takes TLS only and demands a client certificate of its own authority."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloud
import paho.mqtt.client as paho
import pytest
import trustme

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.bridge import Bridge, Kind, azure_identity, configuration
from tools.broker import free_port
from tools.image import build_image
from tools.vboard import Board

WAIT = 20.0  # s
CONFIG = Path(__file__).resolve().parents[2] / "config"


class Certificates:
    """An authority, a server certificate for localhost, and a client certificate, as files."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self.server, self.client = folder / "server.pem", folder / "client.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(self.server))
        authority.issue_cert("bridge@example.org").private_key_and_cert_chain_pem.write_to_path(str(self.client))


class Watcher:
    """A paho client that puts what it receives into a queue."""

    def __init__(self, port: int, topics: list[str], certificates: Certificates | None = None) -> None:
        self.messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        ready: queue.Queue[bool] = queue.Queue()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        if certificates:
            self.client.tls_set(str(certificates.ca), str(certificates.client), str(certificates.client))
        self.client.on_message = lambda _, __, m: self.messages.put((m.topic, m.payload))
        self.client.on_connect = lambda c, *_: c.subscribe([(t, 1) for t in topics])
        self.client.on_subscribe = lambda *_: ready.put(True)
        self.client.connect("localhost" if certificates else "127.0.0.1", port)
        self.client.loop_start()
        ready.get(timeout=WAIT)

    def until(self, topic: str) -> bytes:
        """The payload of the next message with this topic."""
        while True:
            found, payload = self.messages.get(timeout=WAIT)
            if found == topic:
                return payload

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def started() -> Iterator[list[Any]]:
    """Brokers and clients that a test starts; ended after it, last first."""
    parts: list[Any] = []
    yield parts
    for part in reversed(parts):
        (part.close if hasattr(part, "close") else part.stop)()


def cloud_broker(program: str, folder: Path, certificates: Certificates, started: list[Any]) -> int:
    """Start a mosquitto whose TLS port demands a certificate of our authority; its port."""
    port = free_port()
    folder.mkdir()
    extra = (
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncafile {certificates.ca}\ncertfile {certificates.server}\n"
        f"keyfile {certificates.server}\nrequire_certificate true\n"
    )
    broker = Mosquitto(program, folder, extra)
    started.append(broker)
    broker.start()
    return port


def start_bridge(program: str, folder: Path, bridge: Bridge, started: list[Any]) -> Mosquitto:
    """Start a mosquitto with the configuration that the tool writes, on a free port."""
    folder.mkdir()
    broker = Mosquitto(program, folder)
    started.append(broker)
    bridge.listen_port = broker.port
    text = configuration(bridge).replace("restart_timeout 5 60", "restart_timeout 1 1")
    root = "user root\n" if "user root" in broker._config.read_text() else ""
    broker._config.write_text(root + text)
    broker.start()
    return broker


def aws_and_bridge(program: str, folder: Path, certificates: Certificates, started: list[Any]) -> tuple[int, Mosquitto]:
    """A cloud that demands a certificate, its port, and a broker of one's own that has one."""
    port = cloud_broker(program, folder / "cloud", certificates, started)
    files = {"certificate": str(certificates.client), "key": str(certificates.client), "ca": str(certificates.ca)}
    bridge = Bridge(Kind.aws, "localhost", port, "bridge", **files)
    return port, start_bridge(program, folder / "local", bridge, started)


def test_both_ways_through_the_bridge(
    need: Callable[[str], str], tmp_path: Path, certificates: Certificates, started: list[Any]
) -> None:
    port, local = aws_and_bridge(need("mosquitto"), tmp_path, certificates, started)
    platform = cloud.create({}, {"brokers": [{"host": "127.0.0.1"}], "base_topic": "nodes/n1"}, {"id": "n1"})
    user = Watcher(port, ["#"], certificates)
    started.append(user)
    node = Watcher(local.port, [topic for topic, _ in platform.subscriptions()])
    started.append(node)
    for topic, payload, retain in platform.birth():
        node.client.publish(topic, payload, 1, retain)
    assert user.until("nodes/n1/status") == b"online"
    (topic, payload, _), *_ = platform.report([("temperature", 23.5, "", 1)])
    node.client.publish(topic, payload, 1)
    assert user.until("nodes/n1/telemetry") == b'{"temperature":23.5}'
    user.client.publish("nodes/n1/cmd/set", b'{"id":7,"relay":true}', 1)
    kind, name, args, ref = platform.decode("nodes/n1/cmd/set", node.until("nodes/n1/cmd/set"))
    assert (kind, name, args) == ("command", "set", {"relay": True})
    node.client.publish(*platform.reply(ref), 1)
    assert user.until("nodes/n1/reply") == b'{"ok":true,"id":7}'


def test_the_virtual_board_through_the_bridge(
    need: Callable[[str], str], tmp_path: Path, certificates: Certificates, started: list[Any]
) -> None:
    """The node knows nothing of TLS: it is `plain`, as docs/bridge.md says. Its readings arrive, a command returns."""
    port, local = aws_and_bridge(need("mosquitto"), tmp_path, certificates, started)
    user = Watcher(port, ["#"], certificates)
    started.append(user)
    settings = json.loads((CONFIG / "bridge.json").read_text())
    settings.update(node_settings("n1", local.port))
    settings["mqtt"]["base_topic"] = "nodes/n1"
    settings["outputs"] = [{"name": "relay", "pin": "D1"}]
    with Board(build_image(tmp_path / "flash.bin", settings), names={BROKER_NAME: ("127.0.0.1", local.port)}) as board:
        board.air.add(SSID, KEY)
        board.power_on()
        assert user.until("nodes/n1/status") == b"online"
        assert "temperature" in json.loads(user.until("nodes/n1/telemetry"))
        user.client.publish("nodes/n1/cmd/set", b'{"id":7,"relay":true}', 1)
        answer = json.loads(user.until("nodes/n1/reply"))
        assert (answer["ok"], answer["id"]) == (True, 7)
        assert board.pin(5) == 1
        assert "MemoryError" not in board.log, board.log


def test_azure_topics_through_the_bridge(
    need: Callable[[str], str], tmp_path: Path, certificates: Certificates, started: list[Any]
) -> None:
    program = need("mosquitto")
    port = cloud_broker(program, tmp_path / "cloud", certificates, started)
    files = {"certificate": str(certificates.client), "key": str(certificates.client), "ca": str(certificates.ca)}
    bridge = Bridge(Kind.azure, "localhost", port, device="n1", password="AAECAwQFBgcICQoLDA0ODw==", **files)
    azure_identity(bridge, 1900000000)
    local = start_bridge(program, tmp_path / "local", bridge, started)
    platform = cloud.create({}, {"brokers": [{"host": "127.0.0.1"}], "base_topic": "nodes/n1"}, {"id": "n1"})
    user = Watcher(port, ["devices/#"], certificates)
    started.append(user)
    node = Watcher(local.port, [topic for topic, _ in platform.subscriptions()])
    started.append(node)
    (topic, payload, _), *_ = platform.report([("temperature", 23.5, "", 1)])
    node.client.publish(topic, payload, 1)
    assert user.until("devices/n1/messages/events/") == b'{"temperature":23.5}'
    properties = "%24.mid=1&%24.to=%2Fdevices%2Fn1%2Fmessages%2FdeviceBound"
    user.client.publish("devices/n1/messages/devicebound/" + properties, b'{"command":"restart"}', 1)
    topic = "nodes/n1/cmd/" + properties
    assert platform.decode(topic, node.until(topic))[:2] == ("command", "restart")


@pytest.mark.parametrize("fault", ["authority", "name"])
def test_a_cloud_that_is_not_the_right_one_is_refused(
    fault: str, need: Callable[[str], str], tmp_path: Path, certificates: Certificates, started: list[Any]
) -> None:
    """A certificate of another authority, or for another host name: the bridge never gets as far as MQTT."""
    program = need("mosquitto")
    other = tmp_path / "other"
    other.mkdir()
    port = cloud_broker(program, tmp_path / "cloud", certificates, started)
    files = {"certificate": str(certificates.client), "key": str(certificates.client)}
    ca = str(Certificates(other).ca if fault == "authority" else certificates.ca)
    host = "localhost" if fault == "authority" else "127.0.0.1"
    bridge = Bridge(Kind.aws, host, port, "bridge", ca=ca, **files)
    local = start_bridge(program, tmp_path / "local", bridge, started)
    user = Watcher(port, ["#"], certificates)
    started.append(user)
    node = Watcher(local.port, ["nodes/n1/cmd/+"])
    started.append(node)
    node.client.publish("nodes/n1/telemetry", b"{}", 1)
    reason = {"authority": "certificate verify failed", "name": "host name verification failed"}[fault]
    assert wait_for_log(local, reason), local.log.read_text()
    assert user.messages.empty()


def wait_for_log(broker: Mosquitto, text: str) -> bool:
    """Does this text come up in the broker's log (in any case of its letters)?"""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if text in broker.log.read_text(errors="replace").lower():
            return True
        time.sleep(0.05)
    return False
