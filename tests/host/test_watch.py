"""`make watch`: rows, sparklines and records from what a broker delivers; nothing from the wire reaches the terminal raw."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console

from tests.brokers import EmbeddedBroker
from tools.errors import ToolError
from tools.watch import MAX_NODES, MAX_READINGS, Nodes, sparkline, watch
from tools.watcher import Arrival


def arrival(topic: str, payload: object, at: float = 1.0, retained: bool = False) -> Arrival:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Arrival(topic, data, retained, at)


def shown(nodes: Nodes, now: float = 5.0) -> str:
    out = io.StringIO()
    Console(file=out, width=160).print(nodes.table(now, "title"))
    return out.getvalue()


def test_a_row_for_each_reading_and_the_health_in_columns() -> None:
    nodes = Nodes()
    nodes.add(arrival("node/a/status", b"online", retained=True))
    fresh = nodes.add(arrival("node/a/telemetry", {"t": 20.5, "h": 40, "rssi": -61, "free_heap": 18000}, 2.0))
    assert ("node/a", "t", 20.5) in fresh and len(fresh) == 4
    nodes.add(arrival("node/a/telemetry", {"t": 22.5}, 3.0))
    rows = [line.split() for line in shown(nodes).splitlines() if "│" in line or "┃" in line]
    first = [cell for cell in rows[1] if cell != "│"]
    assert first == ["node/a", "online", "2", "s", "-61", "18000", "t", "22.5", "▁█"]
    assert [cell for cell in rows[2] if cell != "│"] == ["h", "40", "▁"]


def test_retained_telemetry_is_not_recorded_and_does_not_count_as_seen() -> None:
    nodes = Nodes()
    assert nodes.add(arrival("node/a/telemetry", {"t": 1}, retained=True)) == []
    assert "–" in shown(nodes)


@pytest.mark.parametrize(
    "payload", [b"\xff\xfe", b"[1]", b"{", b"[" * 5000, b"12", {"t": [1]}, {"t": None}, {"t": True}]
)
def test_odd_payloads_make_no_reading(payload: object) -> None:
    assert Nodes().add(arrival("node/a/telemetry", payload)) == []


def test_control_characters_are_escaped_and_numbers_of_rows_bounded() -> None:
    nodes = Nodes()
    nodes.add(arrival("node/a\x1b[2J/telemetry", {"x\x1b": "\x1b[31m"}))
    assert "\x1b" not in shown(nodes)
    nodes.add(arrival("node/b/telemetry", {f"r{i}": i for i in range(100)}))
    assert len(nodes.nodes["node/b"].readings) == MAX_READINGS
    for i in range(MAX_NODES + 50):
        nodes.add(arrival(f"node/x{i}/status", b"online"))
    assert len(nodes.nodes) == MAX_NODES


def test_sparklines() -> None:
    assert sparkline([1, 2, 3]) == "▁▅█"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline(["on"]) == ""


def test_from_a_broker_to_a_csv_file(amqtt: EmbeddedBroker, tmp_path: Path) -> None:
    record = tmp_path / "readings.csv"
    ready = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(amqtt.host, amqtt.port)
    client.loop_start()
    tries = 0

    def stop() -> bool:
        nonlocal tries
        tries += 1
        client.publish("node/kitchen/telemetry", json.dumps({"t": 21}), qos=1)
        if record.exists() and out.getvalue().count("21"):
            ready.set()
        return ready.is_set() or tries > 60

    out = io.StringIO()
    try:
        watch(f"{amqtt.host}:{amqtt.port}", Console(file=out, width=100), record=record, stop=stop)
    finally:
        client.disconnect()
        client.loop_stop()
    assert ready.is_set()
    rows = list(csv.reader(record.open()))
    assert rows.pop(0) == ["time", "node", "reading", "value"]
    assert rows[0][1:] == ["node/kitchen", "t", "21"] and rows[0][0].endswith("+00:00")


def test_no_broker_is_said() -> None:
    with pytest.raises(ToolError, match=r"no broker at 127.0.0.1:9"):
        watch("127.0.0.1:9", Console(file=io.StringIO()))
