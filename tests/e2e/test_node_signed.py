"""The command key: what is unsigned, forged or sent again is refused, also after a power cut. Virtual board, mosquitto."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from remote_node import BASE, PATIENCE, Node, remote_node, settings, wait_subscribed

from tests.brokers import Mosquitto
from tools.command import sign

KEY = "correct horse"
DEVICE = "node-56341200"  # the board's chip id
RELAY_PIN = 5
LED_PIN = 2  # on at low level


@pytest.fixture(scope="module")
def broker(need, tmp_path_factory) -> Iterator[Mosquitto]:
    with Mosquitto(need("mosquitto"), tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def node(tmp_path_factory, broker: Mosquitto) -> Iterator[Node]:
    """A node with a command key, a relay and an LED; its remote knows the key."""
    config = settings(device={"command_key": KEY, "led": "LED"}, outputs=[{"name": "relay", "pin": "D1"}])
    with remote_node(tmp_path_factory.mktemp("node"), broker, config, key=KEY) as node:
        yield node
        node.no_trace()


def ask(node: Node, message: Mapping[str, Any]) -> str:
    """Send it as it is; returns the error, "" if it was done."""
    reply = node.remote.ask(message)
    return "" if reply["ok"] else str(reply["error"])


def test_nothing_dangerous_is_done_unsigned(node: Node) -> None:
    for message in (
        {"command": "restart"},
        {"command": "set", "relay": True},
        {"command": "period", "value": 5},
        {"command": "settings"},
        {"command": "patch", "settings": {"mqtt": {"qos": 0}}},
    ):
        assert "must be signed" in ask(node, message)
    node.remote.publish(f"{BASE}/cmd/set", b'{"relay":true}')
    assert "must be signed" in node.remote.answer()["error"]
    assert node.board.pin(RELAY_PIN) == 0
    assert ask(node, {"command": "info"}) == ""


def test_the_led_of_the_settings_shows_which_board_it_is(node: Node) -> None:
    def lit() -> bool:
        """Is it on for long, not for the tenth of a second of a working node?"""
        levels = []
        for _ in range(5):
            levels.append(node.board.pin(LED_PIN))
            time.sleep(0.1)
        return levels == [0] * 5

    assert not lit()
    assert "LED is on" in node.remote.send("identify", seconds=60)["text"]
    node.board.wait_until(lit, PATIENCE)


def test_forgeries_are_refused_and_use_up_no_counter(node: Node) -> None:
    good = sign(KEY, DEVICE, 5, {"command": "set", "relay": True})
    forged = (
        sign("wrong key of mine", DEVICE, 5, {"command": "set", "relay": True}),
        sign(KEY, "node-654321", 5, {"command": "set", "relay": True}),  # meant for another node with the same key
        {**good, "counter": 6},
        {**good, "text": good["text"].replace("true", "false")},
        {**good, "text": good["text"] + " "},
        {**good, "mac": good["mac"].upper()},
        {**good, "mac": good["mac"][:-1]},
        {**good, "mac": None},
        {**good, "counter": "5"},
        {**good, "counter": -5},
        {**good, "counter": 10**40},
        {**good, "text": {"command": "restart"}},
        {"command": "signed"},
    )
    for message in forged:
        assert ask(node, message).startswith("signed: "), message
    assert node.board.pin(RELAY_PIN) == 0
    assert ask(node, good) == ""
    assert node.board.pin(RELAY_PIN) == 1


def test_the_example_of_the_docs_is_what_the_node_accepts(node: Node) -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    example = json.loads(text.split("```json signed\n")[1].split("```")[0])
    assert example == sign(KEY, DEVICE, 7, {"command": "set", "relay": True})
    assert ask(node, example) == ""


def test_what_was_sent_once_is_refused_again(node: Node) -> None:
    on = sign(KEY, DEVICE, 10, {"command": "set", "relay": True})
    off = sign(KEY, DEVICE, 11, {"command": "set", "relay": False})
    early = sign(KEY, DEVICE, 9, {"command": "set", "relay": True})
    assert ask(node, on) == ask(node, off) == ""
    for captured in (on, off, early):
        assert "counter: more than 11 wanted" in ask(node, captured)
    assert node.board.pin(RELAY_PIN) == 0
    too_far = sign(KEY, DEVICE, 2**52, {"command": "set", "relay": True})
    assert ask(node, too_far).startswith("counter: ")
    assert ask(node, sign(KEY, DEVICE, 12, {"command": "fly"})).startswith("unknown command")
    assert ask(node, sign(KEY, DEVICE, 13, {"relay": True})).startswith("text: ")


def test_a_captured_command_is_refused_after_a_power_cut(node: Node, broker: Mosquitto) -> None:
    captured = sign(KEY, DEVICE, 20, {"command": "set", "relay": True})
    assert ask(node, captured) == ""
    node.board.power_off()
    node.board.power_on()
    wait_subscribed(broker, node.remote, 2)
    for number in (20, 21, 60):
        assert ask(node, sign(KEY, DEVICE, number, {"command": "set", "relay": True})).startswith("counter: more than ")
    assert node.board.pin(RELAY_PIN) == 0
    assert node.remote.send("set", relay=True)["ok"]
    assert node.remote.send("period", value=30)["data"] == {"sim": 30, "adc": 30}
    assert node.board.pin(RELAY_PIN) == 1
