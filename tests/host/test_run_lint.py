"""What `make lint` must catch in device code, and must let pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import doctor, lint_device, onboard, typecheck_device, wire

MISSING = [
    "import dataclasses",
    "import collections.abc",
    "from typing import Any",
    "from random import randint",
    "import random\nrandom.choice([1])",
    "import hashlib\nhashlib.md5(b'')",
    "import time\ntime.monotonic()",
    "import asyncio\nasyncio.Queue()",
    "'a'.partition('b')",
    "b'a'.splitlines()",
    "'a'.rjust(3)",
    "(5).bit_length()",
    "(5).to_bytes(length=2, byteorder='big')",
    "'a b'.split(maxsplit=1)",
    "print('a', flush=True)",
    "pow(2, 3, 5)",
    "'abc'[::-1]",
    "match 1:\n    case 1: pass",
    "def f(a, /): pass",
    "a = [1]\nb = [*a, 3]",
    "a = {}\nb = {**a, 'c': 1}",
    "try:\n    pass\nexcept ConnectionError:\n    pass",
    "try:\n    pass\nexcept:\n    pass",
    "x = 1j",
    "async def f():\n    yield 1",
    "async def f(a):\n    return [i async for i in a]",
    "class A:\n    def __setattr__(self, n, v): pass",
    "class A(metaclass=type): pass",
    "x = NotImplemented",
    "import time\nx = time.ticks_ms() - 5",
]
PRESENT = [
    "try:\n    import typing\nexcept ImportError:\n    typing = None",
    "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Callable",
    "class A:\n    if False:\n        from typing import Any",
    "def f(a: 'list[int]' = [1][0:1]) -> int | None: return None",
    "first, *rest = [1, 2]\nprint(*rest)",
    "x = 'a b'.split(' ', 1)",
    "async def f():\n    return [i for i in range(3)]",
    "'a'.partition('b')  # device: ok, runs on CPython only",
]
WRONG_TYPES = [
    ("import network\nnetwork.WLAN(0).nonsense()\n", '"WLAN" has no attribute "nonsense"'),
    ("a, b, c = 'a.b'.partition('.')\n", '"str" has no attribute "partition"'),
    ("def f(a: int) -> str:\n    return a\n", "Incompatible return value type"),
    ("import time\ntime.monotonic()\n", 'has no attribute "monotonic"'),
    ("from micropython import const\n_A = const(1)\n_A = 'text'\n", "Incompatible types in assignment"),
    ("import dataclasses\n", "Cannot find implementation"),
]
RIGHT_TYPES = """
import asyncio, gc, machine, network, socket, time

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


_PORT = const(1883)


async def main() -> None:
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    started: int = time.ticks_ms()
    await asyncio.sleep_ms(10)
    print(time.ticks_diff(time.ticks_ms(), started), wlan.isconnected(), gc.mem_free(), machine.ADC(0).read(), _PORT)
"""


@pytest.mark.parametrize("source", MISSING)
def test_lint_names_what_the_chip_lacks(source: str) -> None:
    faults = lint_device.lint(source)
    assert faults
    assert all(f.what and f.why for f in faults)


@pytest.mark.parametrize("source", PRESENT)
def test_lint_lets_pass_what_the_chip_runs(source: str) -> None:
    assert lint_device.lint(source) == []


def test_lint_prints_file_and_line_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("x = 1\n'a'.zfill(2)\n")
    assert lint_device.main([str(tmp_path)]) == 1
    assert "a.py:2: .zfill()" in capsys.readouterr().out
    (tmp_path / "a.py").write_text("x = 1\n")
    assert lint_device.main([str(tmp_path)]) == 0


def test_what_the_tools_run_on_a_board_is_fit_for_it() -> None:
    for name in ("STAY", "RESTART", "TOOLS", "EMPTY", "BLOCK_TOOLS", "ROM_HASH"):
        code = getattr(onboard, name)
        assert lint_device.lint(code.format(size=1) if name == "ROM_HASH" else code) == [], name
    assert lint_device.lint(doctor._LOOK) == [] and lint_device.lint(wire._UNPACK) == []


def test_all_device_code_is_looked_at() -> None:
    looked = {
        path.relative_to(lint_device.ROOT).as_posix()
        for path in lint_device.device_files(lint_device.ROOT / p for p in lint_device.DEVICE_PATHS)
    }
    assert {
        "boot.py",
        "main.py",
        "firmware/device/update.py",
        "firmware/slim/main.py",
        "lib/node/__init__.py",
    } <= looked


def typecheck(folder: Path, source: str) -> tuple[int, str]:
    (folder / "device_code.py").write_text(source)
    command = [sys.executable, "-m", "tools.typecheck_device", str(folder / "device_code.py")]
    done = subprocess.run(command, cwd=typecheck_device.ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("source", "complaint"), WRONG_TYPES)
def test_type_check_knows_the_chips_library(tmp_path: Path, source: str, complaint: str) -> None:
    code, output = typecheck(tmp_path, source)
    assert code == 1
    assert complaint in output


def test_type_check_accepts_device_code(tmp_path: Path) -> None:
    code, output = typecheck(tmp_path, RIGHT_TYPES)
    assert code == 0, output
