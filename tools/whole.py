"""For `make deploy` to a board without a program, or with WIPE=1: its partitions become those of the image, byte for byte.

The blocks go to the flash as they are, instead of files through the file system. LittleFS is emptied first and its first
two blocks, without which it cannot be mounted, are written last. If the cable or the power goes before that, the firmware
finds an empty file system at its next start and makes a new one: the board is as the base firmware makes it. After that
it has the whole program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tools import onboard
from tools.build import Build
from tools.errors import ToolError
from tools.image import BLOCK, ERASED, LITTLEFS_OFFSET, SDK_RESERVED, build_littlefs
from tools.wire import Wire

FIRST = 2  # blocks: the pair with the superblock and the root folder
AT_ONCE = 64  # blocks to look at in one step; erasing one takes up to 0.1 s


def is_empty(wire: Wire) -> bool:
    """Has LittleFS nothing but what the firmware itself puts there? The board must have onboard.TOOLS."""
    return wire.run(onboard.EMPTY).strip() == "True"


def write(wire: Wire, built: Build, console: Console) -> int:
    """Make the partitions those of `built`; the board must have onboard.TOOLS. Returns the bytes that were sent.

    The board still listens afterwards, without a file system. Raises ToolError.
    """
    wire.run(onboard.BLOCK_TOOLS)
    blocks = int(wire.run("print(_b.ioctl(4,0))"))
    littlefs = build_littlefs(built.data, LITTLEFS_OFFSET + blocks * BLOCK + SDK_RESERVED)
    used = [n for n in range(FIRST, blocks) if littlefs[n * BLOCK : (n + 1) * BLOCK] != ERASED]
    rom = built.romfs + b"\xff" * (-len(built.romfs) % 4)  # the flash is written in words
    size = len(rom) + (len(used) + FIRST) * BLOCK
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("emptying the file system", total=blocks)
        wire.run("vfs.umount('/')")
        for first in range(0, blocks, AT_ONCE):
            wire.run(f"_e({first},{min(blocks, first + AT_ONCE)})")
            bar.update(task, completed=min(blocks, first + AT_ONCE))
        task = bar.add_task("sending", total=size)
        _Sender(wire, lambda count: bar.update(task, advance=count)).send(rom, littlefs, used)
    return size


class _Sender:
    """Writes and checks; `sent(n)` is told of bytes as they are through."""

    def __init__(self, wire: Wire, sent: Callable[[int], None]) -> None:
        self._wire = wire
        self._sent = sent

    def send(self, rom: bytes, littlefs: bytes, used: list[int]) -> None:
        if rom:
            self._wire.run("if vfs.rom_ioctl(3,0,len(vfs.rom_ioctl(2,0)))<0:raise OSError(5)")
            for first, data in ((1, rom[BLOCK:]), (0, rom[:BLOCK])):  # the header last: a torn image is no ROMFS
                self._wire.run(f"_f=_M({first})")
                self._wire.append(data, self._sent)
            self._check(onboard.ROM_HASH.format(size=len(rom)), rom)
        for first, end in [*_runs(used), (1, 2), (0, 1)]:
            data = littlefs[first * BLOCK : end * BLOCK]
            self._wire.run(f"_f=_L({first})")
            self._wire.append(data, self._sent)
            self._check(f"print(_d(_B({first},{end})))", data)

    def _check(self, code: str, data: bytes) -> None:
        if self._wire.run(code).strip() != hashlib.sha256(data).hexdigest():
            raise ToolError("what was written is not what is in the flash; deploy again")


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together: (first, end)."""
    for i, number in enumerate(numbers):
        if i == 0 or numbers[i - 1] != number - 1:
            first = number
        if i + 1 == len(numbers) or numbers[i + 1] != number + 1:
            yield first, number + 1
