"""The whole node on the virtual board: free heap without a network, and connected with two sensors."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.broker import free_port
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
# Beside the node with its page: gc.collect() of every module, the page's among them before each piece that it sends,
# notes the least that was free.
MAIN_PAGE = """
import gc, sys

class Collector:
    def __init__(self):
        self.least = 1 << 30
        self.mem_free, self.mem_alloc, self.threshold = gc.mem_free, gc.mem_alloc, gc.threshold

    def collect(self):
        gc.collect()
        self.least = min(self.least, gc.mem_free())

collector = sys.modules["gc"] = Collector()
import asyncio, node

async def tell():
    while True:
        await asyncio.sleep_ms(100)
        collector.collect()
        print("@free", gc.mem_free(), collector.least)

async def run(n):
    asyncio.create_task(tell())
    await n.run()

asyncio.run(run(node.call("start.make", "/")))
"""
PAGES = 20  # loads of the page
TRIES = 60  # seconds until a page beside MQTT is there: the node starts anew for it
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


def measure_page(program: str, folder: Path) -> dict[str, str]:
    """Free heap of the node in 76 KiB while its page is asked for, bytes: alone, and with station and MQTT up."""
    (folder / "page").mkdir()
    broker = Mosquitto(program, folder / "page")
    broker.start()
    found = {}
    try:
        for words, networks in (("set-up", []), ("asked for beside MQTT", [{"ssid": SSID, "key": KEY}])):
            settings = node_settings("bench", 1883)
            port = free_port()
            settings["device"]["web_port"] = port
            settings["wifi"] = {"mode": "ap+sta", "networks": networks, "ap_address": "127.0.0.1"}
            image = build_image(folder / "page.bin", settings, files={"main.py": MAIN_PAGE})
            with Board(image, names={BROKER_NAME: (broker.host, broker.port)}) as board:
                board.air.add(SSID, KEY)
                board.power_on()
                board.wait_for("page: up", timeout=60)
                if networks:
                    board.wait_for("mqtt: connected", timeout=60)
                mark = len(board.log)
                board.wait_until(lambda b=board, m=mark: b.log[m:].count("@free") > SAMPLES, timeout=60)
                whole = sum(_load(port) for _ in range(PAGES))
                mark = len(board.log)
                board.wait_until(lambda b=board, m=mark: b.log[m:].count("@free") > SAMPLES, timeout=60)
                found[f"page, {words}: the least that was free"] = f"{_last(board.log)[1]:,} B"
                found[f"page, {words}: whole pages"] = f"{whole} of {PAGES}"
    finally:
        broker.stop()
    return found


def _load(port: int) -> bool:
    """Is the page whole? Comes again, as a browser does, while the node makes room."""
    answer = b""
    for _ in range(TRIES):
        answer = _ask(port)
        if not answer.startswith(b"HTTP/1.1 503"):
            break
        time.sleep(1)
    return answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"</script>\n")


def _ask(port: int) -> bytes:
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
            while piece := sock.recv(4096):
                answer += piece
    except OSError:
        return b""
    return answer


def _last(log: str) -> tuple[int, int]:
    free, least = re.findall(r"@free (\d+) (\d+)\r?\n", log)[-1]
    return int(free), int(least)
