"""A driver of one's own, as docs/sensors.md prints it, on the virtual board beside the image's short names."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Watcher

DOCS = Path(__file__).parents[2] / "docs" / "sensors.md"


def test_the_driver_of_the_docs_publishes_its_value(tmp_path: Path, mosquitto: Mosquitto) -> None:
    section = DOCS.read_text(encoding="utf-8").split("## A driver of your own")[1]
    code = re.findall(r"(?:^    .*\n|^\n)+", section[: section.index("Decimals")], re.M)
    source = "".join(line[4:] or "\n" for line in max(code, key=len).splitlines(keepends=True))
    settings = node_settings("own", 1883)
    settings["sensors"] = [{"type": "tank", "pin": "D2", "height": 321}]
    files = {"lib/sensors/tank.py": source, "settings.json": json.dumps(settings)}
    image = build_image(tmp_path / "flash.bin", None, files=files)
    watcher = Watcher(Address(mosquitto.host, mosquitto.port), "node/own/telemetry")
    watcher.start()
    try:
        with Board(image, names={BROKER_NAME: (mosquitto.host, mosquitto.port)}) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            message = watcher.arrivals.get(timeout=60)
            assert json.loads(message.payload)["level"] == 321
    finally:
        watcher.stop()
