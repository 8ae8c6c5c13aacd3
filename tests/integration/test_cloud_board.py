"""The node on the virtual board against the cloud stand-ins: real VM, real image, real node program, in the board's own heap.

Time is warped: what the node waits for passes at once, so a slow retry, a token's hour and a free plan's rate cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.simulation import time_server
from tests.integration import cloud_rules as rules
from tests.integration.cloud_standin import Standin
from tools.board_run import KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board

PATIENCE = 40  # s, on a busy machine
PERIOD = 30  # s between reports
HOUR = 3600
SECRET = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWX="

# name: (rules for a secret, section cloud, section mqtt, host name that the node must ask for, word of the refusal)
CLOUDS: dict[str, tuple[Callable[[str], rules.Cloud], dict[str, Any], dict[str, Any], str, str]] = {
    "aliyun": (
        lambda secret: rules.Aliyun("a1Zb0cDeFgH", "esp8266-01", secret),
        {"platform": "aliyun", "product": "a1Zb0cDeFgH", "device": "esp8266-01", "secret": SECRET},
        {},
        "a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com",
        "DeviceSecret",
    ),
    "tencent": (
        lambda secret: rules.Tencent("ABCDE12345", "esp8266_01", secret),
        {"platform": "tencent", "product": "ABCDE12345", "device": "esp8266_01", "secret": SECRET},
        {},
        "ABCDE12345.iotcloud.tencentdevices.com",
        "device key",
    ),
    "onenet": (
        lambda secret: rules.OneNET("Ab3dEf9HiJ", "esp8266_01", secret),
        {"platform": "onenet", "product": "Ab3dEf9HiJ", "device": "esp8266_01", "secret": SECRET},
        {},
        "mqtts.heclouds.com",
        "access key",
    ),
    "onenet legacy": (
        lambda secret: rules.OneNETLegacy("433223", "123", secret),
        {"platform": "onenet", "edition": "legacy", "product": "433223", "device": "123", "secret": SECRET},
        {},
        "183.230.40.39",
        "auth info",
    ),
    "thingsboard": (
        rules.ThingsBoard,
        {"platform": "thingsboard", "secret": SECRET},
        {},
        "thingsboard.cloud",
        "access token",
    ),
    "adafruitio": (
        lambda secret: rules.AdafruitIO("alice", secret),
        {"platform": "adafruitio", "secret": SECRET},
        {"user": "alice"},
        "io.adafruit.com",
        "key",
    ),
    "thingspeak": (
        lambda secret: rules.ThingSpeak("99", "cid", "usr", secret),
        {"platform": "thingspeak", "product": "99"},
        {"client_id": "cid", "user": "usr", "password": SECRET},
        "mqtt3.thingspeak.com",
        "password",
    ),
}


class World:
    """A stand-in and a node in the same warped time. `ahead`: s that the cloud's clock is ahead of the node's."""

    def __init__(self, tmp_path: Path, cloud: rules.Cloud, settings: dict[str, Any], host: str) -> None:
        self.ahead = 0.0
        self.cloud = Standin(cloud, lambda: self.board.clock.unix() + self.ahead)
        self._image = build_image(tmp_path / "flash.bin", settings)
        self._host = host

    @contextmanager
    def running(self) -> Iterator[World]:
        with self.cloud:
            names = {self._host: ("127.0.0.1", self.cloud.port)}
            services = {"pool.ntp.org": time_server(lambda: self.board)}
            self.board = Board(self._image, names=names, services=services, warp=True)
            with self.board:
                self.board.air.add(SSID, KEY)
                self.board.power_on()
                yield self
                assert "Traceback" not in self.board.log and "MemoryError" not in self.board.log, self.board.log

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for something to come to pass in the cloud."""
        try:
            return self.cloud.wait(condition, what, PATIENCE)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.board.log}") from e

    def says(self, text: str) -> None:
        """Wait for the node to say that on its console."""
        self.board.wait_for(text, timeout=PATIENCE)


def world(tmp_path: Path, name: str, cloud: rules.Cloud, **section: Any) -> World:
    """The node with the settings of a cloud; only the cloud's own host name leads to the stand-in."""
    _, cloud_section, mqtt, host, _ = CLOUDS[name]
    settings = node_settings("cloud", 1883)
    settings["mqtt"] = mqtt
    settings["cloud"] = {**cloud_section, **section}
    settings["telemetry"] = {"period": PERIOD}
    return World(tmp_path, cloud, settings, host)


@pytest.mark.parametrize("name", CLOUDS)
def test_the_node_and_its_cloud(name: str, tmp_path: Path) -> None:
    """Refused with the wrong secret, which is explained; let in with the right one, by itself; reports and is answered."""
    make, _, _, _, word = CLOUDS[name]
    with world(tmp_path, name, make(OTHER)).running() as w:
        w.wait(lambda: w.cloud.codes, "a CONNACK")
        w.says(word)
        assert w.cloud.connected == 0 and w.cloud.codes[0] in (4, 5)
        w.cloud.rules = make(SECRET)
        values: dict[str, Any] = {}
        w.wait(lambda: [values.update(r) for r in w.cloud.reports] and len(values) >= 4, "all values")
        w.wait(lambda: len(w.cloud.reports) >= 2, "two reports")
        assert set(w.cloud.refused) <= set(w.cloud.refused[:1]), "the secret, and nothing else"
        assert SECRET not in w.board.log and OTHER not in w.board.log
