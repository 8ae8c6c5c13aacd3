"""Random faults of link and broker while QoS 1 and QoS 2 are published: nothing lost, QoS 2 not doubled, all in order.

The judge is paho-mqtt at mosquitto (with persistence), beside the relay that makes the faults.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.integration.mqtt_runs import HERE, PYTHONS, Judge, Program, wait_for
from tools.vboard.link import Link

FAULTS = ("reset", "stall", "black hole", "refuse", "fragment", "slow", "restart")
SLICE = 12  # faults in `make test`; all 200 in `make soak`


def fault(kind: str, chance: random.Random, link: Link, broker: Mosquitto) -> None:
    """One fault, and its end."""
    pause = chance.uniform(0.02, 0.3)
    if kind == "reset":
        link.reset()
    elif kind == "stall":
        link.stall()
        time.sleep(pause * 3)
        link.restore()
    elif kind == "black hole":
        link.black_hole()
        time.sleep(pause * 3)
        link.restore()
    elif kind == "refuse":
        link.refuse()
        link.reset()
        time.sleep(pause)
        link.restore()
    elif kind == "fragment":
        link.fragment = chance.choice((1, 2, 3, 7))
        time.sleep(pause)
        link.reset()
        link.fragment = None
    elif kind == "slow":
        link.delay = chance.uniform(0.01, 0.1)
        time.sleep(pause)
        link.reset()
        link.delay = 0.0
    else:
        broker.stop()
        time.sleep(pause)
        broker.start()
    time.sleep(chance.uniform(0.0, 0.3))


def torture(python: str, count: int, seed: int, program: str, tmp_path: Path) -> dict[str, int]:
    """Make `count` faults; the figures of the run."""
    extra = f"persistence true\npersistence_location {tmp_path}/\nmax_queued_messages 0\nmax_inflight_messages 0\n"
    broker = Mosquitto(program, tmp_path, extra)
    chance = random.Random(seed)
    broker.start()
    judge = node = None
    link = Link()
    try:
        judge = Judge(broker.port, "q1", "q2")
        node = Program(python, HERE / "mqtt_publisher.py", "127.0.0.1", link.forward("127.0.0.1", broker.port), "node")
        wait_for(lambda: len(judge.got) > 20, 15, lambda: node.output)
        for i in range(count):
            kind = FAULTS[i % len(FAULTS)] if i < len(FAULTS) else chance.choice(FAULTS)
            fault(kind, chance, link, broker)
        seen = len(judge.got)
        wait_for(lambda: len(judge.got) > seen + 20, 30, lambda: "nothing more came\n" + node.output)
        judge.publish("stop", "now")
        assert node.wait(60) == 0, node.output
        words = next(line for line in node.lines if line.startswith("@sent")).split()
        sent1, sent2, connects = (int(word) for word in words[1:])
        last1, last2 = b"%d" % sent1, b"%d" % sent2
        wait_for(lambda: last1 in judge.on("q1") and last2 in judge.on("q2"), 30, lambda: str(judge.got[-5:]))
        got1 = [int(payload) for payload in judge.on("q1")]
        got2 = [int(payload) for payload in judge.on("q2")]
        assert sorted(set(got1)) == list(range(1, sent1 + 1)), sorted(set(range(1, sent1 + 1)) - set(got1))
        assert list(dict.fromkeys(got1)) == list(range(1, sent1 + 1)), "QoS 1 out of order"
        assert got2 == list(range(1, sent2 + 1)), "QoS 2 lost, doubled or out of order"
        return {
            "faults": count,
            "QoS 1": sent1,
            "QoS 1 doubled": len(got1) - sent1,
            "QoS 2": sent2,
            "connections": connects,
        }
    finally:
        if node is not None:
            node.end()
        if judge is not None:
            judge.close()
        link.close()
        broker.stop()


@pytest.mark.parametrize("python", PYTHONS)
def test_nothing_is_lost_over_faults(python: str, need, tmp_path: Path) -> None:
    torture(python, SLICE, 1, need("mosquitto"), tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("python", PYTHONS)
def test_nothing_is_lost_over_200_faults(python: str, need, tmp_path: Path, record_property) -> None:
    for name, value in torture(python, 200, 2, need("mosquitto"), tmp_path).items():
        record_property(name, value)
        print(f"{name}: {value}")
