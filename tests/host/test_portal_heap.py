"""What the portal costs in memory: from ROMFS, as on the chip, in the 64-bit VM (objects are twice the chip's)."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tools.image import build_romfs, compile_tree

sys.path.insert(0, str(Path(__file__).parent))
from portal_process import ROOT, UNIT, command, free_port

SCRIPT = Path(__file__).with_name("portal_heap.py")
IDLE = 10240  # B: import and objects of a portal that waits for a phone, names that were interned for good included
WORST = 24576  # B: the same while a page is drawn


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return reply.read()


def test_heap_while_idle_and_while_a_page_is_drawn(tmp_path):
    ours = "".join(path.read_text(encoding="utf-8") for path in (UNIT / "portal_node.py", SCRIPT))
    files = compile_tree(ROOT / "lib", tmp_path / "cache", public=re.findall(r"(?:\.|def )([A-Za-z]\w*)", ours))
    image = tmp_path / "rom.romfs"
    image.write_bytes(build_romfs({name: files[name] for name in files if name.startswith(("portal/", "settings/"))}))
    web, names = free_port(), free_port(socket.SOCK_DGRAM)
    line = command("micropython", str(SCRIPT), str(image), str(UNIT), str(web), str(names), heap="1M")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for path in ("/", "/?lang=zh", "/"):
            url = f"http://127.0.0.1:{web}{path}"
            assert b"Save and connect" in read(url) or "zh" in path
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    heap = json.loads(output)
    print(heap)
    assert heap["idle"] <= IDLE and heap["again"] <= IDLE, heap
    assert heap["worst"] <= WORST, heap
