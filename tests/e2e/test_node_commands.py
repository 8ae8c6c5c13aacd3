"""Commands by MQTT: each one, on the virtual board against mosquitto. Real VM, real image, real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish
from remote_node import BASE, NAME, PATIENCE, Node, data, remote_node, settings, wait_subscribed

from tests.brokers import Mosquitto
from tools.command import CommandError
from tools.vboard import silicon
from tools.vboard.board import HEAP_FREE
from tools.watcher import Address, Watcher

RELAY_PIN = 5  # D1
LAMP_PIN = 4  # D2
LED_PIN = 2
OUTPUTS = [{"name": "relay", "pin": "D1", "start": "last"}, {"name": "lamp", "pin": "D2", "inverted": True}]


@pytest.fixture
def node(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Node]:
    """A node without a command key, with two outputs."""
    with remote_node(tmp_path, mosquitto, settings(outputs=OUTPUTS)) as node:
        yield node
        node.no_trace()


def test_read_takes_a_reading_now_and_answers_with_it(node: Node) -> None:
    node.wait_topic("telemetry")
    since = node.mark()
    values = node.remote.send("read")["data"]
    assert sorted(values) == ["humidity", "pressure", "temperature"]
    node.wait(lambda a: a.topic == f"{BASE}/telemetry" and values.items() <= data(a).items(), since)
    with pytest.raises(CommandError, match="one of sim wanted"):
        node.remote.send("read", sensor="nobody")


def test_set_switches_outputs_and_publishes_their_state_retained(node: Node, mosquitto: Mosquitto) -> None:
    assert (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (0, 1)
    assert node.wait_topic("output/relay").payload == b"off"
    assert node.remote.send("set", relay=True, lamp="toggle")["data"] == {"relay": True, "lamp": True}
    node.board.wait_until(lambda: (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (1, 0), PATIENCE)
    node.wait_topic("output/relay", b"on")
    node.wait_topic("output/lamp", b"on")

    for wrong in ({"relay": False, "pump": True}, {"relay": 2}, {"relay": None}, {}):
        with pytest.raises(CommandError):
            node.remote.send("set", **wrong)
    assert node.board.pin(RELAY_PIN) == 1  # one wrong word, and none was switched

    node.board.power_off()
    node.board.power_on()
    wait_subscribed(mosquitto, node.remote, 2)
    assert (node.board.pin(RELAY_PIN), node.board.pin(LAMP_PIN)) == (1, 1)  # start: last, and off


def test_a_subscriber_that_comes_later_finds_the_states(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with remote_node(tmp_path, mosquitto, settings(outputs=OUTPUTS)) as node:
        node.remote.send("set", relay="ON")
        late = Watcher(Address(mosquitto.host, mosquitto.port), f"{BASE}/output/+")
        late.start()
        try:
            found = [late.arrivals.get(timeout=PATIENCE) for _ in range(2)]
        finally:
            late.stop()
        assert {(a.topic, a.payload, a.retained) for a in found} == {
            (f"{BASE}/output/relay", b"on", True),
            (f"{BASE}/output/lamp", b"off", True),
        }


def test_period_is_changed_at_once_and_for_good(node: Node, mosquitto: Mosquitto) -> None:
    node.wait_topic("telemetry")
    assert node.remote.send("period", value=1)["data"] == {"sim": 1}
    since = node.mark()
    node.wait_topic("telemetry", since=since)
    for wrong in (0, 90_000, "5", None):
        with pytest.raises(CommandError):
            node.remote.send("period", value=wrong)
    node.board.power_off()
    node.board.power_on()
    wait_subscribed(mosquitto, node.remote, 2)
    assert node.remote.send("settings", section="telemetry")["data"]["telemetry"]["period"] == 1
    assert node.remote.send("period", value=7, sensor="sim")["data"] == {"sim": 7}
    assert node.remote.send("settings", section="sensors")["data"]["sensors"] == [{"type": "sim", "period": 7}]


def test_identify_blinks_the_led_and_leaves_it_as_it_was(node: Node) -> None:
    before = node.board.pin(LED_PIN)
    assert "blinking" in node.remote.send("identify", seconds=2)["text"]
    for level in (0, 1, 0, 1):
        node.board.wait_until(lambda level=level: node.board.pin(LED_PIN) == level, PATIENCE)
    with pytest.raises(CommandError, match="already"):
        node.remote.send("identify")
    node.board.wait_until(lambda: identify_again(node), PATIENCE)
    with pytest.raises(CommandError, match="1 to 60"):
        node.remote.send("identify", seconds=600)
    assert before in (0, 1)


def identify_again(node: Node) -> bool:
    """True once the LED is free again."""
    return bool(node.remote.ask({"command": "identify", "seconds": 1})["ok"])


def test_restart_answers_first_then_restarts_in_an_orderly_way(node: Node, mosquitto: Mosquitto) -> None:
    info = data(node.wait_topic("info"))
    since = node.mark()
    assert node.remote.send("restart")["text"] == "restarting"
    node.wait_topic("status", b"offline", since)
    node.board.wait_until(lambda: silicon.SOFT_RESTART in node.board.resets, PATIENCE)
    wait_subscribed(mosquitto, node.remote, 2)
    again = node.remote.send("info")["data"]
    assert again["boots"] == info["boots"] + 1
    assert (info["reset"], again["reset"]) == ("power on", "software")


def test_info_says_who_and_where_the_node_is(node: Node) -> None:
    info = data(node.wait_topic("info"))
    assert info["id"].startswith("node-")
    assert len(info["mac"].split(":")) == 6
    assert len(info["ip"].split(".")) == 4
    assert info["units"] == {"temperature": "°C", "humidity": "%", "pressure": "hPa"}
    assert info["boots"] == 1


def test_log_level_and_last_lines(node: Node) -> None:
    assert "heap free" in "\n".join(node.remote.send("log")["data"]["lines"])
    assert node.remote.send("log", level="debug")["data"]["level"] == "debug"
    node.remote.send("read")
    node.board.wait_for(f"debug: message on {BASE}/cmd", PATIENCE)
    with pytest.raises(CommandError, match="one of debug"):
        node.remote.send("log", level="loud")


def test_what_is_unknown_malformed_or_oversized_is_answered(node: Node) -> None:
    remote = node.remote
    for payload, reason in (
        (b'{"command": "fly", "id": 1}', "unknown command fly, wanted one of read"),
        (b"fly", "unknown command fly"),
        (b"", "no command named"),
        (b"[]", "no command named"),
        (b'{"id": 1}', "no command named"),
        (b"{", "unknown command {"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 400, ""),
        (b'{"command": 5}', ""),
        (b'{"command": "identify", "seconds": {}}', "1 to 60"),
        (b'{"command": "patch", "settings": []}', "object"),
        (b'{"command": "read", "sensor": []}', "wanted"),
        (b'{"command": "log", "level": []}', "wanted"),
        (b'{"command": "period", "value": 1e999}', "wanted"),
        (b'{"command": "signed"}', "no command key"),
        (b'{"command": "patch", "settings": "' + b"x" * 3000 + b'"}', "bytes, at most 2048 wanted"),
        (b"y" * 100_000, "100000 bytes, at most 2048 wanted"),
    ):
        remote.publish(f"{BASE}/cmd", payload)
        reply = remote.answer()
        assert reply["ok"] is False, payload[:40]
        assert reason in reply["error"], payload[:40]
    remote.publish(f"{BASE}/cmd/nonsense", b"1")
    assert "unknown command nonsense" in remote.answer()["error"]
    assert remote.send("read")["ok"]


def test_a_command_larger_than_the_buffer_is_taken_up_to_the_limit(node: Node) -> None:
    node.remote.publish(f"{BASE}/cmd", json.dumps({"command": "read", "id": 5, "padding": "x" * 1900}))
    assert node.remote.answer(5)["ok"] is True


def test_the_name_may_stand_in_the_topic(node: Node) -> None:
    node.remote.publish(f"{BASE}/cmd/read", b"")
    assert "temperature" in node.remote.answer()["data"]
    node.remote.publish(f"{BASE}/cmd/period", b"30")
    assert node.remote.answer()["data"] == {"sim": 30}


def test_a_retained_command_is_not_done(node: Node) -> None:
    node.remote.publish(f"{BASE}/cmd", b"restart", retain=True)
    assert node.remote.answer(timeout=PATIENCE)["text"] == "restarting"  # it came live, and was done once
    assert "retained" in node.remote.answer(timeout=PATIENCE)["error"]  # and came again on the next connection
    assert node.remote.send("read")["ok"]
    assert node.board.resets.count(silicon.SOFT_RESTART) == 1


def test_many_commands_at_once_are_bounded_and_the_node_goes_on(node: Node) -> None:
    broker = node.remote.broker
    messages = [(f"{BASE}/cmd", json.dumps({"command": "info", "id": number}), 1, False) for number in range(200)]
    publish.multiple(messages, hostname=broker.host, port=broker.port)
    node.board.wait_for("too many at once", PATIENCE)
    assert node.remote.send("read", timeout=PATIENCE)["ok"]


def test_with_the_heap_of_the_chip_all_but_the_settings_can_be_commanded(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with remote_node(tmp_path, mosquitto, settings(outputs=OUTPUTS), heap_free=HEAP_FREE) as node:
        for _ in range(3):
            assert node.remote.send("read")["data"]
            assert node.remote.send("set", relay="toggle")["ok"]
            assert node.remote.send("info")["data"]["name"] == NAME
            assert node.remote.send("log")["ok"]
            with pytest.raises(CommandError, match="bytes of free memory are too few"):
                node.remote.send("settings")
        assert node.remote.send("identify", seconds=1)["ok"]
        assert node.remote.send("restart")["ok"]
        wait_subscribed(mosquitto, node.remote, 2)
        assert node.remote.send("read")["data"]
        node.no_trace()


def test_settings_are_shown_without_secrets(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = settings(device={"password": "page-pass-word", "command_key": "correct horse"})
    config["wifi"]["ap_key"] = "access-point-key"
    config["mqtt"].update(user="me", password="broker-pass")
    with remote_node(tmp_path, mosquitto, config, key="correct horse") as node:
        found = node.remote.send("settings")["data"]
        assert found["mqtt"]["user"] == "me"
        text = json.dumps(found) + node.board.log
        for secret in ("page-pass-word", "correct horse", "access-point-key", "broker-pass", config_key(config)):
            assert secret not in text
        assert found["mqtt"]["password"] == found["wifi"]["networks"][0]["key"] == "********"
        with pytest.raises(CommandError, match="one of cloud device"):
            node.remote.send("settings", section="nothing")


def config_key(config: dict) -> str:
    return str(config["wifi"]["networks"][0]["key"])
