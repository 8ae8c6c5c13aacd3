"""The node with settings, networks and brokers that are wrong: a clear line each, and it goes on. Real VM, real image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.image import build_image
from tools.settings_file import stored
from tools.vboard import Board
from tools.watcher import Address, Watcher

PATIENCE = 40  # s, on a busy machine


@contextmanager
def node(tmp_path: Path, settings: bytes | None, broker: Mosquitto | None = None) -> Iterator[Board]:
    """A node with these bytes as its settings.json (None: no such file), in the air of the settings' network."""
    files = {} if settings is None else {"settings.json": settings}
    image = build_image(tmp_path / "flash.bin", None, files=files)
    names = {BROKER_NAME: (broker.host, broker.port)} if broker else {}
    with Board(image, names=names) as board:
        board.air.add(SSID, KEY)
        board.power_on()
        yield board


@contextmanager
def watching(broker: Mosquitto, topic_filter: str) -> Iterator[Watcher]:
    """An independent client that sees what arrives at the broker."""
    watcher = Watcher(Address(broker.host, broker.port), topic_filter)
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()


def lines(board: Board, word: str) -> list[str]:
    return [line for line in board.log.splitlines() if word in line]


def no_trace(board: Board) -> None:
    assert "Traceback" not in board.log
    assert board.boots == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, None),
        (b'{"wifi": {"networks": [', "settings.json"),
        (b"\x00\xff\xfe binary", "settings.json"),
        (b"", "settings.json"),
        (b'{"mqtt": {"brokers": [{"host": "broker.test", "port": 70000}]}}', "70000"),
        (b'{"wifi": {"networks": "home"}}', "wifi.networks"),
        (b" " * 100_000, "settings.json"),
    ],
    ids=["missing", "torn", "binary", "empty", "port 70000", "wrong type", "100 KB"],
)
def test_settings_that_are_of_no_use_cost_a_line_and_the_node_runs_on_defaults(
    tmp_path: Path, content: bytes | None, said: str | None
) -> None:
    with node(tmp_path, content) as board:
        board.wait_for("heap free", timeout=PATIENCE)
        board.wait_for("waiting for set-up", timeout=PATIENCE)
        if said:
            assert lines(board, said), board.log
        no_trace(board)


def test_an_unknown_key_is_named_and_the_rest_is_used(tmp_path: Path, mosquitto: Mosquitto) -> None:
    settings = node_settings("odd", 1883)
    settings["mqtt"]["colour"] = "blue"
    with (
        watching(mosquitto, "node/odd/telemetry") as watcher,
        node(tmp_path, json.dumps(settings).encode(), mosquitto) as board,
    ):
        assert watcher.arrivals.get(timeout=PATIENCE)
        assert len(lines(board, "mqtt.colour")) == 1
        assert "Traceback" not in board.log
        assert board.boots == 2, "checked and stored, then started anew"


def test_a_broker_that_is_not_there_is_named_once_and_tried_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with watching(mosquitto, "node/late/telemetry") as watcher:
        mosquitto.stop()
        with node(tmp_path, stored(node_settings("late", 1883)), mosquitto) as board:
            board.wait_for(BROKER_NAME + ":1883: ", timeout=PATIENCE)
            no_trace(board)
            mosquitto.start()
            assert watcher.arrivals.get(timeout=PATIENCE)


def test_a_broker_whose_name_does_not_resolve_is_named(tmp_path: Path) -> None:
    with node(tmp_path, stored(node_settings("lost", 1883))) as board:
        board.wait_for(BROKER_NAME + ":1883: ", timeout=PATIENCE)
        no_trace(board)
