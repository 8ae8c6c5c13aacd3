"""A new node set up through its own page, in a real browser: the real image in the real VM with the chip's heap, a real
broker, one failure after the other, then readings. The access point's address is one of the loopback here, so that the
browser reaches it. With PORTAL_IMAGES=directory the test leaves screenshots there.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from portal_browser import browser, needs_chromium

from tests.brokers import Mosquitto, find_program
from tools.board_run import BROKER_NAME
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Watcher

pytestmark = needs_chromium

PATIENCE = 40_000  # ms
USER, PASSWORD = "me", "right & more+%"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that wants a password."""
    program, hasher = find_program("mosquitto"), shutil.which("mosquitto_passwd")
    if program is None or hasher is None:
        assert not os.environ.get("CI"), "program mosquitto is not installed"
        pytest.skip("program mosquitto is not installed")
    passwords = tmp_path / "passwords"
    subprocess.run([hasher, "-b", "-c", str(passwords), USER, PASSWORD], check=True, timeout=10)
    passwords.chmod(0o600)
    broker = Mosquitto(program, tmp_path, f"allow_anonymous false\npassword_file {passwords}\n")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def board(tmp_path: Path, broker: Mosquitto) -> Iterator[Board]:
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
    with Board(image, names={BROKER_NAME: (broker.host, broker.port)}, speed=4) as board:
        board.air.add("home", "secret123", rssi=-50)
        board.air.add("neighbour", "other-key", rssi=-80)
        board.page = f"http://127.0.0.1:{port}/"  # type: ignore[attr-defined]
        board.power_on()
        board.wait_for("page: up", timeout=30)
        yield board
        print(board.log)


def picture(page, name: str) -> None:
    directory = os.environ.get("PORTAL_IMAGES")
    if directory:
        page.screenshot(path=Path(directory) / f"portal-{name}.png", full_page=True)


class Visitor:
    """A browser of its own kind at the node's page."""

    def __init__(self, chromium, board: Board, *, js: bool = True, locale: str = "en-US") -> None:
        self.context = chromium.new_context(
            viewport={"width": 320, "height": 700}, locale=locale, java_script_enabled=js, device_scale_factor=1.5
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.seen: list[str] = []
        self.page.on("pageerror", lambda error: self.seen.append(str(error)))
        self.page.goto(board.page)

    def save(self, key: str, password: str) -> None:
        """Fill the form in and send it."""
        self.page.locator(f"[name='network.ssid_hex'][value='{b'home'.hex()}']").check()  # waits for the scan
        self.page.fill("[name='network.key']", key)
        self.page.fill("[name='broker.host']", BROKER_NAME)
        self.page.fill("[name='mqtt.user']", USER)
        self.page.fill("[name='mqtt.password']", password)
        self.page.click(".go")

    def outcome(self) -> str:
        """The outcome, as the page finds it by itself."""
        alert = self.page.get_by_role("alert")
        alert.wait_for()
        return alert.inner_text()

    def leave(self) -> None:
        assert not self.seen, self.seen
        self.context.close()


def test_wrong_key_then_wrong_password_then_right_and_readings_arrive(board: Board, broker: Mosquitto) -> None:
    with browser() as chromium:
        first = Visitor(chromium, board)
        first.save("wrong-key", PASSWORD)
        assert "wrong WiFi key" in first.outcome()
        first.page.locator("[name='network.key']").wait_for()  # the node is back with its old settings, and the form
        assert "wrong WiFi key" in first.outcome() and "old settings are still in use" in first.outcome()
        assert first.page.input_value("[name='broker.host']") == BROKER_NAME  # what was typed is offered again
        assert first.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture(first.page, "failed")
        first.leave()

        second = Visitor(chromium, board, js=False)
        second.save("secret123", "wrong password")
        assert "not authorised: are user and password right?" in second.outcome()  # by the page's own refresh
        mark = board.log.index("new settings: login: not_authorised")
        assert second.page.get_by_text("Change and try again").is_visible()
        second.leave()

        board.wait_until(lambda: board.log[mark:].count("page: up") == 2, timeout=30)  # the outcome; the old settings
        third = Visitor(chromium, board, locale="zh-CN")
        third.page.get_by_text("请检查用户名和密码").wait_for()  # still to be read by who joins again
        third.save("", PASSWORD)  # the key is kept
        third.page.get_by_text("设置已保存").wait_for()
        picture(third.page, "done-zh")
        third.leave()
    watcher = Watcher(Address(broker.host, broker.port), "node/fresh/telemetry", USER, PASSWORD)
    watcher.start()
    try:
        assert "temperature" in json.loads(watcher.arrivals.get(timeout=30).payload)
    finally:
        watcher.stop()
    assert "MemoryError" not in board.log and "Traceback" not in board.log
    assert "settings.candidate.json" not in board.log
