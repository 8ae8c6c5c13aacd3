"""The flash image: same input, same bytes; what goes where; what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from littlefs import LittleFS

from tools import image


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "my project"
    (root / "lib" / "node").mkdir(parents=True)
    (root / "boot.py").write_text("print('boot')\n")
    (root / "main.py").write_text("import node\n")
    (root / "lib" / "node" / "__init__.py").write_text("print('node')\n")
    (root / "lib" / "single.py").write_text("x = 1\n")
    return root


def build(root: Path, out: Path, **more: object) -> image.Image:
    return image.build_image(out, root=root, cache=root / "cache", **more)  # type: ignore[arg-type]


def test_same_input_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    first = build(root, tmp_path / "a.bin", settings={"node": {"name": "x"}})
    for kept in (root / "cache").iterdir():
        kept.unlink()  # compiled anew
    second = build(root, tmp_path / "b.bin", settings={"node": {"name": "x"}})
    assert first.path.read_bytes() == second.path.read_bytes()


def test_parts_are_where_the_flash_map_puts_them(root: Path, tmp_path: Path) -> None:
    firmware = tmp_path / "firmware.bin"
    firmware.write_bytes(b"\xe9" * 1000)
    built = build(root, tmp_path / "a.bin", settings={"device": {"name": "a"}}, base_firmware=firmware)
    data = built.path.read_bytes()
    assert len(data) == 4 * 1024 * 1024
    assert data[:1001] == b"\xe9" * 1000 + b"\xff"
    assert data[0xB0000 : 0xB0000 + len(built.romfs)] == built.romfs
    assert image.romfs_size(built.path) == len(built.romfs)
    assert built.romfs[:3] == b"\xd2\xcd\x31"
    system = LittleFS(block_size=4096, block_count=763, mount=False)
    system.context.buffer[:] = data[0x100000 : 0x100000 + 763 * 4096]
    system.mount()
    assert sorted(system.listdir("/")) == ["boot.py", "main.py", "settings.json"]
    with system.open("settings.json", "rb") as file:
        assert json.loads(file.read())["device"] == {"name": "a"}
    assert set(data[-20 * 1024 :]) == {0xFF}


def test_sizes_are_reported_per_package(root: Path, tmp_path: Path) -> None:
    built = build(root, tmp_path / "a.bin")
    assert set(built.packages) == {"node", "single"}
    assert built.files["node/__init__.mpy"] == built.packages["node"] > 20


def test_a_2_mib_flash_has_251_blocks(root: Path, tmp_path: Path) -> None:
    built = build(root, tmp_path / "a.bin", flash_size=2 * 1024 * 1024)
    assert built.littlefs_blocks == 251
    assert built.path.stat().st_size == 2 * 1024 * 1024


def test_a_romfs_that_is_too_large_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "lib" / "page.html").write_bytes(b"x" * (320 * 1024))
    with pytest.raises(image.ImageError, match=r"ROMFS has \d+ bytes, \d+ more than its partition takes"):
        build(root, tmp_path / "a.bin")


def test_files_that_do_not_fit_into_littlefs_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(image.ImageError, match="do not fit"):
        build(root, tmp_path / "a.bin", files={"big": b"x" * 1100000}, flash_size=2 * 1024 * 1024)


def test_a_syntax_error_names_the_file(root: Path, tmp_path: Path) -> None:
    (root / "lib" / "node" / "bad.py").write_text("def f(:\n")
    with pytest.raises(image.ImageError, match=r"node/bad.py does not compile"):
        build(root, tmp_path / "a.bin")


def test_a_base_firmware_that_reaches_into_the_romfs_is_refused(root: Path, tmp_path: Path) -> None:
    firmware = tmp_path / "firmware.bin"
    firmware.write_bytes(b"\xe9" * (0xB0000 + 1))
    with pytest.raises(image.ImageError, match=r"firmware.bin has 720897 bytes"):
        build(root, tmp_path / "a.bin", base_firmware=firmware)


def test_only_changed_files_are_compiled(root: Path, tmp_path: Path) -> None:
    build(root, tmp_path / "a.bin")
    kept = {p.name: p.stat().st_mtime_ns for p in (root / "cache").glob("*.mpy")}
    (root / "lib" / "single.py").write_text("x = 2\n")
    build(root, tmp_path / "a.bin")
    now = {p.name: p.stat().st_mtime_ns for p in (root / "cache").glob("*.mpy")}
    assert len(now) == len(kept) + 1
    assert kept.items() <= now.items()
