"""The table of `make run`: which messages are readings, how values, units and odd payloads are shown."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from tools.broker import BrokerError
from tools.readings import MAX_ROWS, Readings
from tools.watcher import Address, parse_address

BASE = "node/one"


def shown(readings: Readings, now: float = 10.0) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(readings.table(now, "title", "caption"))
    console.file.close()
    return console.export_text()


def test_telemetry_object_is_one_reading_and_a_row_for_each_value() -> None:
    readings = Readings(BASE)
    assert readings.add(BASE + "/telemetry", b'{"temperature": 21.4, "adc": 512}', False, 3.0)
    assert readings.add(BASE + "/telemetry", b'{"temperature": 21.5, "adc": 512}', False, 8.0)
    assert readings.count == 2
    row = next(line for line in shown(readings).splitlines() if "temperature" in line)
    assert "21.5" in row and "2 s" in row and row.split()[-2] == "2"


def test_units_come_from_the_info_message_even_after_the_values() -> None:
    readings = Readings(BASE)
    readings.add(BASE + "/telemetry", b'{"temperature": 21.4}', False, 0)
    assert not readings.add(BASE + "/info", json.dumps({"units": {"temperature": "°C"}}).encode(), True, 0)
    assert "°C" in shown(readings)


@pytest.mark.parametrize("info", [b"", b"[]", b'{"units": 3}', b'"x"', b"\xff"])
def test_odd_info_changes_nothing(info: bytes) -> None:
    readings = Readings(BASE)
    readings.add(BASE + "/info", info, True, 0)
    readings.add(BASE + "/telemetry", b'{"a": 1}', False, 0)
    assert readings.unit(BASE + "/telemetry", "a") == ""


def test_status_and_scalars_are_no_readings() -> None:
    readings = Readings(BASE)
    assert not readings.add(BASE + "/status", b"online", True, 0)
    assert not readings.add(BASE + "/lamp", b"17", False, 0)
    assert not readings.add("other/telemetry", b"{}", False, 0)
    assert (readings.count, readings.status) == (0, "online")
    assert "17" in shown(readings)


def test_retained_telemetry_of_an_earlier_run_is_no_reading() -> None:
    readings = Readings(BASE)
    assert not readings.add(BASE + "/telemetry", b'{"a": 1}', True, 0)
    assert readings.count == 0


def test_hostile_payload_stays_on_its_line_and_in_bounds() -> None:
    readings = Readings(BASE)
    readings.add(BASE + "/telemetry", b'{"a": "\\u001b[2Jx\\n[red]y", "b": [[1]]}', False, 0)
    readings.add(BASE + "/raw", b"\xff\xfe\x00", False, 0)
    readings.add(BASE + "/deep", b"[" * 100_000, False, 0)
    text = shown(readings)
    assert "\x1b" not in text
    assert "[red]y" in text
    for number in range(1000):
        readings.add(f"{BASE}/{number}", b"1", False, 0)
    assert len(readings.rows) == MAX_ROWS


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 1883)),
        ("10.0.0.1:1884", Address("10.0.0.1", 1884)),
        ("[::1]:1884", Address("::1", 1884)),
        ("[::1]", Address("::1", 1883)),
    ],
)
def test_broker_address(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", [":1883", "a:", "a:0", "a:65536", "a:b", "a b", "mqtt://a:1", "u@a", "a:1:2", "[::1", "a:-1"]
)
def test_malformed_broker_address_is_named(text: str) -> None:
    with pytest.raises(BrokerError, match="BROKER=") as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)
