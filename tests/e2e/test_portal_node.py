"""A new node set up through its own page, in a real browser: the real image in the real VM, a real broker, one fault after
the other, then readings. The access point's address is one of the loopback here, so that the browser reaches it.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from portal_browser import browser, needs_chromium

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Watcher

pytestmark = needs_chromium

PATIENCE = 20_000  # ms


@pytest.fixture
def board(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Board]:
    """A node without a network, its page on a free port, two networks in the air."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "device": {"name": "fresh", "web_port": port},
        "wifi": {"ap_address": "127.0.0.1"},
        "sensors": [{"type": "sim", "period": 2}],
    }
    image = build_image(tmp_path / "flash.bin", settings)
    with Board(image, names={BROKER_NAME: (mosquitto.host, mosquitto.port)}) as board:
        board.air.add("home", "secret123", rssi=-50)
        board.air.add("neighbour", "other-key", rssi=-80)
        board.page = f"http://127.0.0.1:{board.listening_port(port)}/"  # type: ignore[attr-defined]
        try:
            yield board
        finally:
            print(board.log)


def open_page(page, board: Board) -> None:
    """The page, once the access point is up and has found the network."""
    board.power_on()
    board.wait_for("page: up", timeout=30)
    page.goto(board.page)
    while not page.query_selector(f"[value='{b'home'.hex()}']"):
        page.wait_for_timeout(300)
        page.goto(board.page)


def save(page, key: str, host: str = BROKER_NAME) -> None:
    print(len(page.content()), page.content()[-300:])
    page.check(f"[name='network.ssid_hex'][value='{b'home'.hex()}']")
    page.fill("[name='network.key']", key)
    page.fill("[name='broker.host']", host)
    page.click(".go")


def test_wrong_key_then_wrong_broker_then_right_and_readings_arrive(board: Board, mosquitto: Mosquitto) -> None:
    watcher = Watcher(Address(mosquitto.host, mosquitto.port), "node/fresh/telemetry")
    watcher.start()
    try:
        with browser() as chromium:
            page = chromium.new_page(viewport={"width": 320, "height": 700})
            page.set_default_timeout(PATIENCE)
            open_page(page, board)
            for key, host, reason in (
                ("wrong-key", BROKER_NAME, "wrong WiFi key"),
                ("secret123", "nowhere.test", "no such broker name"),
            ):
                save(page, key, host)
                page.get_by_role("alert").wait_for()
                print(page.inner_text("main")[:300])
                assert reason in page.get_by_role("alert").inner_text()
                page.get_by_text("Change what is wrong").wait_for()
            save(page, "secret123")
            page.get_by_text("The settings are saved").wait_for()
            assert watcher.arrivals.get(timeout=PATIENCE / 1000)
    finally:
        watcher.stop()
    assert "Traceback" not in board.log
