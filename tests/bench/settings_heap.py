"""What settings and WiFi cost in memory: from ROMFS, as on the chip, in the 64-bit VM (objects are twice the chip's)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.board_run import node_settings
from tools.image import build_romfs, compile_tree
from tools.settings_file import stored

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("settings_vm.py")
MOST = 32768  # B, where the search for the least room begins
STEP = 128


class SettingsHeap:
    """Measures in VMs; `folder` takes the image and the settings."""

    def __init__(self, folder: Path) -> None:
        names = re.findall(r"(?:\.|def )([a-z]\w*)|(?:, )([a-z]\w*)=", SCRIPT.read_text(encoding="utf-8"))
        files = compile_tree(ROOT / "lib", ROOT / "build" / "mpy", public=["".join(pair) for pair in names])
        self._image = folder / "rom.romfs"
        self._image.write_bytes(build_romfs({n: files[n] for n in files if n.startswith(("settings/", "wifi/"))}))
        self._board = folder / "board"
        self._board.mkdir()

    def run(self, what: str, room: int = 0, pad: int = 0) -> str:
        """The script's output. pad: moves the VM's stack, in which the conservative collector takes numbers for addresses."""
        (self._board / "settings.json").write_bytes(stored(node_settings("bench", 1883)))
        command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=300k", str(SCRIPT), str(self._image)]
        done = subprocess.run(
            [*command, str(self._board), what, str(room)],
            env={"PAD": "x" * pad},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr  # the launcher has no exit code
        return done.stdout.strip()

    def steady(self) -> tuple[int, int, int]:
        """Bytes kept: all, of it the settings, all without names. The least of three: see `run`."""
        whole, part, known = min(tuple(map(int, self.run("steady", pad=64 * i).split())) for i in range(3))
        return whole, part, known

    def left(self, what: str) -> tuple[int, int]:
        """Bytes that stay after `what` was done once, and after a hundred times more. The least of three: see `run`."""
        first, more = min(tuple(map(int, self.run(what, pad=64 * i).split())) for i in range(3))
        return first, more

    def room(self, what: str) -> int:
        """The least free heap, in one piece, that `what` gets along with; bytes, to STEP."""
        low, high = 0, MOST
        while high - low > STEP:
            middle = (low + high) // 2
            if self.run(what, middle) == "enough":
                high = middle
            else:
                low = middle
        return high


def measure_settings(folder: Path) -> dict[str, str]:
    """All figures, for the bench."""
    heap = SettingsHeap(folder)
    whole, part, known = heap.steady()
    figures = {
        "settings + WiFi, steady state": f"{whole:,} B (the settings {part:,} B, names {whole - known:,} B)",
    }
    for what, words in (
        ("load", "loading stored settings"),
        ("patch", "a change from a form"),
        ("faults", "a form with four faults"),
        ("redact", "settings to show"),
        ("save", "saving"),
    ):
        figures[f"room for {words}"] = f"{heap.room(what):,} B"
    return figures
