"""`make doctor`: a healthy board, and each thing that can be wrong with its advice."""

from __future__ import annotations

import io
import json
import socket
import threading
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


def test_a_broker_that_refuses_the_nodes_user(board_with: Callable[[dict[str, bytes]], Board]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1000)
                line.sendall(b"\x20\x02\x00\x05")  # CONNACK: not authorised
                line.recv(1000)

        thread = threading.Thread(target=refuse)
        thread.start()
        port = server.getsockname()[1]
        cfg = {"mqtt": {"brokers": [{"host": "127.0.0.1", "port": port}], "user": "kitchen", "password": "secret"}}
        with board_with({"settings.json": json.dumps(cfg).encode()}) as board:
            board.power_on()
            _, said = examined(board.console_path)
        thread.join()
    assert f"✗ the broker 127.0.0.1:{port} refuses user 'kitchen': Not authorized" in said
    assert "make provision with its user and password" in said and "secret" not in said


def test_another_release_of_micropython(board_with: Callable[[dict[str, bytes]], Board]) -> None:
    old = (
        b"import sys\nclass S:\n implementation=('micropython',(1,20,0))\n platform='esp8266'\n"
        b" version='x; v1.20.0'\nsys.modules['sys']=S\n"
    )
    with board_with({"boot.py": old}) as board:
        board.power_on()
        _, said = examined(board.console_path)
    assert "it is an ESP8266 with v1.20.0" in said
    assert "✗ its MicroPython is 1.20.0, this project is tested with 1.29.0\n    make flash" in said


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
