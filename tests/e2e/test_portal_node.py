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
sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from portal_browser import browser, needs_chromium
from portal_probes import PROBES

from tests.brokers import Mosquitto, find_program
from tools.board_run import BROKER_NAME
from tools.broker import free_port
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Login, Watcher

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
    with Mosquitto(program, tmp_path, f"allow_anonymous false\npassword_file {passwords}\n") as broker:
        yield broker


@pytest.fixture
def board(tmp_path: Path, broker: Mosquitto) -> Iterator[Board]:
    """A node without a network, its page on a free port, two networks in the air."""
    port = free_port()
    settings = {
        "device": {"name": "fresh", "web_port": port},
        "wifi": {"ap_address": "127.0.0.1"},
        "sensors": [{"type": "sim", "period": 2}],
    }
    image = build_image(tmp_path / "flash.bin", settings)
    with Board(image, names={BROKER_NAME: (broker.host, broker.port)}, speed=4) as board:
        board.air.add("home", "secret123", rssi=-50)
        board.air.add("neighbour", "other-key", rssi=-80)
        board.port = port  # type: ignore[attr-defined]
        board.page = f"http://127.0.0.1:{port}/"  # type: ignore[attr-defined]
        board.power_on()
        board.wait_for("page: up", timeout=30)
        yield board


def ask(board: Board, host: str, path: str) -> tuple[int, bytes]:
    """Status and body of the answer to a phone that asks for http://host/path."""
    with socket.create_connection(("127.0.0.1", board.port), 20) as sock:  # type: ignore[attr-defined]
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    return int(answer[9:12]), answer.split(b"\r\n\r\n", 1)[1]


def picture(page, name: str) -> None:
    directory = os.environ.get("PORTAL_IMAGES")
    if directory:
        page.screenshot(path=Path(directory) / f"portal-{name}.png")


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
    assert [(host, ask(board, host, path)[0]) for host, path, _, _ in PROBES] == [(row[0], 302) for row in PROBES]
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
        asked = [(host, path, *ask(board, host, path)) for host, path, _, _ in PROBES]
        assert asked == list(PROBES)  # they are told that all is well: phones close their sheet
        picture(third.page, "done-zh")
        third.leave()
    watcher = Watcher(Address(broker.host, broker.port), "node/fresh/telemetry", Login(USER, PASSWORD))
    watcher.start()
    try:
        assert "temperature" in json.loads(watcher.arrivals.get(timeout=30).payload)
    finally:
        watcher.stop()
    assert not board.silicon.wlans["ap"].active()  # the access point has gone
    assert "MemoryError" not in board.log and "Traceback" not in board.log


@pytest.mark.soak
@pytest.mark.parametrize(
    "moment", ["new settings: on trial", "wifi: online", "mqtt: connected", "new settings: in use"]
)
def test_power_cut_during_the_trial(board: Board, broker: Mosquitto, moment: str) -> None:
    """The node boots with the old settings and says so, or with the new ones."""
    with browser() as chromium:
        visitor = Visitor(chromium, board)
        visitor.save("secret123", PASSWORD)
        board.wait_for(moment, timeout=30)
        board.power_off()
        mark = len(board.log)
        board.power_on()
        if moment == "new settings: in use":
            board.wait_for("mqtt: connected", since=mark, timeout=40)
            return
        board.wait_for("page: up", since=mark, timeout=40)
        assert "interrupted by a restart" in visitor.outcome()
        visitor.page.locator("[name='network.key']").wait_for()
        visitor.leave()
