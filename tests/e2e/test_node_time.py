"""The node's time on the virtual board: time servers that answer nonsense, late, or never, and clocks that jump."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from simulation import (
    DAY,
    HOUR,
    MINUTE,
    NTP_1900,
    Simulation,
    persistent_mosquitto,
    settings,
    simulation,
    time_server,
)


class Server:
    """A time server whose answers a test can spoil: `spoil(answer, question)` gives what is sent, None for silence."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.spoil: Callable[[bytes, bytes], bytes | None] = lambda answer, question: answer
        self.world: Simulation | None = None

    def __call__(self, question: bytes) -> bytes | None:
        assert self.world is not None
        self.asked.append(self.world.elapsed())
        answer = time_server(lambda: self.world.board)(question)  # type: ignore[union-attr]
        assert answer is not None
        return self.spoil(answer, question)


@pytest.fixture
def world(tmp_path: Path, need: Callable[[str], str]) -> Callable[..., Any]:
    @contextmanager
    def make(server: Server, **cfg: object) -> Iterator[Simulation]:
        with (
            persistent_mosquitto(need("mosquitto"), tmp_path / "b") as broker,
            simulation(tmp_path, broker, settings(**cfg), server) as made,
        ):
            server.world = made
            yield made

    return make


def silent(answer: bytes, question: bytes) -> None:
    return None


SPOILED: dict[str, Callable[[bytes, bytes], bytes | None]] = {
    "silence": silent,
    "somebody else's answer": lambda a, q: a[:24] + b"\0" * 8 + a[32:],
    "cut short": lambda a, q: a[:40],
    "empty": lambda a, q: b"",
    "not synchronised": lambda a, q: b"\xe4" + a[1:],
    "stratum 16": lambda a, q: a[:1] + b"\x10" + a[2:],
    "the question sent back": lambda a, q: q,
    "the year 2000": lambda a, q: a[:40] + (NTP_1900 + 946684800).to_bytes(4, "big") + a[44:],
}


@pytest.mark.soak
@pytest.mark.parametrize("fault", SPOILED.values(), ids=SPOILED)
def test_a_bad_answer_does_not_set_the_clock_and_is_asked_for_again(
    world: Callable[..., Any], fault: Callable[[bytes, bytes], bytes | None]
) -> None:
    server = Server()
    server.spoil = fault
    with world(server) as sim:
        sim.at(3 * MINUTE, lambda: setattr(server, "spoil", lambda answer, question: answer))
        sim.board.power_on()
        sim.run(10 * MINUTE, 60)
        heard = sim.wait_for_serial(len(sim.truth.taken) - 1)
        assert all("time" not in message for message in heard if message["true"] < sim.truth.taken[0] + 2 * MINUTE)
        assert abs(heard[-1]["time"] - sim.truth.taken[heard[-1]["serial"]]) <= 2
        assert 3 <= len(server.asked) <= 8, server.asked
        assert "Traceback" not in sim.board.log


@pytest.mark.soak
def test_a_server_that_wants_no_questions_is_left_alone_for_a_minute(world: Callable[..., Any]) -> None:
    server = Server()
    server.spoil = lambda answer, question: answer[:1] + b"\0RATE"[:1] + answer[2:]
    with world(server) as sim:
        sim.board.power_on()
        sim.run(5 * MINUTE, 60)
        gaps = [b - a for a, b in pairwise(server.asked)]
        assert gaps and min(gaps) > 60, server.asked


@pytest.mark.soak
@pytest.mark.timeout(500)
def test_it_is_asked_once_an_hour_well_before_the_chips_clock_overflows(world: Callable[..., Any]) -> None:
    server = Server()
    with world(server, telemetry={"period": 600}) as sim:
        sim.board.power_on()
        sim.run(4.5 * HOUR, 400)
        gaps = [b - a for a, b in pairwise(server.asked)]
        assert len(gaps) >= 3 and all(abs(gap - HOUR) < 10 for gap in gaps), gaps


def test_readings_before_the_first_answer_are_stamped_later(world: Callable[..., Any]) -> None:
    server = Server()
    server.spoil = silent
    with world(server) as sim:
        sim.broker_outage(1, 15 * MINUTE)
        sim.at(14 * MINUTE, lambda: setattr(server, "spoil", lambda answer, question: answer))
        sim.board.power_on()
        sim.run(40 * MINUTE, 60)
        heard = sim.wait_for_serial(len(sim.truth.taken) - 1)
        assert [message["serial"] for message in heard] == list(range(len(sim.truth.taken)))
        late = [m for m in heard if abs(m.get("time", 0) - sim.truth.taken[m["serial"]]) > 2]
        assert not [m for m in late if "time" in m]
        assert len(late) <= 15  # those sent before the answer, after 20 s without one, have none


@pytest.mark.soak
def test_readings_on_flash_from_before_the_first_answer_are_stamped_after_a_reset(world: Callable[..., Any]) -> None:
    server = Server()
    server.spoil = silent
    with world(server, telemetry={"spill": True, "queue_bytes": 512}) as sim:
        sim.broker_outage(1, 30 * MINUTE)
        sim.board.power_on()
        sim.run(20 * MINUTE, 60, last=False)
        before = len(sim.truth.taken)
        sim.board.reset()
        server.spoil = lambda answer, question: answer
        sim.run(60 * MINUTE, 60)
        heard = sim.wait_for_serial(len(sim.truth.taken) - 1)
        kept = [message for message in heard if message["serial"] < before]
        assert len(kept) >= before - 6  # what was in RAM is lost by a reset that nobody announced
        for message in heard:
            assert abs(message["time"] - sim.truth.taken[message["serial"]]) <= 3, message


@pytest.mark.soak
def test_a_power_cut_before_the_first_answer_costs_the_time_and_not_the_readings(world: Callable[..., Any]) -> None:
    server = Server()
    server.spoil = silent
    with world(server, telemetry={"spill": True, "queue_bytes": 512}) as sim:
        sim.broker_outage(1, 30 * MINUTE)
        sim.board.power_on()
        sim.run(20 * MINUTE, 60, last=False)
        before = len(sim.truth.taken)
        sim.board.power_off()
        server.spoil = lambda answer, question: answer
        sim.board.power_on()
        sim.run(60 * MINUTE, 60)
        heard = sim.wait_for_serial(len(sim.truth.taken) - 1)
        kept = [message for message in heard if message["serial"] < before]
        assert len(kept) >= before - 6
        assert all("time" not in message for message in kept)
        assert all(abs(m["time"] - sim.truth.taken[m["serial"]]) <= 2 for m in heard if m["serial"] >= before)


@pytest.mark.soak
def test_the_chips_own_clock_does_not_matter(world: Callable[..., Any]) -> None:
    server = Server()
    with world(server) as sim:

        def jump() -> None:
            sim.board.silicon.clock_offset += DAY // 3

        sim.at(10 * MINUTE, jump)
        sim.board.power_on()
        sim.run(30 * MINUTE, 60)
        for message in sim.wait_for_serial(len(sim.truth.taken) - 1):
            assert abs(message["time"] - sim.truth.taken[message["serial"]]) <= 2
