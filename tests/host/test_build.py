"""`make build`: three targets, the same bytes each time, and a report that says what has changed."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from littlefs import LittleFS
from rich.console import Console

from tests.fake_firmware import firmware
from tools import build as builder
from tools.build import build
from tools.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of its own, in a folder with a space in its name."""
    root = tmp_path / "my project"
    for name in ("mqtt", "node"):
        (root / "lib" / name).mkdir(parents=True)
        (root / "lib" / name / "__init__.py").write_text(f"print('{name}')\n")
    for folder in ("device", "slim"):
        (root / "firmware" / folder).mkdir(parents=True)
    (root / "firmware" / "device" / "update.py").write_text("x = 1\n")
    (root / "firmware" / "slim" / "main.py").write_text("import mqtt\n")
    (root / "firmware" / "manifest.py").write_text(
        'include("x")\nfor n in ("mqtt", "node"):\n    package(n, base_path="../lib")\n'
    )
    (root / "boot.py").write_text("pass\n")
    (root / "main.py").write_text("import node\n")
    return root


def files(littlefs: bytes) -> dict[str, bytes]:
    """What a LittleFS image holds, by path."""
    system = LittleFS(block_size=4096, block_count=len(littlefs) // 4096, mount=False)
    system.context.buffer[:] = littlefs
    system.mount()
    found = {}
    for folder, _, names in system.walk("/"):
        for name in names:
            path = f"{folder}/{name}".lstrip("/")
            with system.open(path, "rb") as file:
                found[path] = file.read()
    return found


@pytest.mark.parametrize("target", builder.TARGETS)
def test_building_twice_gives_the_same_bytes(root: Path, target: str) -> None:
    first = build(target, root / "one", root=root, settings=b"{}").merged.read_bytes()
    for kept in (root / "build" / "mpy").iterdir():
        kept.unlink()  # compiled anew
    second = build(target, root / "two", root=root, settings=b"{}").merged.read_bytes()
    assert builder.sha256(first) == builder.sha256(second)


def test_romfs_has_lib_in_its_partition_and_the_start_files_on_littlefs(root: Path) -> None:
    made = build("romfs", root=root, settings=b'{"a":1}')
    assert made.romfs[:3] == b"\xd2\xcd\x31"
    assert set(made.packages) == {"mqtt", "node"}
    whole = made.merged.read_bytes()
    assert whole[0xB0000 : 0xB0000 + len(made.romfs)] == made.romfs
    assert whole[0x100000 : 0x100000 + 763 * 4096] == made.littlefs
    assert files(made.littlefs) == made.data
    assert set(made.data) == {"boot.py", "main.py", "update.py", "settings.json"}


def test_littlefs_has_the_mqtt_library_and_the_slim_node(root: Path) -> None:
    made = build("littlefs", root=root)
    assert set(files(made.littlefs)) == {"boot.py", "main.py", "update.py", "lib/mqtt/__init__.mpy"}
    assert files(made.littlefs)["main.py"] == b"import mqtt\n"
    assert made.romfs == b"" and set(made.merged.read_bytes()[:0x100000]) == {0xFF}


def test_the_bytes_do_not_depend_on_where_the_project_is(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "elsewhere")
    here, there = (build("romfs", root=folder, settings=b"{}").merged for folder in (root, tmp_path / "elsewhere"))
    assert here.read_bytes() == there.read_bytes()


def test_frozen_checks_the_manifest_against_lib(root: Path) -> None:
    assert set(build("frozen", root=root).data) == {"boot.py", "main.py", "update.py"}
    (root / "lib" / "wifi").mkdir()
    (root / "lib" / "wifi" / "__init__.py").write_text("")
    with pytest.raises(ToolError, match=r"do not name the same files: wifi/__init__.py"):
        build("frozen", root=root)
    (root / "firmware" / "manifest.py").write_text('package("gone", base_path="../lib")\n')
    with pytest.raises(ToolError, match="names the package gone"):
        build("frozen", root=root)


@pytest.mark.parametrize("target", builder.TARGETS)
def test_this_project_builds_for_each_target(tmp_path: Path, target: str) -> None:
    made = build(target, tmp_path / "out")
    assert made.packages["mqtt"] > 5000
    assert "update.py" in made.data
    assert made.free > 0


def test_the_base_firmware_is_at_the_start(root: Path) -> None:
    base = root / "base.bin"
    base.write_bytes(firmware(size=70_000))
    made = build("romfs", root=root, firmware=base, flash_size=2 << 20)
    assert made.merged.stat().st_size == 2 << 20
    assert made.merged.read_bytes()[:70_001] == base.read_bytes() + b"\xff"
    base.write_bytes(b"\xe9" * 0xB0001)
    with pytest.raises(ToolError, match=r"base.bin has 720897 bytes"):
        build("romfs", root=root, firmware=base)


def test_what_cannot_be_built_is_said(root: Path) -> None:
    with pytest.raises(ToolError, match="there is no target 'esp32'; choose one of: romfs, littlefs, frozen"):
        build("esp32", root=root)
    with pytest.raises(ToolError, match="no flash of 3 MB on these boards; FLASH is 2 or 4"):
        build("romfs", root=root, flash_size=3 << 20)
    (root / "lib" / "node" / "bad.py").write_text("def f(:\n")
    with pytest.raises(ToolError, match=r"node/bad.py does not compile"):
        build("romfs", root=root)


def test_the_report_shows_sizes_and_changes_since_the_last_build(root: Path) -> None:
    def reported() -> str:
        out = io.StringIO()
        builder.report(build("romfs", root=root), Console(file=out, width=120))
        return out.getvalue()

    first = reported()
    assert "free in ROMFS" in first and "SHA-256" in first and "No base firmware" in first
    (root / "lib" / "node" / "__init__.py").write_text("print('node', 1)\n")
    (root / "lib" / "wifi").mkdir()
    (root / "lib" / "wifi" / "__init__.py").write_text("")
    second = [line.split() for line in reported().splitlines()]
    rows = {line[1]: line for line in second if len(line) > 4}
    assert rows["node"][5].startswith("+")
    assert rows["wifi"][5] == "new"
    assert rows["mqtt"][5] == "="
    assert "as in the last build" not in first and "as in the last build" in reported()
    (root / "lib" / "wifi" / "__init__.py").unlink()
    assert re.search(r"wifi +│ +0 │ +gone", reported())
