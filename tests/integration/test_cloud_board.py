"""The node on the virtual board against the cloud stand-ins: real VM, real image, real node program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration import cloud_rules as rules
from tests.integration.cloud_standin import Standin
from tools.board_run import KEY, SSID, node_settings
from tools.image import build_image
from tools.vboard import Board

PATIENCE = 40  # s, on a busy machine
SLOW_RETRY = 60  # s between attempts after a refusal; the node gives the reason before the next one
HEAP = 140_000  # bytes that the node finds free; the chip's share is a matter of tests/bench
SECRET = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWX="

# name: (rules, section cloud, host name that the node must ask for, word of the refusal)
CLOUDS: dict[str, tuple[rules.Cloud, dict[str, Any], str, str]] = {
    "aliyun": (
        rules.Aliyun("a1Zb0cDeFgH", "esp8266-01", SECRET, floats=()),
        {"platform": "aliyun", "product": "a1Zb0cDeFgH", "device": "esp8266-01", "secret": SECRET},
        "a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com",
        "DeviceSecret",
    ),
    "tencent": (
        rules.Tencent("ABCDE12345", "esp8266_01", SECRET),
        {"platform": "tencent", "product": "ABCDE12345", "device": "esp8266_01", "secret": SECRET},
        "ABCDE12345.iotcloud.tencentdevices.com",
        "device key",
    ),
    "onenet": (
        rules.OneNET("Ab3dEf9HiJ", "esp8266_01", SECRET),
        {"platform": "onenet", "product": "Ab3dEf9HiJ", "device": "esp8266_01", "secret": SECRET},
        "mqtts.heclouds.com",
        "access key",
    ),
    "thingsboard": (
        rules.ThingsBoard(SECRET),
        {"platform": "thingsboard", "secret": SECRET},
        "thingsboard.cloud",
        "access token",
    ),
}


@contextmanager
def node(tmp_path: Path, standin: Standin, section: dict[str, Any], host: str) -> Iterator[Board]:
    """The node with these cloud settings; only the cloud's own host name leads to the stand-in."""
    settings = node_settings("cloud", 1883)
    settings["mqtt"].pop("brokers")
    settings["cloud"] = section
    image = build_image(tmp_path / "flash.bin", settings)
    with Board(image, names={host: ("127.0.0.1", standin.port)}) as board:
        board.air.add(SSID, KEY)
        board.power_on()
        yield board


@pytest.mark.parametrize("name", CLOUDS)
def test_the_node_reports_to_the_cloud(name: str, tmp_path: Path) -> None:
    cloud, section, host, _ = CLOUDS[name]
    with Standin(cloud) as standin, node(tmp_path, standin, section, host) as board:
        try:
            standin.wait(lambda: len(standin.reports) >= 2, seconds=PATIENCE)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{board.log}") from e
        assert standin.refused == [] and standin.codes == [0]
        assert "Traceback" not in board.log


def test_a_wrong_secret_is_explained_on_the_console(tmp_path: Path) -> None:
    cloud, section, host, word = CLOUDS["aliyun"]
    with Standin(cloud) as standin, node(tmp_path, standin, dict(section, secret=OTHER), host) as board:
        standin.wait(lambda: standin.codes == [5], seconds=PATIENCE)
        board.wait_for(word, timeout=SLOW_RETRY + PATIENCE)
        assert standin.connected == 0 and standin.reports == []
        assert OTHER not in board.log and "Traceback" not in board.log
