"""The behaviour suite (mqtt_behaviour.py) at mosquitto, the judge, and at amqtt, on CPython and in the MicroPython
VM."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.brokers import EmbeddedBroker, Mosquitto
from tests.integration.mqtt_runs import HERE, PYTHONS, Judge, Program, wait_for

SCENARIOS = "qos_matrix retained sessions wills wildcards several_filters large restart empty_identifier".split()
# amqtt 0.12.1 forgets retained messages' flag rules and what was queued for a sleeping client (docs/mqtt.md)
AMQTT_SCENARIOS = "qos_matrix wills wildcards several_filters large restart".split()


def play(python: str, broker: Mosquitto | EmbeddedBroker, kind: str, scenario: str) -> None:
    """Run one scenario; restart the broker when it asks for that."""
    restarts: list[threading.Thread] = []

    def restart() -> None:
        broker.stop()
        broker.start()

    def on_line(line: str) -> None:
        if line == "@restart":
            restarts.append(threading.Thread(target=restart))
            restarts[-1].start()

    program = Program(python, HERE / "mqtt_behaviour.py", broker.port, kind, scenario, on_line=on_line)
    try:
        code = program.wait(70)
    finally:
        program.end()
        for thread in restarts:
            thread.join(30)
    assert code == 0 and "@done" in program.lines, program.output


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_mosquitto(python: str, scenario: str, mosquitto: Mosquitto) -> None:
    play(python, mosquitto, "mosquitto", scenario)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("scenario", AMQTT_SCENARIOS)
def test_amqtt(python: str, scenario: str, amqtt: EmbeddedBroker) -> None:
    play(python, amqtt, "amqtt", scenario)


@pytest.mark.parametrize("python", PYTHONS)
def test_a_subscription_that_the_broker_denies(python: str, need, tmp_path: Path) -> None:
    program = need("mosquitto")
    plugins = list(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    if not plugins:
        pytest.skip("mosquitto's dynamic security plugin is not installed")
    rules = {
        "defaultACLAccess": {
            "publishClientSend": True,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "anonymousGroup": "guests",
        "groups": [{"groupname": "guests", "roles": [{"rolename": "guest"}]}],
        "roles": [{"rolename": "guest", "acls": [{"acltype": "subscribeLiteral", "topic": "ok", "allow": True}]}],
        "clients": [],
    }
    config = tmp_path / "rules.json"
    config.write_text(json.dumps(rules))
    with Mosquitto(program, tmp_path, f"plugin {plugins[0]}\nplugin_opt_config_file {config}\n") as broker:
        play(python, broker, "mosquitto", "refused")


@pytest.mark.parametrize("python", PYTHONS)
def test_paho_understands_us_and_we_it(python: str, mosquitto: Mosquitto) -> None:
    judge = Judge(mosquitto.port, "out/#", qos=2)
    program = Program(python, HERE / "mqtt_echo.py", mosquitto.port)
    try:
        wait_for(lambda: "@ready" in program.lines, 10, lambda: program.output)
        sent = [(f"in/{i}/\u4e2d\xb0", f"{i} \xe9 \U0001f600".encode() * (i + 1), i % 3) for i in range(45)]
        for topic, payload, qos in sent:
            judge.publish(topic, payload, qos)
        wait_for(lambda: len(judge.got) == len(sent), 15, lambda: f"{len(judge.got)} came\n{program.output}")
        want = sorted(("out" + topic[2:], payload, qos, False) for topic, payload, qos in sent)
        assert sorted(judge.got) == want
        judge.publish("in/stop", b"", 1)
        assert program.wait(10) == 0, program.output
    finally:
        program.end()
        judge.close()
