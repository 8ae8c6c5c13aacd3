"""Target littlefs: stock firmware, the MQTT library and the slim node from LittleFS, in the heap that the chip has."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from deploy_world import deploy
from rich.console import Console

from tests.brokers import EmbeddedBroker
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.build import build
from tools.doctor import doctor
from tools.image import LITTLEFS_OFFSET, build_littlefs
from tools.user_settings import checked, content
from tools.vboard import Board
from tools.watcher import Address, Watcher

SIZE = 4 * 1024 * 1024


@pytest.mark.parametrize("tool", ["mpremote", pytest.param("ampy", marks=pytest.mark.soak)])
def test_the_slim_node_is_deployed_and_publishes(tmp_path: Path, amqtt: EmbeddedBroker, tool: str) -> None:
    image = tmp_path / "flash.bin"
    whole = bytearray(b"\xff" * SIZE)
    factory = build_littlefs({"boot.py": b"import vfs\ndel vfs.rom_ioctl\n"}, SIZE)  # stock firmware has none
    whole[LITTLEFS_OFFSET : LITTLEFS_OFFSET + len(factory)] = factory
    image.write_bytes(whole)
    made = build("littlefs", tmp_path / "out", settings=content(checked(node_settings("slim", amqtt.port), "test")))
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/slim/#")
    watcher.start()
    try:
        with Board(image, names={BROKER_NAME: (amqtt.host, amqtt.port)}) as board:
            board.air.add(SSID, KEY)
            board.set_adc(300)
            board.power_on()
            sent = deploy(board, made, tool)
            assert "lib/mqtt/__init__.mpy" in sent.sent and "settings.json" in sent.sent
            arrival = watcher.arrivals.get(timeout=40)
            assert (arrival.topic, arrival.payload) == ("node/slim/status", b"online")
            arrival = watcher.arrivals.get(timeout=20)
            reading = json.loads(arrival.payload)
            assert reading["adc"] == 300
            print("heap free:", reading["heap"])
            assert deploy(board, made, tool).sent == []
            out = io.StringIO()
            doctor(board.console_path, f"{amqtt.host}:{amqtt.port}", Console(file=out, width=200))
            assert "the slim node is on LittleFS" in out.getvalue() and "all is well" in out.getvalue()
    finally:
        watcher.stop()
