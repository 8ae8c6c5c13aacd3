"""Checks device code with mypy against the ESP8266's own modules (PyPI micropython-esp8266-stubs).

mypy prefers CPython's typeshed over stubs in site-packages for every module that CPython has too, so `time` or `socket`
would be checked against the wrong library. A typeshed of its own is therefore put together under build/: MicroPython's
standard library, the board's modules on top, less the methods that this port leaves out (lint_device.py's tables).
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.lint_device import DEVICE_PATHS, MISSING_TEXT_METHODS, ROOT, device_files

BOARD_STUBS = "micropython-esp8266-stubs"
STDLIB_STUBS = "micropython-stdlib-stubs"
TYPESHED = ROOT / "build" / "typeshed-esp8266"
# The stubs give ticks classes of their own, which no attribute of type int may hold; on the port they are plain ints.
# lint_device.py looks for what those classes would have found: plain arithmetic with ticks.
TICKS = """
_TicksMs = int
_TicksUs = int
_TicksCPU = int
_Ticks = TypeVar("_Ticks", bound=int)
"""
MISSING_INT_METHODS = frozenset("bit_length bit_count is_integer as_integer_ratio".split())
_MISSING_BY_CLASS = {
    "str": MISSING_TEXT_METHODS,
    "bytes": MISSING_TEXT_METHODS,
    "bytearray": MISSING_TEXT_METHODS,
    "int": MISSING_INT_METHODS,
}


def build_typeshed(target: Path = TYPESHED) -> Path:
    """The folder for mypy's --custom-typeshed-dir; built once for each version of the stubs."""
    stamp = target / "stamp"
    wanted = "\n".join(f"{name} {metadata.version(name)}" for name in (BOARD_STUBS, STDLIB_STUBS))
    wanted += f"\n{sorted(MISSING_TEXT_METHODS)}{TICKS}"
    if stamp.exists() and stamp.read_text() == wanted:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=target.name, dir=target.parent))
    _fill(made)
    (made / "stamp").write_text(wanted)
    try:
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(made)
    return target


def _fill(target: Path) -> None:
    site = Path(sysconfig.get_paths()["purelib"])
    shutil.copytree(site / "stdlib", target / "stdlib")
    shutil.copytree(site / "stubs", target / "stubs")
    for name in (STDLIB_STUBS, BOARD_STUBS):
        for file in metadata.files(name) or []:
            if file.suffix == ".pyi" and file.parts[0] not in ("stdlib", "stubs"):
                copy = target / "stdlib" / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(site / file, copy)
    _list_modules(target / "stdlib")
    builtins = target / "stdlib" / "builtins.pyi"
    builtins.write_text(without_methods(builtins.read_text(encoding="utf-8")), encoding="utf-8")
    ticks = target / "stdlib" / "_mpy_shed" / "time_mp.pyi"
    head, _, rest = ticks.read_text(encoding="utf-8").partition("class _TicksMs:")
    ticks.write_text(head + TICKS + rest[rest.index("__all__") :], encoding="utf-8")


def _list_modules(stdlib: Path) -> None:
    """Rewrite VERSIONS: mypy takes a module from a typeshed only if it is listed there."""
    present = {p.stem for p in stdlib.glob("*.pyi")} | {p.name for p in stdlib.iterdir() if p.is_dir()}
    (stdlib / "VERSIONS").write_text("".join(f"{name}: 3.0-\n" for name in sorted(present)), encoding="utf-8")


def without_methods(stub: str) -> str:
    """The text of builtins.pyi without the methods (all overloads) that the port leaves out."""
    lines = stub.splitlines()
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef):
            for method in ast.walk(node):
                if isinstance(method, ast.FunctionDef) and method.name in _MISSING_BY_CLASS.get(node.name, ()):
                    first = min([method.lineno, *(d.lineno for d in method.decorator_list)])
                    indent = " " * method.col_offset
                    for number in range(first - 1, method.end_lineno or method.lineno):
                        lines[number] = ""
                    lines[first - 1] = f"{indent}pass"  # an `if sys.version_info` block may not end up empty
    return "\n".join(lines) + "\n"


def is_const_fallback(diagnostic: dict[str, Any]) -> bool:
    """True for mypy's word on `def const(value)` under `except ImportError`: the one redefinition that is meant."""
    if "All conditional function variants must have identical signatures" not in str(diagnostic["message"]):
        return False
    line = Path(ROOT, diagnostic["file"]).read_text(encoding="utf-8").splitlines()[diagnostic["line"] - 1]
    return line.strip().startswith("def const(")


def main(arguments: list[str]) -> int:
    """Check the given paths (default: all device code) and print what is found; returns the exit code."""
    if arguments:
        return check(arguments)
    paths = [str(ROOT / p) for p in DEVICE_PATHS if (ROOT / p).exists()]
    slim = [path for path in paths if path.endswith("slim")]  # has a main.py too, which mypy takes only one of
    return max(check([path for path in paths if path not in slim]), check(slim))


def check(paths: list[str]) -> int:
    """Run mypy on these; 0 if there is no fault."""
    if not list(device_files(Path(p) for p in paths)):
        return 0
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "tools" / "mypy_device.ini"), "-O", "json"]
    command += ["--custom-typeshed-dir", str(build_typeshed()), "--cache-dir", str(ROOT / ".mypy_cache" / "device")]
    done = subprocess.run([*command, *paths], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    faults = 0
    for line in done.stdout.splitlines():
        if not line.startswith("{"):
            print(line)  # not a finding: mypy itself failed
            faults += 1
            continue
        found = json.loads(line)
        if not is_const_fallback(found):
            print(f"{found['file']}:{found['line']}: {found['severity']}: {found['message']}  [{found['code']}]")
            faults += found["severity"] == "error"
    return 1 if faults or done.returncode not in (0, 1) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
