"""Runs of the tools in tests: a clean environment, a terminal, and which processes a run has left behind."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARK = "RUN_TEST_MARK"  # in the environment of all processes of one run; tells them from others of this machine


def environment(mark: str, **more: str) -> dict[str, str]:
    # What make hands to a make below it would have that one announce its folder.
    ours = ("BROKER", "READINGS", "FAKE_NODE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    kept = {k: v for k, v in os.environ.items() if k not in ours}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        MARK: mark,
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "LINES": "40",
        **more,
    }


def left_behind(mark: str, seconds: float = 10) -> list[str]:
    """Command lines of processes of the run that still live after `seconds` at most."""
    deadline = time.monotonic() + seconds
    while True:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def in_terminal(command: list[str], mark: str, when: str, keys: bytes, folder: Path = ROOT) -> tuple[int, str]:
    """Run in a terminal of its own, type `keys` once `when` is shown; returns exit code (-signal) and output."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, environment(mark))
    output, typed = b"", False
    deadline = time.monotonic() + 50
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux: the other side is closed
                chunk = b""
            if not chunk:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode(errors="replace")
            output += chunk
            if not typed and when.encode() in output:
                os.write(master, keys)
                typed = True
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise AssertionError("still running:\n" + output.decode(errors="replace")[-2000:])
    finally:
        os.close(master)
