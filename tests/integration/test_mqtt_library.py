"""The client as the package of .mpy files that users install: the examples and the behaviour suite run on it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import Mosquitto
from tests.integration.mqtt_runs import HERE, LIB, UNIT
from tools import library

HEAP = "300K"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mqtt/*.mpy."""
    folder = tmp_path_factory.mktemp("package")
    library.build(folder)
    return folder


def run(package: Path, program: Path, *args: object) -> str:
    env = {**os.environ, "MICROPYPATH": f"{package}:{UNIT}:.frozen"}
    command = [sys.executable, "-m", "micropython_unix", "-X", f"heapsize={HEAP}", str(program), *map(str, args)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_only_compiled_files_and_all_of_them(package: Path) -> None:
    files = {file.name for file in (package / "mqtt").iterdir()}
    assert all(name.endswith(".mpy") for name in files)
    assert {"__init__.mpy", "stream.mpy", "secure.mpy", "persist.mpy", "topics.mpy"} <= files
    assert (package / "package.json").read_text().count(".mpy") == 2 * len(files)


@pytest.mark.parametrize("scenario", ["qos_matrix", "wildcards", "several_filters"])
def test_behaviour(package: Path, mosquitto: Mosquitto, scenario: str) -> None:
    output = run(package, HERE / "mqtt_behaviour.py", mosquitto.port, "mosquitto", scenario)
    assert "@done" in output, output


def test_files_and_public_names(package: Path, mosquitto: Mosquitto, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 100)
    example = LIB / "mqtt" / "examples" / "large_file.py"
    assert "copied" in run(package, example, mosquitto.host, mosquitto.port, file)
    program = tmp_path / "names.py"
    program.write_text(
        "import asyncio\n"
        "import mqtt\n"
        "from mqtt import Client, ConnectRefused, Message, MQTTError, ProtocolError, SubscribeRefused, Will, matches\n"
        "async def main():\n"
        f"    c = Client('n', '{mosquitto.host}', {mosquitto.port}, clean_session=False, buffer=256)\n"
        "    c.restore_session(c.export_session())\n"
        "    c.set_identity('n2')\n"
        "    print(await c.connect(timeout=5), c.connected, c.connects, c.dropped, c.reason)\n"
        "    await c.publish('a', 'b', qos=2, retain=False, timeout=5)\n"
        "    c.retry_now()\n"
        "    try:\n"
        "        await c.publish('a/#', 'b')\n"
        "    except ValueError as e:\n"
        "        print(e)\n"
        "    await c.disconnect()\n"
        "    print(issubclass(ConnectRefused, MQTTError), matches('a/#', 'a'))\n"
        "asyncio.run(main())\n"
    )
    output = run(package, program)
    assert "False True 1 0 None" in output and "wildcard" in output and "True True" in output, output
