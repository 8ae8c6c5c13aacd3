"""`make deploy` over the pty: what is sent, what is left alone, boards that resist, and ampy."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_world import FLASH, Cable, Project, deploy, factory_image, files_on, partitions_on, romfs_on
from rich.console import Console

from tools import wire
from tools.build import build
from tools.errors import ToolError
from tools.image import build_littlefs
from tools.vboard import Board

BUSY = "import time\n    while True:\n        time.sleep_ms(50)\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "my project")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board with base firmware only."""
    with Board(factory_image(tmp_path / "flash.bin")) as board:
        yield board


def versions(board: Board, since: int = 0) -> list[str]:
    log = board.wait_for(" end\n", since=since)
    return log[log.rindex("versions ") : log.rindex(" end\n")].split()[1:]


def test_from_empty_then_nothing_then_the_one_file_that_changed(project: Project, board: Board) -> None:
    board.power_on()
    first = deploy(board, project.build())
    assert versions(board) == ["1", "1", "1"]
    assert set(first.sent) >= {"boot.py", "main.py", "update.py", "/rom/node/__init__.mpy", "/rom/sensors/s0.mpy"}
    assert first.unchanged == 0

    mark = board.mark()
    again = deploy(board, project.build())
    assert (again.sent, again.bytes) == ([], 0)
    assert versions(board, mark) == ["1", "1", "1"]

    mark = board.mark()
    project.write("lib/sensors/__init__.py", "VERSION = '2'\n")
    one = deploy(board, project.build())
    assert one.sent == ["/rom/sensors/__init__.mpy"]
    assert one.bytes < 1000 < len(project.build().romfs)
    assert versions(board, mark) == ["1", "1", "2"]

    mark = board.mark()
    main = (project.root / "main.py").read_text()
    project.write("main.py", main.replace("'1'", "'3'"))
    assert deploy(board, project.build()).sent == ["main.py"]
    assert versions(board, mark) == ["3", "1", "2"]


def test_from_empty_it_leaves_the_merged_image_byte_for_byte(project: Project, board: Board) -> None:
    """As `make flash ALL=1` does, see test_flash.py."""
    board.power_on()
    built = project.build(settings=b'{"device": {"name": "x"}}')
    deploy(board, built)
    versions(board)
    board.power_off()
    assert partitions_on(board.flash) == partitions_on(built.merged)
    assert files_on(board.flash) == built.data


def test_with_wipe_it_does_so_on_any_board(project: Project, tmp_path: Path) -> None:
    image = factory_image(tmp_path / "flash.bin", {"settings.json": b"mine", "data/log.txt": b"x" * 90_000})
    with image.open("r+b") as file:  # a ROMFS of which nothing shall stay
        file.seek(0xB0000)
        file.write(b"\xd2\xcd\x31" + b"old" * 100_000)
    with Board(image) as board:
        board.power_on()
        built = project.build()
        assert set(deploy(board, built, wipe=True).sent) == {*built.data, *(f"/rom/{path}" for path in built.files)}
        versions(board)
        board.power_off()
    assert partitions_on(image) == partitions_on(built.merged)


def test_after_an_update_romfs_is_that_of_the_merged_image_and_littlefs_has_its_files(
    project: Project, board: Board
) -> None:
    """LittleFS puts files where its blocks are least worn; how they lie there is its business."""
    board.power_on()
    project.write("lib/sensors/long.py", f"text = {'long' * 5000!r}\n")
    deploy(board, project.build())
    versions(board)
    (project.root / "lib" / "sensors" / "long.py").unlink()
    project.version("2")
    built = project.build()
    mark = board.mark()
    deploy(board, built)
    versions(board, mark)
    board.power_off()
    rom = slice(0, 0x100000 - 0xB0000)
    assert partitions_on(board.flash)[rom] == partitions_on(built.merged)[rom]
    assert files_on(board.flash) == files_on(built.merged) == built.data


def test_files_that_are_gone_from_the_project_are_gone_from_the_board(project: Project, board: Board) -> None:
    board.power_on()
    deploy(board, project.build())
    (project.root / "lib" / "sensors" / "s3.py").unlink()
    deploy(board, project.build())
    built = project.build()
    versions(board, board.mark() - 60)
    board.power_off()
    assert romfs_on(board.flash, len(built.romfs)) == built.romfs
    assert "sensors/s3.mpy" not in built.files


def test_settings_on_the_board_stay_unless_others_are_given(project: Project, tmp_path: Path) -> None:
    image = factory_image(tmp_path / "flash.bin", {"settings.json": b"mine", "data/log.txt": b"mine too"})
    with Board(image) as board:
        board.power_on()
        deploy(board, project.build())
        assert {"settings.json": b"mine", "data/log.txt": b"mine too"}.items() <= files_on(image).items()
        assert deploy(board, project.build(settings=b"given")).sent == ["settings.json"]
        assert files_on(image)["settings.json"] == b"given"


def test_a_node_with_the_watchdog_on_is_stopped_in_time(project: Project, board: Board) -> None:
    project.node = "import machine, time\n    w = machine.WDT()\n    while True:\n        w.feed(); time.sleep_ms(50)\n"
    project.version("1")
    board.power_on()
    deploy(board, project.build())
    versions(board)
    resets = list(board.resets)
    mark = board.mark()
    project.version("2")
    deploy(board, project.build())
    assert versions(board, mark) == ["2", "2", "2"]
    assert 3 not in board.resets[len(resets) :], "the watchdog has bitten"


