"""A power cut at every flash write of a change of settings, on the real LittleFS of the MicroPython VM.

After each cut the node must find the old or the new settings, and be able to save others.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import littlefs
import pytest
import settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPT = HERE / "settings_power_cut_vm.py"
RANDOM_CUTS = (40, pytest.param(500, marks=pytest.mark.soak))
BLOCKS = 32
GEOMETRY = {"block_size": 4096, "block_count": BLOCKS, "read_size": 32, "prog_size": 32, "lookahead_size": 32}


def command(*arguments: object) -> list[str]:
    vm = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=16M"]
    return [*vm, str(SCRIPT), *map(str, arguments)]


ENVIRONMENT = dict(os.environ, MICROPYPATH=f"{ROOT / 'lib'}:.frozen")


@pytest.mark.timeout(1300)
@pytest.mark.parametrize("cuts", RANDOM_CUTS)
def test_a_cut_at_every_write_and_at_random_ones(cuts: int) -> None:
    seed = int(os.environ.get("SEED", "1"))
    done = subprocess.run(
        command("every", seed, cuts), env=ENVIRONMENT, capture_output=True, text=True, timeout=1200, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("@")]
    assert lines, f"seed {seed}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    result = json.loads(lines[0][1:])
    print(result)
    assert sum(r["old"] + r["new"] for r in result.values()) >= cuts + 3 * sum(r["writes"] for r in result.values())
    for name, counts in result.items():
        assert counts["writes"] > 3 and counts["old"], name
        assert bool(counts["new"]) == (name not in ("try and drop", "first start with a person's file")), name


def named(name: str) -> dict:
    sensors = [{"type": "ds18b20", "name": "%s%d" % (name, i), "address": "28ff%012x" % i} for i in range(16)]
    changes = {"wifi": {"networks": [{"ssid": name, "key": name * 8}]}, "sensors": sensors}
    merged, faults = settings.patch(settings.defaults(), changes)
    assert not faults
    return merged


def settings_in(image: Path, folder: Path) -> tuple[dict, list[str]]:
    """What the image holds, read by other LittleFS code and by the settings code under CPython."""
    files = littlefs.LittleFS(mount=False, **GEOMETRY)
    files.context.buffer = bytearray(image.read_bytes())
    files.mount()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in files.listdir("/"):
        with files.open(name, "rb") as source:
            (folder / name).write_bytes(source.read())
    return settings.load(str(folder))


def image_with_old_settings(path: Path, folder: Path) -> bytes:
    folder.mkdir()
    settings.save(named("older"), str(folder))
    files = littlefs.LittleFS(**GEOMETRY)
    with files.open("settings.json", "wb") as target:
        target.write((folder / "settings.json").read_bytes())
    path.write_bytes(files.context.buffer)
    return bytes(files.context.buffer)


@pytest.mark.parametrize("scenario", ["save", "try and promote"])
def test_the_vm_killed_at_every_write_of_an_image_file(scenario: str, tmp_path: Path) -> None:
    image, folder = tmp_path / "flash.bin", tmp_path / "files"
    start = image_with_old_settings(image, folder)
    assert settings_in(image, folder) == (named("older"), [])
    found = []
    for cut_at in range(1, 200):
        image.write_bytes(start)
        vm = subprocess.Popen(
            command("kill", image, scenario, cut_at),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert vm.stdout is not None
            line = vm.stdout.readline().strip()
        finally:
            vm.send_signal(signal.SIGKILL)
            rest = vm.communicate(timeout=20)[0]
        cfg, _ = settings_in(image, folder)
        assert line in ("CUT", "DONE"), line + rest
        assert cfg in (named("older"), named("newer")), f"write {cut_at}"
        found.append(cfg == named("newer"))
        if line == "DONE":
            break
    assert line == "DONE" and found[-1] and not found[0] and len(found) > 5
    assert found == sorted(found), "the new settings were there, and then not"
