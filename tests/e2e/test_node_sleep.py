"""Deep sleep cycles on the virtual board against mosquitto, in simulated time: nothing that fitted the store is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from simulation import DAY, HOUR, MINUTE, Simulation, persistent_mosquitto, settings, simulation
from test_node_outage import check

PERIOD = 300  # s
STORE = 19  # groups of two values that 300 bytes of RTC memory hold


def battery(**power: object) -> dict[str, object]:
    return {"deep_sleep": True, "period": PERIOD, "awake_max": 10, **power}


def cycles(world: Simulation, seconds: float, real: float) -> float:
    """Run; returns the mean number of seconds awake in a cycle."""
    begun = time.monotonic()
    world.board.power_on()
    world.run(seconds, real)
    boots = world.board.boots
    assert abs(boots - seconds / PERIOD) < seconds / PERIOD / 20 + 3
    awake = world.board.awake_seconds / boots
    print(f"\n{boots} cycles, {len(world.truth.taken)} readings, awake {awake:.2f} s on average,", end=" ")
    print(f"{(time.monotonic() - begun) / boots:.2f} s of real time each")
    return awake


@pytest.mark.soak
def test_cycles_without_faults_are_in_step_and_on_time(tmp_path: Path, need: Callable[[str], str]) -> None:
    cfg = settings(power=battery(listen_every=12))
    with persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker, simulation(tmp_path, broker, cfg) as world:
        world.board.sleep_error = 0.02  # 6 s a cycle, which the node has to find out
        awake = cycles(world, 4 * HOUR, 60)
        truth = world.truth
        check(truth, world.wait_for_serial(len(truth.taken) - 1), once=False, within=3)
        gaps = [after - before for before, after in zip(truth.taken[3:], truth.taken[4:], strict=False)]
        assert all(abs(gap - PERIOD) < 3 for gap in gaps), gaps
        assert awake < 6
        assert world.board.store.written <= 4  # the SDK's flash is left alone
        assert "Traceback" not in world.board.log


def test_an_outage_that_fits_rtc_memory_costs_nothing(tmp_path: Path, need: Callable[[str], str]) -> None:
    with (
        persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker,
        simulation(tmp_path, broker, settings(power=battery())) as world,
    ):
        world.wifi_outage(20 * MINUTE, (STORE - 1) * PERIOD)
        cycles(world, 3 * HOUR, 60)
        check(world.truth, world.wait_for_serial(len(world.truth.taken) - 1), once=False, within=3)


@pytest.mark.soak
def test_of_a_longer_outage_the_newest_that_fit_are_kept(tmp_path: Path, need: Callable[[str], str]) -> None:
    with (
        persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker,
        simulation(tmp_path, broker, settings(power=battery())) as world,
    ):
        world.broker_outage(20 * MINUTE, 40 * PERIOD)
        cycles(world, 4.5 * HOUR, 60)
        count = len(world.truth.taken)
        serials = [message["serial"] for message in world.wait_for_serial(count - 1)]
        lost = sorted(set(range(count)) - set(serials))
        assert serials == sorted(serials)
        assert lost == list(range(lost[0], lost[-1] + 1))  # one piece: the oldest of the outage
        assert 40 - STORE - 1 <= len(lost) <= 40 - STORE + 2


@pytest.mark.soak
def test_with_flash_a_long_outage_costs_nothing(tmp_path: Path, need: Callable[[str], str]) -> None:
    cfg = settings(power=battery(), telemetry={"spill": True})
    with persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker, simulation(tmp_path, broker, cfg) as world:
        world.wifi_outage(20 * MINUTE, 70 * PERIOD)
        cycles(world, 8 * HOUR, 100)
        check(world.truth, world.wait_for_serial(len(world.truth.taken) - 1), once=False, within=10)


def test_a_sleep_longer_than_the_chips_timer_is_chained(tmp_path: Path, need: Callable[[str], str]) -> None:
    cfg = settings(power=battery(period=6 * HOUR))
    with persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker, simulation(tmp_path, broker, cfg) as world:
        world.board.power_on()
        world.run(19 * HOUR, 60)
        taken = world.truth.taken
        gaps = [after - before for before, after in pairwise(taken)]
        assert len(taken) == 4
        assert all(abs(gap - 6 * HOUR) < 10 for gap in gaps), gaps
        assert world.board.boots >= 19  # one an hour, most of them only to sleep on


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_month_of_cycles_with_outages_loses_nothing(tmp_path: Path, need: Callable[[str], str]) -> None:
    luck = random.Random(30)
    cfg = settings(power=battery(listen_every=12), telemetry={"spill": True})
    with persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker, simulation(tmp_path, broker, cfg) as world:
        world.board.sleep_error = 0.013
        at = HOUR
        outages = 0
        while at < 30 * DAY - 12 * HOUR:
            seconds = luck.choice((10, 600, 3600, 5 * HOUR)) * luck.uniform(0.5, 1)
            luck.choice((world.wifi_outage, world.black_hole, world.broker_outage))(at, seconds)
            at += seconds + luck.uniform(1, 16) * HOUR
            outages += 1
        cycles(world, 30 * DAY, 3500)
        heard = world.wait_for_serial(len(world.truth.taken) - 1)
        print(f"{outages} outages, {len(heard)} messages for {len(world.truth.taken)} readings")
        check(world.truth, heard, once=False, within=30)
        assert world.board.store.written <= 4
