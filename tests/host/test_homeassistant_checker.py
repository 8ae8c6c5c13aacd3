"""The checker of Home Assistant's rules refuses what Home Assistant would refuse: else its yes would mean nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.homeassistant import Refused, discovered

TOPIC = "homeassistant/device/node-1/config"
GOOD: dict[str, Any] = {
    "dev": {"ids": ["node-1"], "name": "Kitchen"},
    "o": {"name": "node"},
    "avty_t": "node/k/status",
    "cmps": {
        "t": {
            "p": "sensor",
            "uniq_id": "node-1_t",
            "name": "t",
            "stat_t": "node/k/telemetry",
            "val_tpl": "{{ value_json['t'] }}",
            "unit_of_meas": "°C",
            "stat_cla": "measurement",
            "dev_cla": "temperature",
        },
        "relay": {
            "p": "switch",
            "uniq_id": "node-1_relay",
            "name": "relay",
            "stat_t": "node/k/telemetry",
            "val_tpl": "{{ 'ON' if value_json['relay'] in (1, true, 'true', '1') else 'OFF' }}",
            "cmd_t": "node/k/cmd/set",
            "pl_on": '{"relay":true}',
            "pl_off": '{"relay":false}',
        },
    },
}


def test_a_good_message_makes_entities_that_read_the_messages() -> None:
    root, entities = discovered(TOPIC, json.dumps(GOOD).encode())
    assert root["availability_topic"] == "node/k/status"
    assert entities["t"].state("node/k/telemetry", b'{"t":21.5}') == "21.5"
    assert entities["t"].state("node/k/telemetry", b'{"u":1}') is None
    assert entities["t"].state("node/k/other", b'{"t":21.5}') is None
    assert entities["relay"].state("node/k/telemetry", b'{"relay":true}') == "ON"
    assert entities["relay"].state("node/k/telemetry", b'{"t":21.5}') == "OFF"  # a missing key is no news, and wrong


def test_a_base_topic_is_put_in() -> None:
    message = copy.deepcopy(GOOD)
    message["~"] = "node/k"
    message["cmps"]["t"]["stat_t"] = "~/telemetry"
    assert discovered(TOPIC, json.dumps(message).encode())[1]["t"].config["state_topic"] == "node/k/telemetry"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["dev"], None),
        (["dev", "ids"], None),
        (["dev", "ids"], []),
        (["dev", "colour"], "red"),
        (["o"], None),
        (["o", "name"], None),
        (["cmps"], None),
        (["cmps"], {}),
        (["avty_t"], "node/+/status"),
        (["nonsense"], 1),
        (["cmps", "t", "p"], None),
        (["cmps", "t", "p"], "thermometer"),
        (["cmps", "t", "uniq_id"], None),
        (["cmps", "t", "uniq_id"], "node-1_relay"),
        (["cmps", "t", "stat_t"], None),
        (["cmps", "t", "stat_t"], "node/#"),
        (["cmps", "t", "stat_t"], "~/telemetry"),
        (["cmps", "t", "unit_of_meas"], "%"),
        (["cmps", "t", "unit_of_meas"], None),
        (["cmps", "t", "dev_cla"], "warmth"),
        (["cmps", "t", "stat_cla"], "total"),
        (["cmps", "t", "cmd_t"], "node/k/cmd"),
        (["cmps", "relay", "cmd_t"], None),
        (["cmps", "relay", "pl_on"], True),
        (["cmps", "relay", "dev_cla"], "relay"),
        (["cmps", "relay", "unit_of_meas"], "V"),
    ],
)
def test_what_breaks_a_rule_is_refused(path: list[str], value: object) -> None:
    message = copy.deepcopy(GOOD)
    part = message
    for name in path[:-1]:
        part = part[name]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    with pytest.raises(Refused):
        discovered(TOPIC, json.dumps(message).encode())


@pytest.mark.parametrize(
    "topic", ["homeassistant/device/a b/config", "homeassistant/device/config", "ha/device/a/config"]
)
def test_illegal_topics_are_refused(topic: str) -> None:
    with pytest.raises(Refused):
        discovered(topic, json.dumps(GOOD).encode())


def test_a_name_twice_is_refused() -> None:
    text = json.dumps(GOOD).replace('"cmps": {', '"cmps": {"t": {"p": "sensor"}, ')
    with pytest.raises(Refused, match="twice"):
        discovered(TOPIC, text.encode())
