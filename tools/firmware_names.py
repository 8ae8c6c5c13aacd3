"""Writes firmware/names.txt: the names that the firmware has in ROM, so that names of the program can be made of them.

`python -m tools.firmware_names`. What is in ROM is asked of the VM: a name that is not makes its table of names grow.
What is on the chip is known from its stubs (PyPI micropython-esp8266-stubs), and from what both take from MicroPython's
core and from its asyncio.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

from tools.shorten import FIRMWARE

ROOT = FIRMWARE.parent
DEVICE = ROOT / "tools" / "vboard" / "device"
HEAD = """\
# Names that the firmware has in ROM, which cost a program nothing. Written by `python -m tools.firmware_names`.
# [everywhere]: on the chip and in the unix VM. [board]: on the chip, and of the virtual board's stand-ins, which are there
# before the program. [chip]: other names that modules of the chip, or of the VM, use.
"""
# Modules in C, or frozen, that the chip and the VM both have
_MODULES = "binascii deflate errno framebuf gc hashlib heapq math micropython random select time uctypes".split()
_BOARD = "esp machine network".split()  # of the chip alone; in C there
_TYPES = (str, bytes, bytearray, list, dict, set, frozenset, tuple, int, float, object, type, slice)
_NOT_ON_CHIP = frozenset(
    "center partition rpartition splitlines VfsFat ilistdir mount umount mkfs modf addressof".split()
)
_CORE = """append bytecode clear close copy count end endswith extend find format from_bytes get index insert isalpha
isdigit islower isspace isupper items join key keys little lower lstrip main pop popitem readinto readline remove replace
reverse rfind rindex rsplit rstrip self send sep setdefault sort split start startswith step stop strip throw to_bytes
update upper values write""".split()  # py/qstr's static list
_ASK = """
import micropython
import asyncio.core, asyncio.funcs, asyncio.event, asyncio.lock, asyncio.stream
for m in (asyncio.core, asyncio.funcs, asyncio.event, asyncio.lock, asyncio.stream):
    for n in dir(m):
        print("@asyncio", n)
        if isinstance(getattr(m, n), type):
            for k in dir(getattr(m, n)):
                print("@asyncio", k)
class O:
    pass
o = O()
data = open("%s").read().encode()
micropython.qstr_info()
for name in data.split(b"\\n"):
    setattr(o, name.decode(), 1)
    micropython.qstr_info()
"""


def write(target: Path = FIRMWARE / "names.txt") -> None:
    """Ask the VM and write the file."""
    asyncio, _ = _asked([])
    both = _plain(_stubs(_MODULES, members_only=True) | {n for t in _TYPES for n in dir(t)} | set(_CORE) | asyncio)
    everywhere = sorted(in_rom(sorted(both)) - _NOT_ON_CHIP)
    chip = _stubs(None, members_only=False)
    python = {w for f in _files("micropython-stdlib-stubs") for w in re.findall(r"[A-Za-z_]\w*", f.read_text("utf-8"))}
    used = in_rom(sorted(_plain(_used() | python)))
    others = sorted(_plain(chip | used | both) - set(everywhere))
    stand_in = {w for path in DEVICE.glob("*.py") for w in re.findall(r"[A-Za-z]\w*", path.read_text(encoding="utf-8"))}
    board = sorted(stand_in & _stubs(_BOARD, members_only=True) & set(others))
    others = sorted(set(others) - set(board))
    text = "\n".join(["[everywhere]", *_lines(everywhere), "[board]", *_lines(board), "[chip]", *_lines(others)])
    target.write_text(HEAD + text + "\n")


def in_rom(names: list[str]) -> set[str]:
    """Which of them the VM has in ROM."""
    return _asked(names)[1]


def python_words() -> set[str]:
    """What belongs to the language: never renamed, never given."""
    return set(keyword.kwlist) | set(dir(builtins))


def _plain(names: set[str]) -> set[str]:
    return {n for n in names if re.fullmatch("[A-Za-z_]\\w*", n)} - python_words()


def _lines(names: list[str]) -> list[str]:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > 118:
            lines.append("")
        lines[-1] = f"{lines[-1]} {name}".strip()
    return lines


def _asked(names: list[str]) -> tuple[set[str], set[str]]:
    """(names in asyncio, those of `names` that are in ROM), by the VM."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "names"
        listed.write_text("\n".join(names))
        program = Path(folder) / "ask.py"
        program.write_text(_ASK % listed)
        done = subprocess.run(
            [sys.executable, "-m", "micropython_unix", program], capture_output=True, text=True, timeout=60, check=True
        )
    counts = [int(n) for n in re.findall(r"n_qstr=(\d+)", done.stdout)]
    rom = {name for name, before, after in zip(names, counts, counts[1:], strict=False) if before == after}
    return set(re.findall(r"@asyncio (\w+)", done.stdout)), rom


def _files(package: str) -> list[Path]:
    site = Path(sysconfig.get_paths()["purelib"])
    return [site / f for f in metadata.files(package) or [] if f.suffix == ".pyi"]


def _stubs(modules: list[str] | None, *, members_only: bool) -> set[str]:
    """Names in the stubs of some modules, or in all of the board's own."""
    site = Path(sysconfig.get_paths()["purelib"])
    files = _files("micropython-esp8266-stubs")
    if modules is not None:
        files = [f for m in modules for f in (site / f"{m}.pyi", site / "stdlib" / f"{m}.pyi") if f.exists()]
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
                case ast.arg(arg=name) if not members_only:
                    found.add(name)
    return found


def _used() -> set[str]:
    """Every name in the device's code."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "lib").rglob("*.py"))
    return {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}


if __name__ == "__main__":
    write()
