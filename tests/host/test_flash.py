"""`make flash` with the real esptool against the boot loader stand-in: what is written, and what is refused, and when."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.fake_firmware import firmware
from tools.build import Build, build
from tools.errors import ToolError
from tools.flash import SAFE, flash
from tools.vboard.bootloader import BootLoader, Faults

MB = 1024 * 1024


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.bin"
    path.write_bytes(firmware(size=100_000))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "lib" / "node").mkdir(parents=True)
    (root / "lib" / "node" / "__init__.py").write_text("print('node')\n")
    (root / "boot.py").write_text("pass\n")
    (root / "main.py").write_text("import node\n")
    return root


def write(chip: BootLoader, base: Path, **more: object) -> str:
    out = io.StringIO()
    flash(chip.path, base, Console(file=out, width=200), reset=False, **more)  # type: ignore[arg-type]
    return out.getvalue()


def builder(project: Path, base: Path, most: int = 4 * MB) -> object:
    def make(size: int) -> Build:
        return build(out=project / "out", root=project, firmware=base, flash_size=min(size, most))

    return make


@pytest.mark.parametrize("size", [2 * MB, 4 * MB])
def test_all_leaves_the_merged_image_byte_for_byte(tmp_path: Path, project: Path, base: Path, size: int) -> None:
    image = tmp_path / "flash.bin"
    image.write_bytes(b"\x5a" * size)  # of an earlier owner
    with BootLoader(image, flash_size=size) as chip:
        said = write(chip, base, build=builder(project, base))
    merged = bytearray((project / "out" / "flash.bin").read_bytes())
    found = bytearray(image.read_bytes())
    # esptool puts the size of the flash into the header; the base firmware's own MD5 leaves these bytes out.
    assert found[3] >> 4 == {2 * MB: 3, 4 * MB: 4}[size]
    merged[3] = found[3]
    assert found == merged
    assert f"{size // MB}MB of flash" in said
    assert "MAC 18:fe:34:12:34:56" in said
    assert "verified by MD5" in said


def test_of_a_larger_flash_4_mb_are_used(tmp_path: Path, project: Path, base: Path) -> None:
    image = tmp_path / "flash.bin"
    with BootLoader(image, flash_size=16 * MB) as chip:
        said = write(chip, base, build=builder(project, base, 4 * MB))
    assert "16MB of flash" in said
    found, merged = bytearray(image.read_bytes()), (project / "out" / "flash.bin").read_bytes()
    assert found[3] >> 4 == 4, "the firmware must look for the end of LittleFS where the image has it"
    found[3] = merged[3]
    assert found[: 4 * MB] == merged and set(found[4 * MB :]) == {0xFF}


def test_without_the_stub_the_boot_rom_writes(tmp_path: Path, base: Path) -> None:
    image = tmp_path / "flash.bin"
    with BootLoader(image) as chip:
        said = write(chip, base, stub=False)
        assert 0x10 not in chip.commands and 0x03 in chip.commands
    assert image.read_bytes()[4:100_000] == base.read_bytes()[4:]
    assert "verified" not in said.replace("nothing can be verified", "")


def test_an_esp32_is_refused_before_anything_is_erased(tmp_path: Path, base: Path) -> None:
    with (
        BootLoader(tmp_path / "flash.bin", chip="ESP32") as chip,
        pytest.raises(ToolError, match=r"is an ESP32; this firmware is for the ESP8266. Nothing was erased"),
    ):
        write(chip, base)
    assert chip.erased == chip.written == 0


def test_a_chip_with_512_kb_is_refused_before_anything_is_erased(tmp_path: Path, base: Path) -> None:
    with (
        BootLoader(tmp_path / "flash.bin", flash_size=MB // 2) as chip,
        pytest.raises(ToolError, match=r"its flash has 512KB, at least 2MB are needed .*Nothing was erased"),
    ):
        write(chip, base)
    assert chip.erased == chip.written == 0


def test_a_short_write_is_found_and_said(tmp_path: Path, base: Path) -> None:
    with (
        BootLoader(tmp_path / "flash.bin", faults=Faults(lose=4)) as chip,
        pytest.raises(ToolError, match=r"what was written is not what is in the flash[\s\S]*flash it again"),
    ):
        write(chip, base, baud=SAFE)


def test_a_block_that_arrives_damaged_is_sent_again(tmp_path: Path, base: Path) -> None:
    image = tmp_path / "flash.bin"
    with BootLoader(image, faults=Faults(broken_blocks=2)) as chip:
        write(chip, base, baud=SAFE)
    assert image.read_bytes()[4:100_000] == base.read_bytes()[4:]


def test_a_line_that_damages_everything_is_said(tmp_path: Path, base: Path) -> None:
    with (
        BootLoader(tmp_path / "flash.bin", faults=Faults(broken_blocks=1000)) as chip,
        pytest.raises(ToolError, match="the line damages what is sent"),
    ):
        write(chip, base, baud=SAFE)


def test_a_line_that_is_too_slow_is_tried_at_115200(tmp_path: Path, base: Path) -> None:
    image = tmp_path / "flash.bin"
    with BootLoader(image, faults=Faults(max_baud=SAFE)) as chip:
        said = write(chip, base)
    assert "once more, at 115200 baud" in said
    assert image.read_bytes()[4:100_000] == base.read_bytes()[4:]


def test_a_port_where_nobody_answers_is_said(tmp_path: Path, base: Path) -> None:
    with (
        BootLoader(tmp_path / "flash.bin", faults=Faults(silent=True)) as chip,
        pytest.raises(ToolError, match=r"no chip in boot loader mode answers at .*it says nothing"),
    ):
        write(chip, base)


def test_no_such_port_is_said(base: Path) -> None:
    with pytest.raises(ToolError, match="there is no such port"):
        flash("/dev/no-such-port", base, Console(file=io.StringIO()))


def test_a_cable_pulled_while_writing_is_said_and_flashing_again_mends_it(tmp_path: Path, base: Path) -> None:
    image = tmp_path / "flash.bin"
    with BootLoader(image, faults=Faults(cut_after=12_000)) as chip, pytest.raises(ToolError, match="flash it again"):
        write(chip, base, baud=SAFE)
    with BootLoader(image) as chip:
        write(chip, base, baud=SAFE)
    assert image.read_bytes()[4:100_000] == base.read_bytes()[4:]
