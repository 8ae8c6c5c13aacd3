"""`make build`: what goes on the chip, as files in build/<target>/, and a report of its sizes.

Targets: `romfs` (base firmware with a ROMFS partition; lib/ runs in place), `littlefs` (any stock firmware; the MQTT
library and the slim node of firmware/slim), `frozen` (lib/ inside a firmware that you build: firmware/manifest.py).
The same input gives the same bytes; image.py builds them, flash.py and deploy.py put them on a board.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tools import image as images
from tools.errors import ToolError
from tools.image import BLOCK, LITTLEFS_OFFSET, ROMFS_OFFSET, ROMFS_SIZE, ROOT, ImageError

TARGETS = ("romfs", "littlefs", "frozen")
SETTINGS = "settings.json"
SLIM_PACKAGES = ("mqtt",)  # what the target littlefs takes of lib/


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

    @property
    def littlefs_free(self) -> int:
        """Bytes of the LittleFS partition's blocks that are not in use."""
        return (
            sum(self.littlefs[at : at + BLOCK] == images.ERASED for at in range(0, len(self.littlefs), BLOCK)) * BLOCK
        )


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
    if flash_size not in images.FLASH_SIZES:
        raise ToolError(f"there is no flash of {flash_size >> 20} MB on these boards; FLASH is 2 or 4")
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
    """lib/ is in the firmware, and LittleFS has the rest. The manifest must name what ROMFS would have; all must compile.

    Private names stay long: those of frozen code are in flash.
    """
    frozen = manifest_files(root / "firmware" / "manifest.py")
    wanted = {path for path in images.device_files(root / "lib") if path.endswith(".py")}
    if set(frozen) != wanted:
        odd = ", ".join(sorted(set(frozen) ^ wanted)[:5])
        raise ToolError(f"firmware/manifest.py and lib/ do not name the same files: {odd}")
    cache = root / "build" / "mpy"
    compiled = {
        path.removesuffix(".py") + ".mpy": images.compile_source(source.read_text(encoding="utf-8"), path, cache)
        for path, source in sorted(frozen.items())
    }
    return compiled, device_files(root, settings)


def _sizes(compiled: Mapping[str, bytes]) -> dict[str, int]:
    packages: dict[str, int] = {}
    for path, content in compiled.items():
        name = path.partition("/")[0].removesuffix(".mpy")
        packages[name] = packages.get(name, 0) + len(content)
    return packages


def manifest_files(manifest: Path) -> dict[str, Path]:
    """What a freeze manifest names with package(): source by path in the firmware. Raises ToolError if one is missing.

    As MicroPython's tools/manifestfile.py reads it, from the manifest's folder.
    """
    found: dict[str, Path] = {}

    def package(name: str, files: Iterable[str] | None = None, base_path: str = ".", opt: int | None = None) -> None:
        top = manifest.parent / base_path / name
        for path in files if files is not None else (p.relative_to(top).as_posix() for p in sorted(top.rglob("*.py"))):
            found[f"{name}/{path}"] = top / path
        if not (top / "__init__.py").exists() or not all(p.exists() for p in found.values()):
            raise ToolError(f"{manifest.name} names the package {name}, which is not in {base_path}")

    def include(path: str) -> None:
        """The board's own manifest; MicroPython's tree is not here."""

    before = Path.cwd()
    os.chdir(manifest.parent)
    try:
        exec(compile(manifest.read_text(), str(manifest), "exec"), {"package": package, "include": include})
    finally:
        os.chdir(before)
    return found


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()


# -- the report


def report(built: Build, console: Console) -> None:
    """Show the sizes, and what has changed since the last report of this target."""
    kept = built.merged.parent / "sizes.json"
    before = _last(kept)
    totals = {
        "all packages": sum(built.packages.values()),
        "files on LittleFS": sum(map(len, built.data.values())),
        "free on LittleFS": built.littlefs_free,
    }
    if built.romfs:
        totals |= {"ROMFS image": len(built.romfs), "free in ROMFS": built.free}
    table = Table("part", "bytes", "change", title=f"target {built.target}, .mpy bytes", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for sizes, old in ((built.packages, before.get("packages", {})), (totals, before.get("totals", {}))):
        for name in sorted({*sizes, *old}) if sizes is built.packages else sizes:
            table.add_row(name, f"{sizes.get(name, 0):,}", _change(old.get(name), sizes.get(name)) if before else "")
        table.add_section()
    console.print(table)
    same = before.get("sha256") == (digest := sha256(built.merged.read_bytes()))
    kept.write_text(json.dumps({"packages": built.packages, "totals": totals, "sha256": digest}))
    console.print(f"flash image  {built.merged}  ({built.flash_size // 1024 // 1024} MB)", soft_wrap=True)
    console.print(f"SHA-256      {digest}{'  (as in the last build)' if same else ''}", soft_wrap=True)
    if built.firmware is not None:
        return
    if built.target == "frozen":
        manifest = ROOT / "firmware" / "manifest.py"
        console.print(
            "lib/ belongs into the firmware. In a checkout of MicroPython, with the ESP8266 toolchain:\n"
            f"  make -C ports/esp8266 BOARD=ESP8266_GENERIC FROZEN_MANIFEST={shlex.quote(str(manifest))}\n"
            "then give what it makes as FILE=.../firmware.bin",
            soft_wrap=True,
        )
    else:
        console.print(
            "No base firmware is in it: get one with `make firmware`, or `make build FILE=...`.", soft_wrap=True
        )


def _last(kept: Path) -> dict[str, Any]:
    """The sizes of the last report, {} if there are none."""
    try:
        return dict(json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        return {}  # there was none, or it was cut short


def _change(old: int | None, now: int | None) -> str:
    if old is None or now is None:
        return "gone" if now is None else "new"
    return f"{now - old:+,}" if now != old else "="
