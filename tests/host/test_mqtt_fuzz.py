"""Fuzz runs of the decoder and of the whole client, on CPython and in the MicroPython VM: a slice here, the rest by
`make soak`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "lib"
# python, what, inputs in `make test`, inputs in `make soak` (1,060,000 together)
RUNS = (
    ("cpython", "decoder", 30_000, 900_000),
    ("micropython", "decoder", 4_000, 100_000),
    ("cpython", "client", 2_000, 30_000),
    ("micropython", "client", 2_000, 30_000),
)


def fuzz(python: str, what: str, first: int, count: int, timeout: float) -> str:
    words = [str(HERE / "mqtt_fuzz.py"), what, str(first), str(count)]
    if python == "cpython":
        command, env = [sys.executable, *words], {**os.environ, "PYTHONPATH": str(LIB)}
    else:
        command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=300K", *words]
        env = {**os.environ, "MICROPYPATH": f"{LIB}:{HERE}:.frozen"}
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
    )
    output = done.stdout.decode(errors="replace")
    assert f"@done {what} {count}" in output, output[-3000:]
    return output


@pytest.mark.parametrize(("python", "what", "count", "_soak"), RUNS)
def test_hostile_bytes(python: str, what: str, count: int, _soak: int) -> None:
    fuzz(python, what, 1, count, 60)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("python", "what", "_slice", "count"), RUNS)
def test_a_million_hostile_inputs(python: str, what: str, _slice: int, count: int) -> None:
    print(fuzz(python, what, 1_000_000, count, 800))
