"""The whole node on the virtual board: free heap without a network, and connected with two sensors."""

from __future__ import annotations

import re
from pathlib import Path

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board

# Beside the node: a task that collects ten times a second and tells how much is free, and the least that was.
MAIN = """
import asyncio, gc, node

async def tell():
    least = 1 << 30
    turns = 0
    while True:
        await asyncio.sleep_ms(100)
        gc.collect()
        least = min(least, gc.mem_free())
        turns += 1
        if turns % 10 == 0:
            print("@free", gc.mem_free(), least)

async def run(n):
    asyncio.create_task(tell())
    await n.run()

asyncio.run(run(node.call("start.make", "/")))
"""
SAMPLES = 8  # seconds of being connected


def measure_node(program: str, folder: Path) -> dict[str, str]:
    """Free heap of the node in 76 KiB, bytes."""
    (folder / "broker").mkdir()
    broker = Mosquitto(program, folder / "broker")
    broker.start()
    try:
        image = build_image(folder / "flash.bin", node_settings("bench", 1883), files={"main.py": MAIN})
        with Board(image, names={BROKER_NAME: (broker.host, broker.port)}) as board:
            board.power_on()
            board.wait_until(lambda: board.log.count("@free") > 1, timeout=30)
            alone = board.log
            board.air.add(SSID, KEY)
            board.wait_for("mqtt: connected", timeout=60)
            mark = len(board.log)
            board.wait_until(lambda: board.log[mark:].count("@free") > SAMPLES, timeout=60)
            return {
                "node, free without a network": f"{_last(alone)[0]:,} B",
                "node, free when connected, two sensors": f"{_last(board.log)[0]:,} B",
                "node, the least that was free (ten looks a second)": f"{_last(board.log)[1]:,} B",
                "node, ROMFS image": f"{len(image.romfs):,} B",
            }
    finally:
        broker.stop()


def _last(log: str) -> tuple[int, int]:
    free, least = re.findall(r"@free (\d+) (\d+)\r?\n", log)[-1]
    return int(free), int(least)
