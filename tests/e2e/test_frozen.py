"""What firmware/manifest.py would freeze into a firmware: it is all that the node needs.

A firmware cannot be built here, and the VM of the virtual board has none of it frozen. So its modules run from ROMFS, with
the names that they have in the source. In a firmware these names are in flash; here they are in the heap, which has to be
larger for them.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.brokers import EmbeddedBroker
from tools import image as images
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.build import build, manifest_files
from tools.user_settings import checked, content
from tools.vboard import Board
from tools.watcher import Address, Watcher

HEAP = 130_000  # bytes


def test_the_manifests_files_make_a_node(tmp_path: Path, amqtt: EmbeddedBroker) -> None:
    made = build("frozen", tmp_path / "out", settings=content(checked(node_settings("frozen", amqtt.port), "test")))
    files = manifest_files(images.ROOT / "firmware" / "manifest.py")
    assert not [path for path in files if "cpython" in path or "examples" in path]
    rom = images.build_romfs(
        {
            path.removesuffix(".py") + ".mpy": images.compile_source(source.read_text(), path, tmp_path)
            for path, source in files.items()
        }
    )
    with made.merged.open("r+b") as file:
        file.seek(images.ROMFS_OFFSET)
        file.write(rom)
    watcher = Watcher(Address(amqtt.host, amqtt.port), "node/frozen/telemetry")
    watcher.start()
    try:
        with Board(made.merged, names={BROKER_NAME: (amqtt.host, amqtt.port)}, heap_free=HEAP) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            assert "temperature" in json.loads(watcher.arrivals.get(timeout=40).payload)
    finally:
        watcher.stop()
