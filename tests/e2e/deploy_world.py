"""For the tests of `make deploy`: a small versioned project, a board, and a cable between them that can be pulled."""

from __future__ import annotations

import io
import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from littlefs import LittleFS
from rich.console import Console

from tools import deploy as deployer
from tools.build import Build, build
from tools.image import LITTLEFS_OFFSET, ROMFS_OFFSET, SDK_RESERVED, build_littlefs
from tools.vboard import Board
from tools.vboard.board import OFF

ROOT = Path(__file__).resolve().parents[2]
FLASH = 2 * 1024 * 1024
FACTORY = {"boot.py": b"# as the firmware makes it\n"}


class Project:
    """The real boot.py, main.py and update.py around a node that says of which versions its parts are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.node = "import time\n    while True:\n        time.sleep_ms(50)\n"
        (root / "firmware" / "device").mkdir(parents=True)
        for name in ("node", "sensors"):
            (root / "lib" / name).mkdir(parents=True)
        for name in ("boot.py", "firmware/device/update.py"):
            (root / name).write_text((ROOT / name).read_text())
        for i in range(6):  # that never change
            self.write(f"lib/sensors/s{i}.py", f"text = {'abcdefgh' * 500 + str(i)!r}\n")
        self.version("1")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def version(self, number: str) -> None:
        """All parts are of this version now."""
        main = (ROOT / "main.py").read_text().replace("node.main()", f"node.main({number!r})")
        self.write("main.py", main.replace("time.sleep(10)", "time.sleep(1)"))
        self.write("lib/sensors/__init__.py", f"VERSION = {number!r}\n")
        self.write(
            "lib/node/__init__.py",
            f"import sensors\ndef main(v):\n    print('versions', v, {number!r}, sensors.VERSION, 'end')\n"
            f"    {self.node}",
        )

    def build(self, **more: object) -> Build:
        return build(out=self.root / "out", root=self.root, flash_size=FLASH, **more)  # type: ignore[arg-type]


def factory_image(path: Path, files: dict[str, bytes] | None = None) -> Path:
    """A chip with base firmware only: no ROMFS, and what inisetup.py puts on LittleFS."""
    whole = bytearray(b"\xff" * FLASH)
    littlefs = build_littlefs(FACTORY | (files or {}), FLASH)
    whole[LITTLEFS_OFFSET : LITTLEFS_OFFSET + len(littlefs)] = littlefs
    path.write_bytes(whole)
    return path


def files_on(image: Path) -> dict[str, bytes]:
    """What LittleFS holds, by path; read by other code than the board's."""
    data = image.read_bytes()
    blocks = (FLASH - LITTLEFS_OFFSET - 20 * 1024) // 4096
    system = LittleFS(block_size=4096, block_count=blocks, mount=False)
    system.context.buffer[:] = data[LITTLEFS_OFFSET : LITTLEFS_OFFSET + blocks * 4096]
    system.mount()
    found = {}
    for folder, _, names in system.walk("/"):
        for name in names:
            path = f"{folder}/{name}".lstrip("/")
            with system.open(path, "rb") as file:
                found[path] = file.read()
    return found


def romfs_on(image: Path, size: int) -> bytes:
    return image.read_bytes()[ROMFS_OFFSET : ROMFS_OFFSET + size]


def partitions_on(image: Path) -> bytes:
    """ROMFS and LittleFS, all of both."""
    return image.read_bytes()[ROMFS_OFFSET : FLASH - SDK_RESERVED]


def deploy(board: Board | str, built: Build, tool: str = "mpremote", wipe: bool = False) -> deployer.Deployed:
    port = board if isinstance(board, str) else board.console_path
    return deployer.deploy(port, built, Console(file=io.StringIO()), tool, wipe)


class Cable:
    """A pty in front of a board's console. Pulled after `cut_after` bytes in both directions together (0: never),

    and when the board has no power any more.
    """

    def __init__(self, board: Board, cut_after: int = 0, when_cut: Callable[[], None] = lambda: None) -> None:
        self.passed = 0
        self.cut = False
        self._powered = lambda: board.state != OFF
        self._left = cut_after
        self._limited = bool(cut_after)
        self._when_cut = when_cut
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._board = os.open(board.console_path, os.O_RDWR | os.O_NOCTTY)
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._board, self._stop_r], [], [], 0.05)
            if self._stop_r in ready:
                break
            self.cut = not self._powered()
            for source, target in ((self._master, self._board), (self._board, self._master)):
                if source in ready and not self._pass_on(source, target):
                    self.cut = True
                    break
            if self.cut:
                break
        os.close(self._slave)
        os.close(self._master)
        os.close(self._board)
        if self.cut:
            self._when_cut()

    def _pass_on(self, source: int, target: int) -> bool:
        data = os.read(source, 512)
        if self._limited:
            data = data[: self._left]
            self._left -= len(data)
        self.passed += len(data)
        while data:
            data = data[os.write(target, data) :]
        return not self._limited or self._left > 0

    def close(self) -> None:
        os.write(self._stop_w, b"x")
        self._thread.join()
        os.close(self._stop_r)
        os.close(self._stop_w)
