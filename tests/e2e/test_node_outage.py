"""Store and forward on the virtual board against mosquitto, in simulated time: nothing is lost, all is in order and on time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulation import (
    DAY,
    HANGS,
    HOUR,
    MINUTE,
    NAN,
    OK,
    RAISES,
    Simulation,
    Truth,
    persistent_mosquitto,
    settings,
    simulation,
)

PUBACK, PUBCOMP = b"\x40", b"\x70"
QUEUE = 2048  # bytes; telemetry.queue_bytes


def faulty_sensor(luck: random.Random) -> Callable[[], int]:
    """One reading in fifty fails, in one of three ways."""
    return lambda: luck.choice((RAISES, NAN, HANGS)) if luck.random() < 0.02 else OK


def bad_luck(world: Simulation, luck: random.Random, start: float, end: float) -> list[str]:
    """A fault every 25 minutes on average, each up to 12 minutes: of the WiFi, the way and the broker. Returns what."""
    done = []
    at = start
    while True:
        at += luck.uniform(5, 35) * MINUTE
        seconds = luck.choice((5, 30, 120, 720)) * luck.uniform(0.5, 1)
        if at + seconds > end:
            return done
        kind = luck.choice((world.wifi_outage, world.black_hole, world.broker_outage, None))
        if kind is None:
            world.at(at, world.board.link.reset)
            done.append("reset")
        else:
            kind(at, seconds)
            done.append(kind.__name__)
            at += seconds


def lost_in_flight(world: Simulation, serial: int) -> None:
    """The WiFi goes when the broker has passed that reading on, and before the node knows."""
    link = world.board.link
    swallowed = []

    def last_word(data: bytes) -> bool:
        if data[:1] not in (PUBACK, PUBCOMP):
            return False
        swallowed.append(data)
        return True

    def told() -> None:
        if len(world.truth.taken) == serial + 1:
            link.swallow = last_word
            now = world.elapsed()
            world.wifi_outage(now + 5, 90)
            world.at(now + 10, restore)

    def restore() -> None:
        link.swallow = lambda data: False
        assert swallowed

    world.truth.told = told


def check(truth: Truth, heard: list[dict[str, Any]], once: bool, within: float = 2) -> None:
    """Every reading, in order, with the time at which it was taken."""
    serials = [message["serial"] for message in heard]
    first = list(dict.fromkeys(serials))
    assert first == list(range(len(truth.taken))), missing(first, len(truth.taken))
    if once:
        assert serials == first, [n for n in first if serials.count(n) > 1]
    for message in heard:
        assert abs(message["time"] - truth.taken[message["serial"]]) <= within, message


def missing(first: list[int], count: int) -> str:
    return f"{count} taken; lost {sorted(set(range(count)) - set(first))[:20]}; order {first != sorted(first)}"


def run_days(tmp_path: Path, program: str, qos: int, seconds: float, real: float, seed: int) -> None:
    luck = random.Random(seed)
    cfg = settings(mqtt={"qos": qos, "clean_session": qos < 2}, telemetry={"queue_bytes": QUEUE, "spill": True})
    with persistent_mosquitto(program, tmp_path / "broker") as broker, simulation(tmp_path, broker, cfg) as world:
        world.truth.fault = faulty_sensor(luck)
        lost_in_flight(world, 4)
        faults = bad_luck(world, luck, 10 * MINUTE, seconds - 20 * MINUTE)
        if seconds >= DAY:
            world.wifi_outage(seconds - 8 * HOUR, 5 * HOUR)
        world.board.power_on()
        world.run(seconds, real)
        truth = world.truth
        count = len(truth.taken)
        heard = world.wait_for_serial(count - 1)
        hour = truth.free[min(60, count // 2)]
        print(
            f"\n{count} readings, {len(heard)} messages, {len(faults)} faults; free heap {hour} -> {truth.free[count - 1]}"
        )
        check(truth, heard, once=qos == 2)
        assert max(truth.queued) <= QUEUE
        assert truth.dropped == 0
        assert len(faults) >= seconds / HOUR / 2
        assert truth.free[count - 1] >= hour - 1024
        assert world.board.boots == 1
        assert "Traceback" not in world.board.log


@pytest.mark.parametrize("qos", [pytest.param(1, marks=pytest.mark.soak), 2])
def test_an_hour_of_faults_loses_nothing(tmp_path: Path, need: Callable[[str], str], qos: int) -> None:
    run_days(tmp_path, need("mosquitto"), qos, 1.25 * HOUR, 100, seed=qos)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("qos", [1, 2])
def test_three_days_of_faults_lose_nothing(tmp_path: Path, need: Callable[[str], str], qos: int) -> None:
    run_days(tmp_path, need("mosquitto"), qos, 3 * DAY, 3500, seed=10 + qos)


@pytest.mark.soak
def test_a_broker_that_is_down_for_an_hour_does_not_make_the_node_drop_its_wifi(
    tmp_path: Path, need: Callable[[str], str]
) -> None:
    cfg = settings(telemetry={"queue_bytes": QUEUE, "spill": True})
    with (
        persistent_mosquitto(need("mosquitto"), tmp_path / "broker") as broker,
        simulation(tmp_path, broker, cfg) as world,
    ):
        world.broker_outage(5 * MINUTE, HOUR)
        world.board.power_on()
        world.run(70 * MINUTE, 100)
        heard = world.wait_for_serial(len(world.truth.taken) - 1)
        check(world.truth, heard, once=False)
        said = [line for line in world.board.log.splitlines() if "wifi: " in line]
        assert len(said) == 1 and "online" in said[0], said
        assert world.board.boots == 1