def test_a_board_that_makes_noise_while_it_boots(project: Project, tmp_path: Path) -> None:
    noise = (
        b"import sys\nfor i in range(60):\n    sys.stdout.buffer.write(bytes(range(5, 256)) + b'\\x04>OK\\x01\\x04')\n"
    )
    with Board(factory_image(tmp_path / "flash.bin", {"boot.py": noise, "main.py": noise})) as board:
        board.power_on()
        deploy(board, project.build())
        assert versions(board) == ["1", "1", "1"]


def test_a_board_in_a_tight_loop(project: Project, tmp_path: Path) -> None:
    with Board(factory_image(tmp_path / "flash.bin", {"main.py": b"print('loop')\nwhile True:\n    pass\n"})) as board:
        board.power_on()
        board.wait_for("loop")
        deploy(board, project.build())
        assert versions(board) == ["1", "1", "1"]


def test_a_board_that_answers_late_is_not_misread(board: Board) -> None:
    """It answers each try, also those that were given up."""
    board.power_on()
    board.wait_for(">>> ")
    quiet = Console(file=io.StringIO())
    with wire.Wire(board.console_path) as line:
        line.take(quiet)
        line._line.write(b"\r\x01" * 3)  # three more banners are under way
        assert line._in_step()
        assert line.run("print(6*7)") == "42\n"
        line._line.write(b"\r\x03\x03\r\x01" * 2)
        line.take(quiet)
        assert line.run("print(6*7)") == "42\n"


def test_a_board_that_swallows_ctrl_c_needs_a_hand_at_its_reset_button(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "NUDGE", 0.5)
    stuck = b"print('stuck')\nwhile 1:\n try:\n  while 1:\n   pass\n except KeyboardInterrupt:\n  pass\n"
    slow = b"import time\ntime.sleep_ms(200)\n"  # the chip takes so long from reset to main.py
    with Board(factory_image(tmp_path / "flash.bin", {"boot.py": slow, "main.py": stuck})) as board:
        board.power_on()
        board.wait_for("stuck")
        hand = threading.Timer(2.5, board.reset)
        hand.start()
        try:
            deploy(board, project.build())
        finally:
            hand.cancel()
        assert versions(board) == ["1", "1", "1"]


def test_a_board_that_never_answers_is_said(project: Project, board: Board) -> None:
    with wire.Wire(board.console_path) as line, pytest.raises(ToolError, match=r"did not give its prompt in 2 s"):
        line.take(wire.Console(file=open("/dev/null", "w")), patience=2)  # noqa: SIM115


def test_a_full_file_system_is_said_and_nothing_changes(project: Project, tmp_path: Path) -> None:
    image = factory_image(
        tmp_path / "flash.bin", {"big.bin": b"x" * 980_000, "main.py": b"print('versions old end')\n"}
    )
    with Board(image) as board:
        board.power_on()
        with pytest.raises(
            ToolError, match=r"file system is full: .* bytes are free, .* are needed[\s\S]*Nothing has changed"
        ):
            deploy(board, project.build())
        board.power_off()
        before = {"big.bin", "main.py", "boot.py"}
        assert set(files_on(image)) - {"stay"} == before
        board.power_on()
        assert versions(board) == ["old"]


def test_firmware_without_romfs_is_said(project: Project, tmp_path: Path) -> None:
    stock = b"import vfs\ndel vfs.rom_ioctl\n"
    with Board(factory_image(tmp_path / "flash.bin", {"boot.py": stock})) as board:
        board.power_on()
        with pytest.raises(ToolError, match=r"has no ROMFS partition.*\n?.*TARGET=littlefs"):
            deploy(board, project.build())


def test_firmware_without_a_frozen_node_is_said(project: Project, board: Board) -> None:
    manifest = 'for n in ("node", "sensors"):\n    package(n, base_path="../lib")\n'
    project.write("firmware/manifest.py", manifest)
    board.power_on()
    built = build("frozen", project.root / "out", root=project.root, flash_size=FLASH)
    with pytest.raises(ToolError, match=r"has no node frozen into it: make flash TARGET=frozen"):
        deploy(board, built)


def test_ampy_does_the_files_on_littlefs(project: Project, board: Board) -> None:
    board.power_on()
    deploy(board, project.build())
    versions(board)
    mark = board.mark()
    project.version("2")
    done = deploy(board, project.build(), tool="ampy")
    assert done.sent == ["main.py"]
    assert versions(board, mark) == ["2", "1", "1"]
    assert deploy(board, project.build(), tool="ampy").sent == []


def test_the_real_mpremote_writes_the_same_romfs(project: Project, board: Board, tmp_path: Path) -> None:
    built = project.build()
    (tmp_path / "rom.romfs").write_bytes(built.romfs)
    board.power_on()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mpremote",
            "connect",
            board.console_path,
            "romfs",
            "deploy",
            str(tmp_path / "rom.romfs"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "ROMFS image deployed" in done.stdout, done.stdout + done.stderr
    board.power_off()
    assert romfs_on(board.flash, len(built.romfs)) == built.romfs
    assert len(build_littlefs({}, FLASH)) == 251 * 4096


def test_the_command_says_what_it_did(project: Project, board: Board) -> None:
    board.power_on()
    deploy(board, project.build())
    cable = Cable(board)
    try:
        missing = subprocess.run(
            [sys.executable, "-m", "tools", "deploy", "--port", "/dev/no-such-port"],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        cable.close()
    assert missing.returncode == 1
    assert "there is no port /dev/no-such-port" in missing.stderr
