"""`make flash`: writes the base firmware, and with ALL=1 the program too, through the chip's boot loader, with esptool.

Everything that can be wrong is looked at before anything is erased: the file, the chip, the size of its flash. Each part
is verified by its MD5 after writing. If the line is bad, all is done again at 115200 baud.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import esptool  # type: ignore[import-untyped]
import serial
from esp_pylib.logger import EspLog, EspLogBase
from esptool.reset import ResetStrategy  # type: ignore[import-untyped]
from esptool.util import PrintOnce  # type: ignore[import-untyped]
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tools import image as images
from tools.build import Build
from tools.errors import ToolError

FAST, SAFE = 460800, 115200  # baud
MIN_FLASH = 2 * 1024 * 1024  # bytes
CONNECT_ATTEMPTS = 3
TROUBLE = (
    "Is it the right port? Does the cable carry data? On a board without automatic reset hold FLASH (GPIO0 to ground) "
    "while you press RST, then try again with RESET=no."
)
NO_LINES = "this port cannot reset the chip; press RST when all is done"


@dataclass(frozen=True)
class Part:
    """What goes where in the flash: pieces of it by offset."""

    name: str
    pieces: tuple[tuple[int, bytes], ...]

    @property
    def end(self) -> int:
        return max(offset + len(data) for offset, data in self.pieces)

    @property
    def size(self) -> int:
        return sum(len(data) for _, data in self.pieces)


@dataclass(frozen=True)
class Chip:
    """What the boot loader says of the chip. flash_size: bytes. mac: lower case with colons."""

    name: str
    mac: str
    flash_size: int


def parts_of(firmware: Path, built: Build | None) -> list[Part]:
    """The parts to write; with `built`, the program after the firmware. Of LittleFS the blocks in use: the rest is erased."""
    parts = [Part("base firmware", ((0, firmware.read_bytes()),))]
    if built is not None:
        if built.romfs:
            parts.append(Part("ROMFS", ((images.ROMFS_OFFSET, built.romfs),)))
        parts.append(Part("LittleFS", tuple(_used(built.littlefs))))
    return parts


def _used(littlefs: bytes) -> Iterator[tuple[int, bytes]]:
    """Runs of blocks that are not empty, by their offset in the flash."""
    first = None
    for at in range(0, len(littlefs) + 1, images.BLOCK):
        used = littlefs[at : at + images.BLOCK] not in (images.ERASED, b"")
        if used and first is None:
            first = at
        elif not used and first is not None:
            yield images.LITTLEFS_OFFSET + first, littlefs[first:at]
            first = None


def flash(
    port: str,
    firmware: Path,
    console: Console,
    *,
    build: Callable[[int], Build] | None = None,
    baud: int = FAST,
    stub: bool = True,
    reset: bool = True,
) -> Chip:
    """Write `firmware`, checked by the caller, to the chip at `port`; returns what chip it is. Raises ToolError.

    build: called with the size of the flash in bytes, for the program to write as well. stub: use esptool's stub in
    RAM, which is faster and can verify; without it the boot ROM writes, and nothing can be read back.
    reset: the port's DTR and RTS lines put the chip into boot loader mode, and out of it.
    """
    rates = [baud, SAFE] if baud > SAFE and stub else [min(baud, SAFE) if not stub else baud]
    for rate in rates:
        try:
            with _quiet(console) as show, _connected(port, rate, stub, reset, console) as esp:
                chip = _look(esp, console)
                parts = parts_of(firmware, build(chip.flash_size) if build else None)
                _write(esp, chip, parts, show, console)
                esptool.reset_chip(esp, "hard-reset" if reset else "no-reset")
            return chip
        except (esptool.FatalError, serial.SerialException, OSError) as error:
            reason = _in_words(error)
            if rate == rates[-1]:
                raise ToolError(f"{reason}\nThe chip is not damaged; flash it again. {TROUBLE}") from error
            console.print(f"{reason}; once more, at {SAFE} baud")
    raise AssertionError("no rate to try")


class _Refusal(ToolError):
    """It is no use to try again."""


@contextlib.contextmanager
def _connected(port: str, baud: int, stub: bool, reset: bool, console: Console) -> Iterator[Any]:
    """The chip's boot loader, at `baud`."""
    mode = "default-reset" if reset else "no-reset"
    with console.status(f"looking for a chip at {port}"):
        try:
            esp = esptool.detect_chip(port, SAFE, mode, connect_attempts=CONNECT_ATTEMPTS)
        except (esptool.FatalError, serial.SerialException) as error:
            raise _Refusal(f"no chip in boot loader mode answers at {port}: {_in_words(error)}\n{TROUBLE}") from error
    try:
        if esp.CHIP_NAME != "ESP8266":
            raise _Refusal(
                f"the chip at {port} is an {esp.CHIP_NAME}; this firmware is for the ESP8266. Nothing was erased."
            )
        if stub:
            esp = esptool.run_stub(esp)
            if baud != SAFE:
                esp.change_baud(baud)
        esptool.attach_flash(esp)
        yield esp
    finally:
        esp._port.close()


