"""A node in simulated time: what it took is compared with what an independent client got from mosquitto.

The node has one sensor of its own kind, `/lib/sensors/truth.py`: each good reading is the next serial number and the true
time of the simulation, noted on the host when it is taken.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID
from tools.image import build_image
from tools.vboard import Board

MINUTE, HOUR, DAY = 60, 3600, 86400
NTP_1900 = 2208988800
PERSISTENT = "persistence true\nautosave_interval 0\nmax_queued_messages 0\nmax_inflight_messages 0\n"

OK, RAISES, NAN, HANGS = 0, -1, -2, -3

TRUTH = """
import asyncio, gc, vb_rpc
class Driver:
    FIELDS = (("serial", "", 0, 0, None), ("true", "s", 0, 0, None))
    def __init__(self, spec, board):
        self.status = board.status
    async def read(self):
        gc.collect()
        status = self.status()
        serial, true = vb_rpc.call("truth", "take", gc.mem_free(), status["queued"], status["dropped"])
        if serial == -1:
            raise OSError(110)
        if serial == -2:
            return [float("nan"), float("nan")]
        if serial == -3:
            await asyncio.sleep(60)
        return [serial, true]
"""


class Truth:
    """The host's end of the sensor. `fault`: asked before each reading, one of OK, RAISES, NAN, HANGS."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.time
        self.fault: Callable[[], int] = lambda: OK
        self.taken: list[float] = []  # true Unix time by serial number
        self.free: list[int] = []  # bytes of heap at each
        self.queued: list[int] = []  # bytes in the outbox at each
        self.dropped = 0  # of the run
        self.told: Callable[[], None] = lambda: None  # called after each

    def take(self, free: int, queued: int, dropped: int) -> list[int]:
        fault = self.fault()
        if fault != OK:
            return [fault, 0]
        self.taken.append(self.clock())
        self.free.append(free)
        self.queued.append(queued)
        self.dropped = dropped
        self.told()
        return [len(self.taken) - 1, int(self.clock())]


class Ear:
    """A client with a persistent session and QoS 2: it gets once what the broker took once, also over restarts."""

    def __init__(self, broker: Mosquitto, topic_filter: str) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ear", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = self._hear
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(broker.host, broker.port, 3600)
        self._client.loop_start()
        self._client.subscribe(topic_filter, 2)
        assert self._subscribed.wait(5)

    def _hear(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self.messages.append((message.topic, bytes(message.payload)))

    def telemetry(self) -> list[dict[str, Any]]:
        with self._lock:
            return [json.loads(payload) for topic, payload in self.messages if topic.endswith("/telemetry")]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Simulation:
    """A board in warped time with its broker, its ear and its truth."""

    def __init__(self, board: Board, broker: Mosquitto, truth: Truth, ear: Ear) -> None:
        self.board, self.broker, self.truth, self.ear = board, broker, truth, ear
        self.router = board.air.add(SSID, KEY)
        self.started = board.clock.now()
        truth.clock = board.clock.unix
        self.problems: list[BaseException] = []

    def at(self, seconds: float, event: Callable[[], Any]) -> None:
        """At that time of the simulation."""

        def checked() -> None:
            try:
                event()
            except Exception as error:  # noqa: BLE001  kept for the test: this is the board's thread
                self.problems.append(error)

        self.board.clock.at(self.started + seconds, checked)

    def elapsed(self) -> float:
        return self.board.clock.now() - self.started

    def run(self, seconds: float, real: float, last: bool = True) -> None:
        """Let it run up to that time of the simulation, for at most `real` seconds. `last`: the sensor fails afterwards."""
        over = threading.Event()

        def end() -> None:
            if last:
                self.truth.fault = lambda: RAISES
            over.set()

        self.at(seconds, end)
        deadline = time.monotonic() + real
        while not over.wait(0.2):
            assert self.board.state in ("on", "asleep"), self.board.log[-2000:]
            assert time.monotonic() < deadline, f"{self.elapsed():.0f} s simulated; {self.board.log[-2000:]}"
        assert not self.problems, self.problems

    def wait_for_serial(self, serial: int, real: float = 30) -> list[dict[str, Any]]:
        """Until the ear has heard of it; returns all telemetry."""
        deadline = time.monotonic() + real
        while True:
            heard = self.ear.telemetry()
            if any(message.get("serial", -1) >= serial for message in heard[-50:]) or time.monotonic() > deadline:
                return heard
            time.sleep(0.1)

    def wifi_outage(self, at: float, seconds: float) -> None:
        self.at(at, lambda: self.board.air.change(self.router, up=False))
        self.at(at + seconds, lambda: self.board.air.change(self.router, up=True))

    def black_hole(self, at: float, seconds: float) -> None:
        self.at(at, self.board.link.black_hole)
        self.at(at + seconds, self.board.link.restore)

    def broker_outage(self, at: float, seconds: float) -> None:
        self.at(at, self.broker.stop)
        self.at(at + seconds, self.broker.start)


def time_server(board: Callable[[], Board]) -> Callable[[bytes], bytes | None]:
    """An NTP server of the simulated world."""

    def answer(question: bytes) -> bytes | None:
        now = board().clock.unix() + NTP_1900
        stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
        return b"\x24\x01" + bytes(22) + question[40:48] + stamp + stamp

    return answer


def settings(**more: Any) -> dict[str, Any]:
    """One reading a minute; `mqtt={...}` and so on are merged into the sections."""
    made: dict[str, Any] = {
        "device": {"name": "sim"},
        "wifi": {"mode": "sta", "networks": [{"ssid": SSID, "key": KEY}]},
        "mqtt": {"brokers": [{"host": BROKER_NAME, "port": 1883}], "base_topic": "node/sim"},
        "sensors": [{"type": "truth"}],
        "telemetry": {"period": 60},
    }
    for section, values in more.items():
        made.setdefault(section, {})
        if isinstance(values, dict):
            made[section].update(values)
        else:
            made[section] = values
    return made


@contextmanager
def simulation(
    tmp_path: Path,
    broker: Mosquitto,
    cfg: dict[str, Any],
    services: Callable[[bytes], bytes | None] | None = None,
    **files: str,
) -> Iterator[Simulation]:
    """`files`: contents of more files by path. `services`: another time server.

    The broker runs already, with PERSISTENT; power_on is the caller's.
    """
    image = build_image(tmp_path / "flash.bin", cfg, files={"lib/sensors/truth.py": TRUTH, **files})
    truth = Truth()
    ear = Ear(broker, "node/sim/#")
    try:
        board = Board(
            image,
            names={BROKER_NAME: (broker.host, broker.port)},
            services={"pool.ntp.org": services or time_server(lambda: board)},
            warp=True,
        )
        board.targets["truth"] = truth
        with board:
            yield Simulation(board, broker, truth, ear)
    finally:
        ear.stop()


def persistent_mosquitto(program: str, folder: Path) -> Mosquitto:
    """A broker that remembers sessions over restarts, not yet started."""
    folder.mkdir(exist_ok=True)
    return Mosquitto(program, folder, PERSISTENT + f"persistence_location {folder}/\n")
