"""app.py on the board: the examples do what they say, and a failing one costs a line. Virtual board, mosquitto."""

from __future__ import annotations

from pathlib import Path

import pytest
from remote_node import BASE, PATIENCE, data, remote_node, settings

from tests.brokers import Mosquitto
from tests.homeassistant import discovered

EXAMPLES = Path(__file__).parents[2] / "examples"
FAN_PIN = 5
CLK_PIN = 14
pytestmark = pytest.mark.soak

# A user's sensor that reads its value from a file, so that a test can warm it.
THERMOMETER = """
class Driver:
    FIELDS = ()
    MIN_PERIOD = 1

    def __init__(self, spec, board):
        pass

    async def start(self):
        self.FIELDS = (("temperature", "°C", 1, -40, 85),)

    async def read(self):
        import machine
        return [machine.ADC(0).read() / 10]
"""


def example(name: str) -> dict[str, str]:
    return {"app.py": (EXAMPLES / name / "app.py").read_text(), "lib/sensors/thermo.py": THERMOMETER}


def test_the_rule_switches_the_fan_with_hysteresis(tmp_path: Path, mosquitto: Mosquitto) -> None:
    config = settings(sensors=[{"type": "thermo"}], outputs=[{"name": "fan", "pin": "D1"}])
    with remote_node(tmp_path, mosquitto, config, files=example("rule")) as node:
        for degrees, on in ((20, 0), (25.5, 0), (26, 1), (25.5, 1), (24.9, 0), (25.5, 0)):
            node.board.set_adc(int(degrees * 10))
            assert node.remote.send("read")["data"]["temperature"] == degrees
            node.board.wait_until(lambda on=on: node.board.pin(FAN_PIN) == on, PATIENCE)
        node.wait_topic("output/fan", b"on")
        assert node.board.log.count("fan: on at 26.0 degrees") == 1
        node.no_trace()


def test_the_custom_sensor_is_published_like_any_other(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with remote_node(tmp_path, mosquitto, settings(sensors=[]), files=example("custom_sensor")) as node:
        found = node.wait(lambda a: a.topic == f"{BASE}/telemetry" and b"soil_moisture" in a.payload)
        assert data(found)["soil_moisture"] == 100.0  # the pin reads 0: wetter than water
        node.no_trace()


def test_the_display_example_runs_and_drives_its_pins(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with remote_node(tmp_path, mosquitto, settings(), files=example("display")) as node:
        node.remote.send("read")
        node.board.wait_for("app: loaded", PATIENCE)
        node.board.wait_until(lambda: node.board.silicon.pins.mode.get(CLK_PIN) == 1, PATIENCE)
        node.no_trace()


@pytest.mark.parametrize(
    ("app", "line"),
    [
        ("def setup(node:\n", "error: app: SyntaxError"),
        ("import nothing_like_it\n", "error: app: ImportError"),
        ("def setup(node):\n    1 / 0\n", "error: app: ZeroDivisionError"),
        ("async def run(node):\n    raise KeyError('x')\n", "error: app: KeyError"),
        ("def setup(node):\n    node.on_readings = lambda readings: readings[99]\n", "error: app: IndexError"),
        ("raise SystemError('while loading')\n", "error: app: "),
    ],
)
def test_one_that_fails_costs_a_line(tmp_path: Path, mosquitto: Mosquitto, app: str, line: str) -> None:
    with remote_node(tmp_path, mosquitto, settings(telemetry={"period": 1}), files={"app.py": app}) as node:
        node.board.wait_for(line, PATIENCE)
        since = node.mark()
        for _ in range(3):
            node.wait_topic("telemetry", since=since)
            since = node.mark()
        assert node.remote.send("read")["ok"]
        assert node.board.log.count("error: app:") == 1
        node.no_trace()


def test_a_sensor_that_finds_its_values_late_is_announced_then(tmp_path: Path, mosquitto: Mosquitto) -> None:
    sensors = [{"type": "sim"}, {"type": "thermo", "period": 1}]
    driver = THERMOMETER.replace('"temperature"', '"late"').replace(
        "        self.FIELDS", "        import machine\n        1 / machine.ADC(0).read()\n        self.FIELDS"
    )  # not there as long as the pin reads 0
    config = settings(sensors=sensors, mqtt={"discovery": True})
    with remote_node(tmp_path, mosquitto, config, files={"lib/sensors/thermo.py": driver}) as node:
        first = node.wait(lambda a: a.topic.endswith("/config"))
        assert b'"late"' not in first.payload
        node.board.set_adc(200)
        last = node.wait(lambda a: a.topic.endswith("/config") and b'"late"' in a.payload)
        assert set(discovered(last.topic, last.payload)[1]) == {"temperature", "humidity", "pressure", "late"}
