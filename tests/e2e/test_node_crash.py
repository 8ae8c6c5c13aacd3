"""The node that crashes, hangs, is interrupted or has its button pressed, on the virtual board in simulated time."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from simulation import HOUR, MINUTE, Simulation, persistent_mosquitto, settings, simulation

from tools.vboard import Board, silicon

# A sensor that does what its settings say when it has been read often enough: raising is the guard's business, so that it
# takes a task of its own to crash the node, and a call that does not return to hang it.
MEAN = """
import asyncio, time
class Driver:
    FIELDS = (("count", "", 0, 0, None),)
    def __init__(self, spec, board):
        self.way = spec.get("way")
        self.after = spec.integer("after", 1, 1000, 2)
        self.count = 0
    async def read(self):
        self.count += 1
        if self.count == self.after:
            if self.way == "task":
                asyncio.create_task(self.fail())
            elif self.way == "sleep":
                time.sleep(3600)
            elif self.way == "loop":
                while True:
                    pass
        return [self.count]
    async def fail(self):
        raise KeyError("colour")
"""


def mean(way: str, after: int = 2) -> list[dict[str, object]]:
    return [{"type": "truth"}, {"type": "mean", "way": way, "after": after}]


@pytest.fixture
def world(tmp_path: Path, need: Callable[[str], str]) -> Callable[..., object]:
    def make(**cfg: object) -> object:
        broker = persistent_mosquitto(need("mosquitto"), tmp_path / "b")
        return _world(tmp_path, broker, settings(**cfg))

    return make


class _world:  # noqa: N801  (a context manager of two)
    def __init__(self, tmp_path: Path, broker: object, cfg: dict[str, object]) -> None:
        self._broker, self._cfg, self._path = broker, cfg, tmp_path

    def __enter__(self) -> Simulation:
        broker = self._broker.__enter__()  # type: ignore[attr-defined]
        self._inner = simulation(self._path, broker, self._cfg, **{"lib/sensors/mean.py": MEAN})
        return self._inner.__enter__()

    def __exit__(self, *why: object) -> None:
        try:
            self._inner.__exit__(*why)
        finally:
            self._broker.__exit__(*why)  # type: ignore[attr-defined]


def freeze_when(board: Board, text: str, since: int = 0) -> str:
    return board.wait_for(text, 40, since)


def test_an_exception_in_a_task_restarts_the_node_and_its_words_are_kept(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("task"), log={"mqtt": "warning"}) as sim:
        sim.board.power_on()
        log = freeze_when(sim.board, "last words:")
        assert "KeyError" in log.split("last words:")[0]
        log = sim.board.wait_for("colour", 5, len(log) - 20)
        assert sim.board.resets[:2] == [silicon.POWER_ON, silicon.SOFT_RESTART]
        deadline = time.monotonic() + 30
        while not any(t.endswith("/log") and b"KeyError: colour" in p for t, p in list(sim.ear.messages)):
            assert time.monotonic() < deadline, sim.ear.messages
            time.sleep(0.05)


@pytest.mark.soak
def test_readings_outlive_a_crash(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("task", after=10)) as sim:
        sim.broker_outage(90, 9 * MINUTE)
        sim.board.power_on()
        sim.run(14 * MINUTE, 60)
        count = len(sim.truth.taken)
        serials = [message["serial"] for message in sim.wait_for_serial(count - 1) if "serial" in message]
        assert list(dict.fromkeys(serials)) == list(range(count))
        assert sim.board.boots >= 2
        for message in sim.ear.telemetry():
            assert "serial" not in message or abs(message["time"] - sim.truth.taken[message["serial"]]) <= 2


def test_several_quick_crashes_lead_to_safe_mode_and_time_out_of_it(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("task")) as sim:
        sim.board.power_on()
        log = freeze_when(sim.board, "safe mode: WiFi, page and log only")
        assert sim.board.boots == 5
        assert "crash 4 in a row" in log
        freeze_when(sim.board, "page: up", len(log))
        freeze_when(sim.board, "trying a normal start", len(log))
        assert "mqtt: connected" not in sim.board.log[len(log) :].split("trying a normal start")[0]
        freeze_when(sim.board, "crash 4 in a row", sim.board.log.index("trying a normal start"))
        assert max(after - before for before, after in pairwise(sim.truth.taken)) > 14 * MINUTE
        assert sim.board.state == "on"


@pytest.mark.soak
def test_crashes_far_apart_do_not(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("task", after=15)) as sim:
        sim.board.power_on()
        sim.run(2 * HOUR, 100)
        assert sim.board.boots >= 6
        assert "safe mode" not in sim.board.log


def test_a_node_that_hangs_is_reset_within_a_minute(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("sleep")) as sim:
        sim.board.power_on()
        begun = sim.elapsed()
        freeze_when(sim.board, "restarted after a crash, reset cause 4")
        assert sim.elapsed() - begun < 4 * MINUTE


@pytest.mark.soak
def test_an_endless_loop_is_reset_within_a_minute(world: Callable[..., Simulation]) -> None:
    with world(sensors=mean("loop")) as sim:
        sim.board.power_on()
        sim.board.wait_for("restarted after a crash, reset cause 4", 100)


@pytest.mark.soak
def test_resets_by_hand_are_no_crashes(world: Callable[..., Simulation]) -> None:
    with world() as sim:
        sim.board.power_on()
        for _ in range(6):
            mark = sim.board.mark()
            sim.board.reset()
            sim.board.wait_for("mqtt: connected", 20, mark)
        assert "crash" not in sim.board.log


def test_ctrl_c_leaves_a_board_that_is_not_reset(world: Callable[..., Simulation]) -> None:
    with world() as sim:
        sim.board.power_on()
        sim.board.wait_for("mqtt: connected", 20)
        sim.board.type(b"\x03")
        sim.board.wait_for("stopped", 20)
        mark = sim.board.mark()
        sim.board.type("import time; time.sleep(300); print('still', 'here')\r\n")
        sim.board.wait_for("still here", 20, mark)
        assert sim.board.boots == 1


def press(sim: Simulation, pin: int, at: float, seconds: float) -> None:
    sim.at(at, lambda: sim.board.set_pin(pin, 0))
    sim.at(at + seconds, lambda: sim.board.set_pin(pin, 1))


def test_the_button_reads_opens_the_access_point_and_forgets(world: Callable[..., Simulation]) -> None:
    with world(device={"button": "D5", "led": "D4"}, telemetry={"period": 3600}) as sim:
        press(sim, 14, 60, 0.5)
        press(sim, 14, 120, 4)
        press(sim, 14, 180, 12)
        sim.board.power_on()
        log = freeze_when(sim.board, "waiting for set-up")
        assert log.index("button: reading now") < log.index("access point open") < log.index("settings are forgotten")
        assert len(sim.truth.taken) == 2
        assert sim.board.boots == 2


@pytest.mark.soak
def test_the_led_tells_the_states_apart(world: Callable[..., Simulation]) -> None:
    with world(device={"led": "D4"}) as sim:
        lit: list[tuple[float, bool]] = []

        def look(at: float) -> None:
            sim.at(at, lambda: lit.append((at, sim.board.pin(2) == 0)))

        sim.broker_outage(100, 100)
        for start in (40, 160):
            for step in range(400):
                look(start + step * 0.05)
        sim.board.power_on()
        sim.run(200, 60)
        working = [on for at, on in lit if at < 100]
        without = [on for at, on in lit if at > 100]
        assert 0.02 < sum(working) / 400 < 0.08, sum(working)
        assert 0.08 < sum(without) / 400 < 0.14, sum(without)
