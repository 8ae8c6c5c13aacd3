"""`make firmware`: the base firmware, MicroPython itself: found, checked, and kept in build/firmware/.

firmware/base.json pins board, variant, version and, once it is known, the SHA-256. A file is checked before anything on
a board is erased: layout and MD5 as ports/esp8266/makeimg.py writes them, variant and version by the names inside.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from rich.console import Console
from rich.progress import Progress

from tools.errors import ToolError
from tools.image import LITTLEFS_OFFSET, ROMFS_OFFSET, ROOT

BASE = ROOT / "firmware" / "base.json"
KEPT = ROOT / "build" / "firmware"

MAGIC = 0xE9  # of an ESP8266 image, and of an ESP32's
SEGMENTS_SIZE = 0x9000  # bytes before the code that stays in flash; their last word is the length of the image
MD5_SIZE = 16
TIMEOUT = 30.0  # s without a byte of a download
MAX_SIZE = 4 * 1024 * 1024
FROZEN = b"node/__init__.py\0"  # among the names of frozen modules
_VERSION = re.compile(rb"\bv?(\d+\.\d+\.\d+(?:-preview(?:\.\d+)?[\w.+-]*)?) on (\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Pin:
    """What firmware/base.json asks for. sha256: "" if nobody has pinned it yet."""

    board: str
    variant: str
    version: str
    page: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.board}-{self.variant}" if self.variant else self.board


@dataclass(frozen=True)
class Firmware:
    """A checked file. build: name of board and variant inside it; version and date as its REPL says."""

    path: Path
    size: int
    sha256: str
    build: str
    version: str
    date: str


def pinned(path: Path = BASE) -> Pin:
    """Read the pin. Raises ToolError."""
    try:
        raw = json.loads(path.read_text())
        return Pin(raw["board"], raw["variant"], raw["version"], raw["page"], raw["sha256"] or "")
    except (OSError, ValueError, KeyError) as error:
        raise ToolError(f"{path} cannot be used: {error}") from error


def check(path: Path, pin: Pin, target: str = "romfs") -> Firmware:
    """Is this the base firmware? Raises ToolError that says what it is instead.

    target: of the build; romfs wants the pinned file with the ROMFS partition, frozen one that has lib/ in it, and for
    littlefs any MicroPython for the ESP8266 will do.
    """
    romfs = target == "romfs"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from error
    _check_layout(path.name, data)
    build = _build_name(data, pin.board)
    if romfs and build != pin.name:
        what = f"built for {build}" if build else "of unknown build"
        raise ToolError(
            f"{path.name} is MicroPython {what}; {pin.name} is needed, whose ROMFS partition holds the program.\n"
            f"Get it from {pin.page}, or build for stock firmware: TARGET=littlefs."
        )
    most = ROMFS_OFFSET if romfs else LITTLEFS_OFFSET
    if len(data) > most:
        raise ToolError(
            f"{path.name} has {len(data):,} bytes; it must end at {most:,}, where the next partition begins"
        )
    if target == "frozen" and FROZEN not in data:
        raise ToolError(
            f"{path.name} has no node frozen into it: build it with firmware/manifest.py (make build TARGET=frozen)"
        )
    digest = hashlib.sha256(data).hexdigest()
    if romfs and pin.sha256 and digest != pin.sha256:
        raise ToolError(f"{path.name} has SHA-256 {digest}, firmware/base.json pins {pin.sha256}: not the same file")
    said = _VERSION.search(data)
    version, date = (said[1].decode(), said[2].decode()) if said else ("", "")
    if romfs and version and version != pin.version:
        raise ToolError(f"{path.name} is MicroPython {version}; this project is tested with {pin.version}")
    return Firmware(path, len(data), digest, build, version, date)


def _check_layout(name: str, data: bytes) -> None:
    """An ESP8266 image as makeimg.py makes it: segments, padding, length, code, MD5 of all but the first four bytes."""
    if data[:1] != bytes([MAGIC]):
        raise ToolError(f"{name} is no ESP8266 firmware: it does not begin with 0x{MAGIC:02x}")
    if len(data) > 16 and data[12:14] != b"\0\0" and _is_esp32(data):
        raise ToolError(f"{name} is firmware for an ESP32, this project needs an ESP8266's")
    if len(data) <= SEGMENTS_SIZE + MD5_SIZE:
        raise ToolError(f"{name} is too short for MicroPython: {len(data):,} bytes")
    (length,) = struct.unpack_from("<I", data, SEGMENTS_SIZE - 4)
    if length + MD5_SIZE > len(data):
        raise ToolError(f"{name} is cut short: it has {len(data):,} of {length + MD5_SIZE:,} bytes. Fetch it again.")
    if length + MD5_SIZE != len(data):
        raise ToolError(f"{name} is no MicroPython for the ESP8266 (or something is appended to it)")
    if hashlib.md5(data[4:length], usedforsecurity=False).digest() != data[length:]:
        raise ToolError(f"{name} is damaged: its MD5 does not match. Fetch it again.")
    _check_segments(name, data)


def _is_esp32(data: bytes) -> bool:
    """The extended header of later chips: chip number at 12, and segments that are loaded where the ESP8266 has nothing."""
    address = struct.unpack_from("<I", data, 24)[0] if len(data) >= 28 else 0
    return 0x3F400000 <= address < 0x3FE00000 or 0x40080000 <= address < 0x40100000


def _check_segments(name: str, data: bytes) -> None:
    """Segments and their checksum, as the boot ROM checks them."""
    at, checksum = 8, 0xEF
    for _ in range(data[1]):
        _, size = struct.unpack_from("<II", data, at)
        at += 8
        if at + size > SEGMENTS_SIZE:
            raise ToolError(f"{name} is damaged: a segment ends beyond the first {SEGMENTS_SIZE} bytes")
        for byte in data[at : at + size]:
            checksum ^= byte
        at += size
    if data[at | 15] != checksum:
        raise ToolError(f"{name} is damaged: the checksum of its segments is wrong. Fetch it again.")


def _build_name(data: bytes, board: str) -> str:
    """`sys.implementation._build` inside the image: board, or board-variant; the longest if there are several."""
    found = re.findall(re.escape(board.encode()) + rb"(?:-[A-Z0-9_]+)?(?=\0)", data)
    return max(found, key=len).decode() if found else ""


def kept(pin: Pin) -> Path | None:
    """The base firmware in build/firmware/, if there is one."""
    files = sorted(KEPT.glob(f"{pin.name}-*{pin.version}.bin"))
    return files[-1] if files else None


def keep(found: Firmware, pin: Pin, write_pin: bool, base: Path = BASE) -> Path:
    """Copy it to build/firmware/ under its right name; `write_pin`: put its SHA-256 into firmware/base.json."""
    KEPT.mkdir(parents=True, exist_ok=True)
    target = KEPT / f"{pin.name}-{found.date.replace('-', '') or 'undated'}-v{found.version or pin.version}.bin"
    if target.resolve() != found.path.resolve():
        target.write_bytes(found.path.read_bytes())
    if write_pin:
        raw = json.loads(base.read_text())
        raw["sha256"] = found.sha256
        base.write_text(json.dumps(raw, indent=2) + "\n")
    return target


def download(pin: Pin, console: Console) -> Path:
    """Fetch the pinned file from the page that lists it. Raises ToolError."""
    console.print(f"looking for {pin.name} v{pin.version} at {pin.page}", soft_wrap=True)
    page = _fetch(pin.page, console, "page").decode(errors="replace")
    pattern = rf'href="([^"]*/{re.escape(pin.name)}-\d{{8}}-v{re.escape(pin.version)}\.bin)"'
    links = sorted(set(re.findall(pattern, page)))
    if not links:
        raise ToolError(f"{pin.page} lists no {pin.name} v{pin.version}; download it by hand and give it as FILE=")
    url = urljoin(pin.page, links[-1])
    KEPT.mkdir(parents=True, exist_ok=True)
    target = KEPT / (url.rpartition("/")[2] + ".part")
    target.write_bytes(_fetch(url, console, target.stem))
    return target


def _fetch(url: str, console: Console, what: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, Progress(console=console, transient=True) as bar:
            total = int(answer.headers.get("Content-Length") or 0) or None
            task = bar.add_task(what, total=total)
            content = b""
            while chunk := answer.read(16384):
                content += chunk
                if len(content) > MAX_SIZE:
                    raise ToolError(f"{url} sends more than {MAX_SIZE:,} bytes: that is no firmware")
                bar.update(task, advance=len(chunk))
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ToolError(
            f"{url} cannot be fetched: {reason}\nWithout a network, download the file elsewhere and give it as FILE="
        ) from error
    return content


def firmware(file: Path | None, write_pin: bool, console: Console) -> Firmware:
    """The command: take `file`, or the kept one, or download it; check, keep, and say what it is. Raises ToolError."""
    pin = pinned()
    source = file or kept(pin) or download(pin, console)
    try:
        found = check(source, pin)
        target = keep(found, pin, write_pin)
    finally:
        if source.suffix == ".part":
            source.unlink()
    console.print(f"{found.build}, MicroPython {found.version or pin.version}, {found.date or 'undated'}")
    console.print(f"{target}  {found.size:,} bytes", soft_wrap=True)
    known = "as pinned" if pin.sha256 else "now pinned" if write_pin else "not pinned; PIN=1 pins it"
    console.print(f"SHA-256 {found.sha256}  ({known})", soft_wrap=True)
    return found
