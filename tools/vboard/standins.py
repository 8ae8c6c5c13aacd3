"""The stand-ins for silicon (device/) as the VM loads them: compiled, and with the short names of the program's image.

On the chip this is C and has its names in ROM; here a name of the stand-ins would take room in the VM's tables of names,
and the program's own names would then cost more than they do there. Names of the firmware's own modules stay.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from tools.image import ROOT, compile_source
from tools.shorten import FIRMWARE, Firmware, shorten

DEVICE = Path(__file__).parent / "device"

_START = "import sys\n__import__('vb_start')\n"  # the VM takes a source file to begin with


def compiled() -> Path:
    """The folder with start.py and the stand-ins, made anew when one of them has changed."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(DEVICE.glob("*.py"))}
    texts["vb_start.py"] = texts.pop("start.py")
    firmware = Firmware.load()
    key = hashlib.sha256(repr((texts, sorted(firmware.taken), _START)).encode() + _own_code()).hexdigest()[:16]
    target = ROOT / "build" / "vboard" / key
    if target.exists():
        return target
    firmware.public = {"call", "cast"}  # tests tell the host from inside the VM
    firmware.board = []
    done, _ = shorten({"device": texts}, firmware)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name) / "made"
        folder.mkdir()
        (folder / "start.py").write_text(_START)
        for path, text in done["device"].items():
            code = compile_source(text, path, ROOT / "build" / "mpy")
            (folder / path).with_suffix(".mpy").write_bytes(code)
        try:
            os.replace(folder, target)
        except OSError:  # made by another process meanwhile
            if not target.exists():
                raise
    return target


def _own_code() -> bytes:
    return b"".join(
        (FIRMWARE.parent / "tools" / name).read_bytes() for name in ("shorten.py", "image.py", "vboard/standins.py")
    )
