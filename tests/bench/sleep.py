"""A battery node on the virtual board, in simulated time: how long a wake lasts, and what it sends."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board

CYCLES = 24
PERIOD = 300  # s
NTP_1900 = 2208988800
PACKET = re.compile(rb"(?:Received|Sending) [A-Z]+ (?:from|to) node-|New client connected .* as node-")


def measure_sleep(program: str, folder: Path) -> dict[str, str]:
    """Seconds awake and MQTT packets of a cycle: QoS 1, two sensors, no window for commands, stored address."""
    (folder / "sleepy").mkdir()
    broker = Mosquitto(program, folder / "sleepy")
    broker.start()
    settings = node_settings("battery", 1883)
    settings["power"] = {"deep_sleep": True, "period": PERIOD, "listen_every": 0}
    settings["mqtt"]["availability"] = False

    def now(question: bytes) -> bytes:
        unix = board.clock.unix() + NTP_1900
        stamp = struct.pack(">II", int(unix), int(unix % 1 * 2**32))
        return b"\x24\x01" + bytes(22) + question[40:48] + stamp + stamp

    try:
        image = build_image(folder / "battery.bin", settings)
        names = {BROKER_NAME: (broker.host, broker.port)}
        with Board(image, names=names, services={"pool.ntp.org": now}, warp=True) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            board.wait_until(lambda: board.boots > 5, timeout=60)  # the first ones learn the address and the time
            begun = board.boots, board.awake_seconds, len(PACKET.findall(broker.log.read_bytes()))
            board.wait_until(lambda: board.boots >= begun[0] + CYCLES, timeout=120)
            ended = board.boots, board.awake_seconds, len(PACKET.findall(broker.log.read_bytes()))
    finally:
        broker.stop()
    cycles = ended[0] - begun[0]
    return {
        "battery node, wake to sleep, mean (radio as modelled)": f"{(ended[1] - begun[1]) / cycles:.2f} s",
        "battery node, MQTT packets a cycle, both ways": f"{(ended[2] - begun[2]) / cycles:.1f}",
    }
