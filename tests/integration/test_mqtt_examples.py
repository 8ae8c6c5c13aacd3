"""The examples of lib/mqtt run as they are, on CPython and in the MicroPython VM."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.integration.mqtt_runs import LIB, PYTHONS, Judge, Program, wait_for

EXAMPLES = LIB / "mqtt" / "examples"


def finish(program: Program, word: str) -> None:
    try:
        program.wait(20)
    finally:
        program.end()
    assert word in program.output, program.output


@pytest.mark.parametrize("python", PYTHONS)
def test_publish(python: str, mosquitto: Mosquitto) -> None:
    finish(Program(python, EXAMPLES / "publish.py", mosquitto.host, mosquitto.port), "published")
    judge = Judge(mosquitto.port, "example/#")
    try:
        wait_for(lambda: judge.got, 10, lambda: "nothing retained")
        assert judge.got[0][:2] == ("example/temperature", b"21.5")
    finally:
        judge.close()


@pytest.mark.parametrize("python", PYTHONS)
def test_subscribe(python: str, mosquitto: Mosquitto) -> None:
    judge = Judge(mosquitto.port, "nothing")
    program = Program(python, EXAMPLES / "subscribe.py", mosquitto.host, mosquitto.port)
    try:
        wait_for(lambda: "SUBACK to example-subscribe" in mosquitto.log.read_text(), 10, lambda: program.output)
        judge.publish("example/x", "hello")
        judge.publish("example/stop", "now")
        finish(program, "example/x hello")
    finally:
        program.end()
        judge.close()


@pytest.mark.parametrize("python", PYTHONS)
def test_availability(python: str, mosquitto: Mosquitto) -> None:
    judge = Judge(mosquitto.port, "example/status")
    try:
        finish(Program(python, EXAMPLES / "availability.py", mosquitto.host, mosquitto.port), "said goodbye")
        assert judge.on("example/status") == [b"online", b"offline"]
    finally:
        judge.close()


@pytest.mark.parametrize("python", PYTHONS)
def test_large_file(python: str, mosquitto: Mosquitto, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 400)
    finish(Program(python, EXAMPLES / "large_file.py", mosquitto.host, mosquitto.port, file), "copied")
    assert Path(str(file) + ".copy").read_bytes() == file.read_bytes()


def test_package_json_has_every_file() -> None:
    listed = {source for _, source in json.loads((LIB / "mqtt" / "package.json").read_text())["urls"]}
    assert listed == {f.name for f in (LIB / "mqtt").glob("*.py")} - {"transport_cpython.py"}
