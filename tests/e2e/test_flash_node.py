"""From an empty chip to readings at a broker: `make flash` with ALL=1 through the boot loader, then power on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import EmbeddedBroker
from tests.fake_firmware import firmware
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.vboard import Board
from tools.vboard.bootloader import BootLoader
from tools.watcher import Address, Watcher

ROOT = Path(__file__).resolve().parents[2]


def run_tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_flash_all_then_power_on_publishes_readings(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    settings, base, image = tmp_path / "settings.json", tmp_path / "base.bin", tmp_path / "flash.bin"
    cfg = node_settings("flashed", amqtt.port)
    settings.write_text(json.dumps({**cfg, "sensors": [*cfg["sensors"], {"type": "health"}]}))
    base.write_bytes(firmware())
    with BootLoader(image) as chip:
        options = ("--all", "--port", chip.path, "--file", base, "--settings", settings, "--no-reset")
        done = run_tool("flash", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrote base firmware, ROMFS, LittleFS, verified by MD5" in done.stdout
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/flashed/telemetry")
    watcher.start()
    try:
        with Board(image, names={BROKER_NAME: (amqtt.host, amqtt.port)}) as board:
            board.air.add(SSID, KEY)
            board.set_adc(512)
            board.power_on()
            arrivals = [watcher.arrivals.get(timeout=40) for _ in range(2)]
            while b"rssi" not in arrivals[-1].payload:  # the first were taken before there was WiFi
                arrivals.append(watcher.arrivals.get(timeout=20))
    finally:
        watcher.stop()
    readings = [json.loads(arrival.payload) for arrival in arrivals]
    assert all("temperature" in reading for reading in readings)
    assert readings[-1]["rssi"] < 0 < readings[-1]["free_heap"], "what make watch shows of a node's health"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"<html>", "is no ESP8266 firmware"),
        (firmware(build="ESP8266_GENERIC"), "built for ESP8266_GENERIC; ESP8266_GENERIC-FLASH_2M_ROMFS is needed"),
        (firmware()[:-1], "is cut short"),
    ],
)
def test_a_wrong_file_is_refused_before_the_chip_is_even_asked(tmp_path: Path, file: bytes, words: str) -> None:
    base = tmp_path / "base.bin"
    base.write_bytes(file)
    with BootLoader(tmp_path / "flash.bin") as chip:
        done = run_tool("flash", "--port", chip.path, "--file", base, "--no-reset")
        assert chip.commands == []
    assert done.returncode == 1
    assert words in done.stderr and "Traceback" not in done.stderr
