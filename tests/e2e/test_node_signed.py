"""The command key: what is unsigned, forged or sent again is refused, also after a power cut. Virtual board, mosquitto."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from remote_node import BASE, PATIENCE, Node, remote_node, settings, wait_subscribed

from tests.brokers import Mosquitto
from tools.command import CommandError, sign

KEY = "correct horse battery"
DEVICE = "node-56341200"  # the board's chip id
RELAY_PIN = 5


@pytest.fixture
def node(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Node]:
    """A node with a command key and a relay; its remote knows the key."""
    config = settings(device={"command_key": KEY}, outputs=[{"name": "relay", "pin": "D1"}])
    with remote_node(tmp_path, mosquitto, config, key=KEY) as node:
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
    for message in ({"command": "read"}, {"command": "info"}, {"command": "identify", "seconds": 1}):
        assert ask(node, message) == ""


def test_signed_commands_are_done(node: Node) -> None:
    assert node.remote.send("set", relay=True)["data"] == {"relay": True}
    assert node.board.pin(RELAY_PIN) == 1
    assert node.remote.send("period", value=30)["data"] == {"sim": 30}
    assert node.remote.send("set", relay=False)["ok"]


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
        {**good, "mac": ""},
        {**good, "mac": None},
        {**good, "counter": "5"},
        {**good, "counter": True},
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
    assert ask(node, sign(KEY, DEVICE, 13, {"command": "set", "relay": True})).startswith("counter: ")


def test_a_captured_command_is_refused_after_a_power_cut_and_after_a_restart(node: Node, mosquitto: Mosquitto) -> None:
    captured = sign(KEY, DEVICE, 1, {"command": "set", "relay": True})
    assert ask(node, captured) == ""
    ahead = [sign(KEY, DEVICE, number, {"command": "set", "relay": True}) for number in (2, 30, 64)]
    for number in (65, 66):  # the second one after a block is full: another write
        assert ask(node, sign(KEY, DEVICE, number, {"command": "set", "relay": False})) == ""
    node.board.power_off()
    node.board.power_on()
    wait_subscribed(mosquitto, node.remote, 2)
    for message in (captured, *ahead, sign(KEY, DEVICE, 66, {"command": "set", "relay": True})):
        assert ask(node, message).startswith("counter: more than ")
    assert node.board.pin(RELAY_PIN) == 0
    assert node.remote.send("restart")["ok"]
    wait_subscribed(mosquitto, node.remote, 3)
    assert ask(node, captured).startswith("counter: more than ")
    assert node.remote.send("set", timeout=PATIENCE, relay=True)["ok"]


def test_a_damaged_counter_refuses_signed_commands(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = settings(device={"command_key": KEY})
    with remote_node(tmp_path, mosquitto, config, key=KEY, files={"command.counter": "12x"}) as node:
        with pytest.raises(CommandError, match="damaged"):
            node.remote.send("period", value=5)
        assert "damaged" in ask(node, sign(KEY, DEVICE, 99, {"command": "restart"}))
        node.no_trace()


def test_the_example_of_the_docs_is_what_the_node_accepts(tmp_path: Path, mosquitto: Mosquitto) -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    example = json.loads(text.split("```json signed\n")[1].split("```")[0])
    assert example == sign("correct horse", DEVICE, 7, {"command": "set", "relay": True})
    config = settings(device={"command_key": "correct horse"}, outputs=[{"name": "relay", "pin": "D1"}])
    with remote_node(tmp_path, mosquitto, config) as node:
        assert ask(node, example) == ""
        assert node.board.pin(RELAY_PIN) == 1
