"""Commands by MQTT on the virtual board with the chip's heap, against mosquitto: one board for all, in this order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt import publish
from remote_node import BASE, PATIENCE, Node, data, remote_node, settings

from tests.brokers import Mosquitto
from tests.homeassistant import discovered
from tools.command import CommandError
from tools.vboard import silicon

RELAY_PIN = 5  # D1
LAMP_PIN = 4  # D2
LED_PIN = 2
OUTPUTS = [{"name": "relay", "pin": "D1", "start": "last"}, {"name": "lamp", "pin": "D2", "inverted": True}]
SECRETS = {"device": {"password": "page-pass-word"}, "mqtt": {"user": "me", "password": "broker-pass"}}
APP = """
def setup(node):
    node.on_command = greet
    node.on_readings = hear

def greet(name, args):
    return "hello %s" % args["value"] if name == "greet" else None

def hear(readings):
    print("heard", len(readings))
"""


@pytest.fixture(scope="module")
def broker(need, tmp_path_factory) -> Iterator[Mosquitto]:
    with Mosquitto(need("mosquitto"), tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def node(tmp_path_factory, broker: Mosquitto) -> Iterator[Node]:
    """A node without a command key: two sensors, two outputs, Home Assistant, secrets, an app.py."""
    config = settings(
        outputs=OUTPUTS, device={**SECRETS["device"], "location": "roof"}, mqtt={**SECRETS["mqtt"], "discovery": True}
    )
    folder = tmp_path_factory.mktemp("node")
    with remote_node(folder, broker, config, files={"app.py": APP}, also="#") as node:
        yield node
        node.no_trace()


def is_discovery(arrival: object) -> bool:
    return str(getattr(arrival, "topic", "")).startswith("homeassistant/device/")


def test_info_and_health_say_who_where_and_how_the_node_is(node: Node) -> None:
    info = data(node.wait_topic("info"))
    assert info["id"].startswith("node-")
    assert len(info["mac"].split(":")) == 6
    assert len(info["ip"].split(".")) == 4
    assert info["location"] == "roof"
    assert info["units"]["temperature"] == "°C"
    assert (info["boots"], info["reset"]) == (1, "power on")
    assert info["version"]
    health = data(node.wait_topic("health"))
    assert health["rssi"] < 0 < health["free_heap"]
    assert (health["reconnects"], health["reset_reason"]) == (0, "power on")


def test_read_takes_a_reading_now_and_answers_with_it(node: Node) -> None:
    since = node.mark()
    values = node.remote.send("read")["data"]
    assert sorted(values) == ["humidity", "pressure", "temperature", "voltage"]
    node.wait(lambda a: a.topic == f"{BASE}/telemetry" and values.items() <= data(a).items(), since)
    node.board.wait_for("heard 4", PATIENCE)  # app.py
    with pytest.raises(CommandError, match="one of sim adc wanted"):
        node.remote.send("read", sensor="nobody")


def test_set_switches_outputs_and_publishes_their_state(node: Node) -> None:
    assert (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (0, 1)
    assert node.wait_topic("output/relay").payload == b"off"
    assert node.remote.send("set", relay=True, lamp="toggle")["data"] == {"relay": True, "lamp": True}
    assert (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (1, 0)
    node.wait_topic("output/relay", b"on")
    node.wait_topic("output/lamp", b"on")
    for wrong in ({"relay": False, "pump": True}, {"relay": 2}, {"relay": None}, {}):
        with pytest.raises(CommandError):
            node.remote.send("set", **wrong)
    assert node.board.pin(RELAY_PIN) == 1  # one wrong word, and none was switched


def test_home_assistant_knows_every_value_and_switches_an_output(node: Node) -> None:
    arrival = node.wait(is_discovery)
    root, entities = discovered(arrival.topic, arrival.payload)
    assert root["availability_topic"] == f"{BASE}/status"
    assert {"temperature", "voltage", "relay", "lamp"} <= set(entities)
    relay = entities["relay"]
    for payload, state, level in (("payload_off", "OFF", 0), ("payload_on", "ON", 1)):
        since = node.mark()
        node.remote.publish(relay.config["command_topic"], relay.config[payload])
        assert node.remote.answer()["ok"]
        assert node.board.pin(RELAY_PIN) == level
        node.wait(lambda a, state=state: relay.state(a.topic, a.payload) == state, since)
    since = node.mark()
    node.remote.publish("homeassistant/status", "offline")
    node.remote.publish("homeassistant/status", "online")
    assert node.wait(is_discovery, since).payload == arrival.payload
    assert node.wait_topic("status", b"online", since)


def test_identify_blinks_the_led(node: Node) -> None:
    assert "blinking" in node.remote.send("identify", seconds=1)["text"]
    for level in (0, 1, 0, 1):
        node.board.wait_until(lambda level=level: node.board.pin(LED_PIN) == level, PATIENCE)
    with pytest.raises(CommandError, match="1 to 60"):
        node.remote.send("identify", seconds=600)


def test_log_level_and_last_lines(node: Node) -> None:
    assert "mqtt: connected" in "\n".join(node.board.log.splitlines())
    assert node.remote.send("log")["data"]["lines"][-1] == "command: log"
    assert node.remote.send("log", level="debug")["data"]["level"] == "debug"
    node.remote.send("info")
    node.board.wait_for(f"debug: message on {BASE}/cmd", PATIENCE)
    with pytest.raises(CommandError, match="one of debug"):
        node.remote.send("log", level="loud")
    node.remote.send("log", level="info")


def test_what_is_unknown_malformed_or_oversized_is_answered(node: Node) -> None:
    remote = node.remote
    for payload, reason in (
        (b'{"command": "fly", "id": 1}', "unknown command fly, wanted one of read"),
        (b"", "no command named"),
        (b"[]", "no command named"),
        (b"{", "unknown command {"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 400, ""),
        (b'{"command": 5}', ""),
        (b'{"command": "identify", "seconds": {}}', "1 to 60"),
        (b'{"command": "patch", "settings": []}', "object"),
        (b'{"command": "patch", "settings": {"mqtt": {}}, "within": 5}', "20 to 600"),
        (b'{"command": "read", "sensor": []}', "wanted"),
        (b'{"command": "log", "level": []}', "wanted"),
        (b'{"command": "period", "value": 1e999}', "wanted"),
        (b'{"command": "period", "value": 90000}', "1 to 86400"),
        (b'{"command": "settings", "section": "nothing"}', "one of device wifi"),
        (b'{"command": "signed"}', "no command key"),
        (b'{"command": "patch", "settings": "' + b"x" * 3000 + b'"}', "bytes, at most 1024 wanted"),
        (b"y" * 100_000, "100000 bytes, at most 1024 wanted"),
    ):
        remote.publish(f"{BASE}/cmd", payload)
        try:
            reply = remote.answer()
        except CommandError:
            raise AssertionError(f"{payload[:60]!r}: {node.board.log[-1500:]}") from None
        assert reply["ok"] is False, payload[:40]
        assert reason in reply["error"], payload[:40]
    remote.publish(f"{BASE}/cmd/nonsense", b"1")
    assert "unknown command nonsense" in remote.answer()["error"]


def test_a_command_may_be_larger_than_the_buffer_and_may_have_its_name_in_the_topic(node: Node) -> None:
    node.remote.publish(f"{BASE}/cmd", json.dumps({"command": "read", "id": 5, "padding": "x" * 900}))
    assert node.remote.answer(5)["ok"] is True
    node.remote.publish(f"{BASE}/cmd/read", b"")
    assert "temperature" in node.remote.answer()["data"]


def test_many_commands_at_once_are_bounded_and_the_node_goes_on(node: Node) -> None:
    broker = node.remote.broker
    messages = [(f"{BASE}/cmd", json.dumps({"command": "info", "id": number}), 1, False) for number in range(200)]
    publish.multiple(messages, hostname=broker.host, port=broker.port)
    node.board.wait_for("too many at once", PATIENCE)
    wait_answer(node)


def shown(node: Node, section: str) -> Any:
    return node.remote.send("settings", section=section)["data"][section]


def test_settings_are_shown_without_secrets(node: Node) -> None:
    assert "mqtt" in node.remote.send("settings")["data"]["sections"]
    found = {section: shown(node, section) for section in node.remote.send("settings")["data"]["sections"]}
    assert found["mqtt"]["user"] == "me"
    assert found["mqtt"]["keepalive"] == 60  # a default
    text = json.dumps(found) + node.board.log
    for secret in ("page-pass-word", "broker-pass", settings()["wifi"]["networks"][0]["key"]):
        assert secret not in text
    assert found["mqtt"]["password"] == found["wifi"]["networks"][0]["key"] == "********"
    assert found["device"]["password"] == "********"


def test_app_py_has_commands_of_its_own(node: Node) -> None:
    assert node.remote.send("greet", value="you")["text"] == "hello you"
    with pytest.raises(CommandError, match="KeyError"):
        node.remote.send("greet")


def test_after_an_outage_of_the_broker_commands_are_taken_again(node: Node, broker: Mosquitto) -> None:
    for _ in range(2):
        broker.stop()
        node.board.wait_for("connection lost", PATIENCE, node.board.mark() - 200)
        broker.start()
        wait_answer(node)


def wait_answer(node: Node) -> None:
    """Ask until it answers: it is being connected."""
    for _ in range(int(PATIENCE)):
        try:
            node.remote.send("info", timeout=1)
            return
        except CommandError:
            continue
        except RuntimeError:  # our own client is not connected yet
            time.sleep(0.2)
    raise AssertionError(node.board.log[-3000:])


def test_period_and_restart(node: Node, broker: Mosquitto) -> None:
    assert node.remote.send("period", value=2, sensor="adc")["data"] == {"sim": 3600, "adc": 2}
    assert node.remote.send("period", value=5)["data"] == {"sim": 5, "adc": 2}
    since = node.mark()
    assert node.remote.send("restart")["text"] == "restarting"
    node.wait_topic("status", b"offline", since)
    node.board.wait_until(lambda: silicon.SOFT_RESTART in node.board.resets, PATIENCE)
    node.wait_topic("status", b"online", since)
    wait_answer(node)
    again = node.remote.send("info")["data"]
    assert again["reset"] == "software"
    assert again["boots"] >= 2
    assert (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (1, 1)  # start: last, and off
    assert shown(node, "telemetry")["period"] == 5
    assert shown(node, "sensors")[1] == {"type": "adc", "period": 2}


def patch(node: Node, changes: dict, ident: str, restarts: int) -> dict:
    """Send a patch; returns the last of its two answers, once the node has restarted so often and is back."""
    wanted = node.board.resets.count(silicon.SOFT_RESTART) + restarts
    message = {"command": "patch", "settings": changes, "within": 20, "id": ident}
    node.remote.publish(f"{BASE}/cmd", json.dumps(message))
    first = node.remote.answer(ident, PATIENCE)
    assert "restarting to try" in first["text"]
    last = node.remote.answer(ident, PATIENCE)
    node.board.wait_until(lambda: node.board.resets.count(silicon.SOFT_RESTART) == wanted, PATIENCE)
    wait_answer(node)
    return last


def test_good_settings_are_tried_and_kept_wrong_ones_change_nothing(node: Node) -> None:
    last = patch(node, {"mqtt": {"keepalive": 77}}, "a", 3)
    assert (last["ok"], last["text"]) == (True, "kept")
    last = patch(node, {"mqtt": {"qos": 9}, "log": {"level": "loud"}}, "b", 2)
    assert not last["ok"]
    assert "mqtt.qos" in last["error"] and "log.level" in last["error"]
    assert shown(node, "mqtt")["keepalive"] == 77
    assert shown(node, "log")["level"] == "info"


@pytest.mark.soak
def test_settings_that_do_not_get_online_are_rolled_back(node: Node) -> None:
    last = patch(node, {"mqtt": {"brokers": [{"host": "no-such.test"}]}}, "d", 3)
    assert last["ok"] is False
    assert last["error"].startswith("not kept: not online within 20 s: ")
    assert "no-such.test" in last["error"]
    assert shown(node, "mqtt")["brokers"][0]["host"] == "broker.test"


def test_a_power_cut_during_the_trial_brings_the_old_settings_back(node: Node) -> None:
    changes = {"wifi": {"networks": [{"ssid": "elsewhere", "key": "secret-1234"}]}}
    since = node.board.mark()
    node.remote.publish(f"{BASE}/cmd", json.dumps({"command": "patch", "settings": changes, "id": "e"}))
    node.board.wait_for("are on trial", PATIENCE, since)
    node.board.power_off()
    node.board.power_on()
    assert "restarting" in node.remote.answer("e", PATIENCE)["text"]
    assert node.remote.answer("e", PATIENCE)["error"] == "not kept: the node restarted during the trial"


@pytest.mark.soak
def test_a_retained_command_is_not_done(node: Node, broker: Mosquitto) -> None:
    resets = len(node.board.resets)
    node.remote.publish(f"{BASE}/cmd", b"restart", retain=True)
    assert node.remote.answer(timeout=PATIENCE)["text"] == "restarting"  # it came live, and was done once
    assert "retained" in node.remote.answer(timeout=PATIENCE)["error"]  # and came again on the next connection
    assert len(node.board.resets) == resets + 1
    node.remote.publish(f"{BASE}/cmd", b"", retain=True)