def _look(esp: Any, console: Console) -> Chip:
    size = esptool.detect_flash_size(esp)
    size_bytes = esptool.flash_size_bytes(size) if size else 0
    mac = ":".join(f"{byte:02x}" for byte in esp.read_mac())
    console.print(f"{esp.get_chip_description()}, {size or 'unknown'} of flash, MAC {mac}")
    if not size_bytes:
        raise _Refusal(
            "the size of its flash cannot be read; is another device on the flash's pins? Nothing was erased."
        )
    if size_bytes < MIN_FLASH:
        raise _Refusal(f"its flash has {size}, at least 2MB are needed (ESP-12, NodeMCU, D1 mini). Nothing was erased.")
    return Chip(esp.get_chip_description(), mac, size_bytes)


def _write(esp: Any, chip: Chip, parts: list[Part], show: _Show, console: Console) -> None:
    for part in parts:
        if part.end > chip.flash_size:
            raise _Refusal(f"{part.name} does not fit into {chip.flash_size:,} bytes of flash. Nothing was erased.")
    if esp.IS_STUB:
        with console.status("erasing the whole flash, up to 30 s"):
            esptool.erase_flash(esp)
    elif len(parts) > 1:
        # The ROM cannot erase the chip. What is written is erased first; the other blocks of LittleFS are free ones.
        console.print("without the stub this takes minutes, and nothing can be verified")
    # The header tells the firmware the size, and that is where it looks for the end of LittleFS.
    size = f"{min(chip.flash_size, images.FLASH_SIZES[-1]) >> 20}MB"
    with show:
        for part in parts:
            show.start(part)
            for piece in part.pieces:
                esptool.write_flash(esp, [piece], flash_size=size)
                show.advance(len(piece[1]))
    console.print(f"wrote {', '.join(p.name for p in parts)}{', verified by MD5' if esp.IS_STUB else ''}")


class _Show(EspLogBase):
    """esptool's log as one progress bar; what it says otherwise is kept out of sight."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console)
        self._task: Any = None
        self._piece = 0

    def __enter__(self) -> _Show:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, part: Part) -> None:
        self._task = self._bar.add_task(f"{part.name}, {part.size:,} bytes", total=part.size)
        self._piece = part.size if len(part.pieces) == 1 else 0

    def advance(self, size: int) -> None:
        """A piece of the part is done."""
        if not self._piece:
            self._bar.update(self._task, advance=size)

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        if self._piece and total_iters:
            self._bar.update(self._task, completed=self._piece * cur_iter // total_iters)

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Not shown."""

    def err(self, *args: Any, suggestion: str | None = None) -> None:
        """Comes as an exception too."""

    def warn(self, *args: Any, suggestion: str | None = None) -> None:
        """Not shown: the lines that cannot be set on this port are explained when nobody answers."""

    warning = warn
    error = err

    def note(self, *args: Any) -> None:
        """Not shown."""

    def hint(self, *args: Any) -> None:
        """Not shown."""

    def debug(self, *args: Any) -> None:
        """Not shown."""

    def set_verbosity(self, mode: int | str) -> None:
        """One verbosity."""


@contextlib.contextmanager
def _quiet(console: Console) -> Iterator[_Show]:
    """esptool says what it has to say through us."""
    show = _Show(console)
    before, EspLog.instance = EspLog.instance, show
    warn, ResetStrategy.print_once = ResetStrategy.print_once, PrintOnce(lambda _: console.print(NO_LINES))
    try:
        yield show
    finally:
        EspLog.instance, ResetStrategy.print_once = before, warn


def _in_words(error: BaseException) -> str:
    """The first line of esptool's or pyserial's message, for a person."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    words = {
        "No such file": "there is no such port",
        "Permission denied": "you may not use this port (Linux: sudo usermod -aG dialout $USER, then log in again)",
        "No serial data received": "it says nothing",
        "MD5 of file does not match": "what was written is not what is in the flash",
        "the written flash region is empty": "the flash did not take what was written",
        "checksum": "the line damages what is sent",
        "write timeout": "the port takes no data",
    }
    whole = str(error)
    return next((words[key] for key in words if key.lower() in whole.lower()), text.rstrip("."))
