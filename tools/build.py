"""`make build`: what goes on the chip, as files in build/<target>/, and a report of its sizes.

Targets: `romfs` (base firmware with a ROMFS partition; lib/ runs in place), `littlefs` (any stock firmware; the MQTT
library and the slim node of firmware/slim), `frozen` (lib/ inside a firmware that you build: firmware/manifest.py).
The same input gives the same bytes; image.py builds them, flash.py and deploy.py put them on a board.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools import image as images
from tools.errors import ToolError
from tools.image import LITTLEFS_OFFSET, ROMFS_OFFSET, ROMFS_SIZE, ROOT, ImageError

TARGETS = ("romfs", "littlefs", "frozen")
SETTINGS = "settings.json"
SLIM_PACKAGES = ("mqtt",)  # what the target littlefs takes of lib/
FLASH_MB = {size // 1024 // 1024: size for size in images.FLASH_SIZES}


@dataclass
class Build:
    """What was built. romfs: unpadded, empty for target littlefs. littlefs: the whole partition.

    files: the files of the ROMFS by path. data: the files of LittleFS by path. packages: bytes of .mpy by package.
    merged: the flash image's file, with the base firmware in it if `firmware` is not None.
    """

    target: str
    flash_size: int
    romfs: bytes
    littlefs: bytes
    files: dict[str, bytes]
    data: dict[str, bytes]
    packages: dict[str, int]
    merged: Path
    firmware: Path | None

    @property
    def free(self) -> int:
        """Bytes left in the ROMFS partition."""
        return ROMFS_SIZE - len(self.romfs)


def device_files(root: Path, settings: bytes | None, start: Path | None = None) -> dict[str, bytes]:
    """LittleFS without lib/: boot.py, main.py (of the folder `start`, if given) and what they need, settings.json."""
    sources = [root / "boot.py", (start or root) / "main.py", *sorted((root / "firmware" / "device").glob("*.py"))]
    files = {path.name: path.read_bytes() for path in sources if path.exists()}
    return files if settings is None else {**files, SETTINGS: settings}


def build(
    target: str = "romfs",
    out: Path | None = None,
    *,
    settings: bytes | None = None,
    flash_size: int = images.FLASH_SIZES[1],
    firmware: Path | None = None,
    root: Path = ROOT,
) -> Build:
    """Build `target` into the folder `out` (default: build/<target>). Raises ToolError.

    settings: content of settings.json; without it none is built. firmware: put at 0, checked by the caller.
    """
    if target not in TARGETS:
        raise ToolError(f"there is no target {target!r}; choose one of: {', '.join(TARGETS)}")
    if target == "frozen" and firmware is not None:
        raise ToolError("target frozen has no base firmware: lib/ goes into the one that you build")
    try:
        compiled, data = {"romfs": _romfs, "littlefs": _slim, "frozen": _frozen}[target](root, settings)
        files = compiled if target == "romfs" else {}
        romfs = images.build_romfs(files) if files else b""
        whole, littlefs = merge(romfs, data, firmware, flash_size)
        out = out or root / "build" / target
        out.mkdir(parents=True, exist_ok=True)
        (out / "flash.bin").write_bytes(whole)
        (out / "littlefs.img").write_bytes(littlefs)
        if romfs:
            (out / "romfs.img").write_bytes(romfs)
    except (ImageError, OSError) as error:
        raise ToolError(str(error)) from error
    return Build(target, flash_size, romfs, littlefs, files, data, _sizes(compiled), out / "flash.bin", firmware)


def merge(romfs: bytes, data: Mapping[str, bytes], firmware: Path | None, flash_size: int) -> tuple[bytes, bytes]:
    """The flash image of `flash_size` bytes, and its LittleFS partition. Raises ImageError."""
    whole = bytearray(b"\xff" * flash_size)
    if firmware is not None:
        content = firmware.read_bytes()
        most = ROMFS_OFFSET if romfs else LITTLEFS_OFFSET
        if len(content) > most:
            raise ImageError(f"{firmware.name} has {len(content)} bytes, it ends at most at {most}")
        whole[: len(content)] = content
    whole[ROMFS_OFFSET : ROMFS_OFFSET + len(romfs)] = romfs
    littlefs = images.build_littlefs(data, flash_size)
    whole[LITTLEFS_OFFSET : LITTLEFS_OFFSET + len(littlefs)] = littlefs
    return bytes(whole), littlefs


_Content = tuple[dict[str, bytes], dict[str, bytes]]  # compiled files by path in lib/, files of LittleFS by path


def _romfs(root: Path, settings: bytes | None) -> _Content:
    return images.compile_tree(root / "lib", root / "build" / "mpy"), device_files(root, settings)


def _slim(root: Path, settings: bytes | None) -> _Content:
    """All on LittleFS, below /lib: such firmware has no ROMFS, so bytecode costs RAM and only a slim node fits."""
    tree = images.compile_tree(root / "lib", root / "build" / "mpy")
    compiled = {path: content for path, content in tree.items() if path.partition("/")[0] in SLIM_PACKAGES}
    data = device_files(root, settings, root / "firmware" / "slim")
    return compiled, data | {f"lib/{path}": content for path, content in compiled.items()}


def _frozen(root: Path, settings: bytes | None) -> _Content:
    """lib/ is in the firmware, and LittleFS has the rest. All must compile, and the manifest must name it all."""
    frozen = manifest_packages(root / "firmware" / "manifest.py")
    there = {p.name for p in (root / "lib").iterdir() if (p / "__init__.py").exists()}
    if frozen != there:
        odd = ", ".join(sorted(frozen ^ there))
        raise ToolError(f"firmware/manifest.py and lib/ do not name the same packages: {odd}")
    return images.compile_tree(root / "lib", root / "build" / "mpy"), device_files(root, settings)


def _sizes(compiled: Mapping[str, bytes]) -> dict[str, int]:
    packages: dict[str, int] = {}
    for path, content in compiled.items():
        name = path.partition("/")[0].removesuffix(".mpy")
        packages[name] = packages.get(name, 0) + len(content)
    return packages


def manifest_packages(manifest: Path) -> set[str]:
    """The packages that a freeze manifest names with package(). Raises ToolError if one is not where it says."""
    found: set[str] = set()

    def package(name: str, base_path: str = ".", opt: int | None = None) -> None:
        if not (manifest.parent / base_path / name / "__init__.py").exists():
            raise ToolError(f"{manifest.name} names the package {name}, which is not in {base_path}")
        found.add(name)

    def include(path: str) -> None:
        """The board's own manifest; MicroPython's tree is not here."""

    exec(compile(manifest.read_text(), str(manifest), "exec"), {"package": package, "include": include})
    return found


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()


# -- the report


def report(built: Build, console: Console) -> None:
    """Show the sizes, and what has changed since the last report of this target."""
    kept = built.merged.parent / "sizes.json"
    sizes = {**built.packages, "LittleFS files": sum(map(len, built.data.values()))}
    before: dict[str, int] = {}
    if kept.exists():
        try:
            before = json.loads(kept.read_text())
        except ValueError:
            kept.unlink()  # of a build that was cut short
    table = Table("part", "bytes", "change", title=f"target {built.target}", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for name in sorted({*sizes, *before}):
        now, old = sizes.get(name, 0), before.get(name)
        change = "" if old == now else "new" if old is None else f"{now - old:+d}"
        table.add_row(name, f"{now:,}", change if before else "")
    table.add_section()
    table.add_row("all packages", f"{sum(built.packages.values()):,}", "")
    if built.romfs:
        table.add_row("ROMFS image", f"{len(built.romfs):,}", "")
        table.add_row("free in ROMFS", f"{built.free:,}", "")
    console.print(table)
    kept.write_text(json.dumps(sizes))
    console.print(f"flash image  {built.merged}  ({built.flash_size // 1024 // 1024} MB)", soft_wrap=True)
    console.print(f"SHA-256      {sha256(built.merged.read_bytes())}", soft_wrap=True)
    if built.target == "frozen":
        manifest = ROOT / "firmware" / "manifest.py"
        console.print(
            "lib/ belongs into the firmware. In a checkout of MicroPython, with the ESP8266 toolchain:\n"
            f"  make -C ports/esp8266 BOARD=ESP8266_GENERIC FROZEN_MANIFEST={manifest}",
            soft_wrap=True,
        )
    elif built.firmware is None:
        console.print("No base firmware is in it: get one with `make firmware`, or `make build FILE=...`.")
