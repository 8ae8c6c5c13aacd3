"""The whole node, its router and its broker: back within 15 s of the network, and no reason to leave a WiFi that works."""

from __future__ import annotations

import queue
import time
from pathlib import Path

import pytest
from test_node_faults import node, watching

from tests.brokers import Mosquitto
from tools.board_run import node_settings
from tools.settings_file import stored
from tools.vboard import Board
from tools.watcher import Watcher

PATIENCE = 40  # s, on a busy machine
WITHIN = 15  # s from the network's or broker's return to the first message
SILENCE = 8  # s until the radio has missed its router for sure
SHORT, MINUTE, LONG = 9, 60, 600  # s


def pass_time(board: Board, seconds: float) -> None:
    """An outage has its length: wait for its end."""
    end = time.monotonic() + seconds
    board.wait_until(lambda: time.monotonic() >= end, timeout=seconds + PATIENCE)


def first_after(watcher: Watcher, moment: float) -> float:
    """How long after that moment the first message came, in s."""
    while True:
        arrival = watcher.arrivals.get(timeout=PATIENCE)
        if arrival.at > moment and not arrival.retained:
            return arrival.at - moment


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("outage", "without_broker"),
    [(SHORT, SHORT - SILENCE), pytest.param(MINUTE, LONG, marks=pytest.mark.soak)],
    ids=["short", "router away for a minute, broker for ten"],
)
def test_router_and_broker_reboot_and_the_node_publishes_again(
    tmp_path: Path, mosquitto: Mosquitto, outage: int, without_broker: int
) -> None:
    settings = stored(node_settings("back", 1883))
    with watching(mosquitto, "node/back/telemetry") as watcher, node(tmp_path, settings, mosquitto) as board:
        assert watcher.arrivals.get(timeout=PATIENCE)
        router = board.air.points[0]
        written, boots = board.store.written, board.boots

        board.air.change(router, up=False)
        board.wait_for("wifi: lost", timeout=PATIENCE)
        pass_time(board, outage - SILENCE if outage == SHORT else outage)
        with pytest.raises(queue.Empty):
            while True:
                watcher.arrivals.get_nowait()
        board.air.change(router, up=True)
        took = first_after(watcher, time.monotonic())
        print(f"published {took:.1f} s after the router was back")
        assert took <= WITHIN

        searches = board.silicon.radio.attempts
        mosquitto.stop()
        pass_time(board, without_broker)
        mosquitto.start()
        took = first_after(watcher, time.monotonic())
        print(f"published {took:.1f} s after the broker was back")
        assert board.silicon.radio.attempts == searches, "it searched for a network that it was in"
        assert "wifi: dead" not in board.log
        assert (board.store.written, board.boots) == (written, boots)
