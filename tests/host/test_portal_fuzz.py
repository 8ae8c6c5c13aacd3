"""Mutated DNS packets and HTTP requests: no exception, no hang, no growth of the heap, on both interpreters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from portal_process import command, environment

FUZZ = Path(__file__).parent / "portal_fuzz.py"


def fuzz(interpreter: str, kind: str, count: int, seed: int) -> None:
    done = subprocess.run(
        command(interpreter, str(FUZZ), kind, str(count), str(seed)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1700,
        check=False,
    )
    print(done.stdout)
    # The VM's launcher has no exit code.
    assert "inputs, heap grew by" in done.stdout and "Traceback" not in done.stdout, done.stdout


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize(("kind", "count"), [("dns", 20000), ("http", 3000)])
def test_fuzz(interpreter, kind, count):
    fuzz(interpreter, kind, count, 1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("kind", ["dns", "http"])
def test_long_fuzz(interpreter, kind):
    fuzz(interpreter, kind, 100_000, 2)
