"""`make doctor`: a healthy board, and each thing that can be wrong with its advice."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.brokers import EmbeddedBroker
from tests.e2e.deploy_world import Project, deploy, factory_image
from tools import wire
from tools.doctor import doctor
from tools.vboard import Board

Examined = tuple[int, str]


def examined(port: str, broker: str = "") -> Examined:
    out = io.StringIO()
    return doctor(port, broker, Console(file=out, width=200)), out.getvalue()


@pytest.fixture
def board_with(tmp_path: Path) -> Callable[[dict[str, bytes]], Board]:
    return lambda files: Board(factory_image(tmp_path / "flash.bin", files))


def test_a_healthy_board(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    cfg = (
        '{"wifi": {"networks": [{"ssid": "x", "key": "12345678"}]},'
        f'"mqtt": {{"brokers": [{{"host": "{amqtt.host}", "port": {amqtt.port}}}]}}}}'
    )
    with Board(factory_image(tmp_path / "flash.bin", {"settings.json": cfg.encode()})) as board:
        board.power_on()
        deploy(board, Project(tmp_path / "project").build())
        board.wait_for(" end\n")
        mark = board.mark()
        faults, said = examined(board.console_path)
        board.wait_for(" end\n", since=mark)  # it runs again
    assert faults == 0, said
    for words in (
        "the board answers",
        "program is in ROMFS: node, sensors",
        "1 WiFi networks, 1 brokers",
        "its MicroPython is 1.29.0",
        "can be reached from this PC, and lets in a client without a user",
    ):
        assert words in said
    assert "all is well" in said


def test_a_board_with_nothing_on_it(board_with: Callable[[dict[str, bytes]], Board]) -> None:
    with board_with({"settings.json": b'{"mqtt": {"keepalive": 1}}'}) as board:
        board.power_on()
        faults, said = examined(board.console_path, "127.0.0.1:9")
    assert faults == 4
    assert "the program is not on it\n    make deploy" in said
    assert "missing on LittleFS: main.py, update.py" in said
    assert "the settings on the board have faults" in said and "mqtt.keepalive" in said
    assert "from this PC: no broker at 127.0.0.1:9: Connection refused" in said


def test_stock_firmware(board_with: Callable[[dict[str, bytes]], Board]) -> None:
    with board_with({"boot.py": b"import vfs\ndel vfs.rom_ioctl\n"}) as board:
        board.power_on()
        faults, said = examined(board.console_path)
    assert faults == 2
    assert "its firmware has no ROMFS partition\n    make flash" in said
    assert "no broker to look for" in said


def test_no_board_and_no_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 1.0)
    assert examined("/dev/none")[0] == 1
    with Board(factory_image(tmp_path / "flash.bin")) as board:
        monkeypatch.setattr(wire.Wire.take, "__defaults__", (1.5,))
        faults, said = examined(board.console_path)
    assert faults == 1 and "did not give its prompt" in said
