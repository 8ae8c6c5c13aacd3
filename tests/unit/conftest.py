"""Runs every test file of this folder twice: as usual under CPython, and in the real MicroPython unix VM.

The files are therefore plain: functions named `test_…`, bare `assert`, no pytest import, helpers from check.py.
The VM runs one file in one process (vm_runner.py) and answers a line a test.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "lib"
VM_FILE_TIMEOUT = 100  # s, for all tests of one file


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".py" and file_path.name.startswith("test_"):
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


class MicroPythonFile(pytest.File):
    """One test file, seen from the MicroPython VM."""

    outcomes: dict[str, str | None] | None = None
    log = ""

    def collect(self) -> Iterator[pytest.Item]:
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                item = MicroPythonItem.from_parent(self, name=f"{node.name}[micropython]")
                item.function_name = node.name
                item.line = node.lineno
                yield item

    def run(self, names: list[str]) -> None:
        """Run the named tests in one VM; `outcomes` maps each to None (passed) or its traceback."""
        env = dict(os.environ, MICROPYPATH=f"{LIB}:{HERE}:.frozen")
        command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=4M", str(HERE / "vm_runner.py")]
        try:
            done = subprocess.run(
                [*command, self.path.stem, *names],
                env=env,
                cwd=HERE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=VM_FILE_TIMEOUT,
                check=False,
            )
            output = done.stdout
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"") + b"\nthe VM was still running at its time limit"
        self.log = output.decode(errors="replace")
        self.outcomes = {}
        for line in self.log.splitlines():
            if line.startswith("@test "):
                name, fault = json.loads(line[6:])
                self.outcomes[name] = fault


class MicroPythonItem(pytest.Item):
    """One test function, run in the VM."""

    function_name = ""
    line = 0

    def runtest(self) -> None:
        file = self.parent
        assert isinstance(file, MicroPythonFile)
        if file.outcomes is None:
            file.run([i.function_name for i in self.session.items if i.parent is file])
        assert file.outcomes is not None
        fault = file.outcomes.get(self.function_name, "no answer from the VM; its output:\n" + file.log[-4000:])
        if fault is not None:
            pytest.fail(fault, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name
