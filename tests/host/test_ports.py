"""Which serial port: the only one, the chosen one, or a word on what is missing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from rich.prompt import IntPrompt

from tools import ports
from tools.errors import ToolError

QUIET = Console(file=io.StringIO())


def there(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, int | None, int | None]) -> None:
    made = [SimpleNamespace(device=d, vid=v, pid=p, serial_number="") for d, v, p in found]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: made)


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
        made.append(str(tmp_path / name))
    return made


def test_the_only_board_is_taken_and_others_are_passed_over(monkeypatch: pytest.MonkeyPatch, two: list[str]) -> None:
    there(monkeypatch, ("/dev/ttyS0", None, None), (two[1], 0x1234, 0x5678), (two[0], 0x1A86, 0x7523))
    assert ports.choose("", QUIET) == two[0]


def test_none_is_said_with_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, ("/dev/ttyS0", None, None))
    with pytest.raises(ToolError, match=r"no board found.*\n?.*many only charge"):
        ports.choose("", QUIET)
    with pytest.raises(ToolError, match="no board found"):
        ports.show(QUIET)


def test_a_board_without_a_driver_is_said_with_the_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As below /sys/bus/usb/devices: 1-1 has a CH340 and no port, 1-2 a CP2102 with one, 1-3 is a mouse."""
    for name, vendor, product in (("1-1", "1a86", "7523"), ("1-2", "10c4", "ea60"), ("1-3", "046d", "c077")):
        (tmp_path / name / f"{name}:1.0").mkdir(parents=True)
        (tmp_path / name / "idVendor").write_text(vendor + "\n")
        (tmp_path / name / "idProduct").write_text(product + "\n")
    (tmp_path / "1-2" / "1-2:1.0" / "ttyUSB0").mkdir()
    (tmp_path / "usb1").mkdir()
    (said,) = ports.without_driver(tmp_path)
    assert "a CH340" in said and "sudo modprobe ch341" in said and "brltty" in said
    there(monkeypatch)
    monkeypatch.setattr(ports, "without_driver", lambda: [said])
    with pytest.raises(ToolError, match=r"a driver is missing\na CH340"):
        ports.choose("", QUIET)


def test_several_are_a_choice_in_a_terminal_and_a_list_elsewhere(
    monkeypatch: pytest.MonkeyPatch, two: list[str]
) -> None:
    there(monkeypatch, (two[0], 0x10C4, 0xEA60), (two[1], 0x1A86, 0x7523))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(ToolError, match=r"several boards; say which one with PORT=\n.*CP2102.*\n.*CH340"):
        ports.choose("", QUIET)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(IntPrompt, "ask", lambda *_, **__: 2)
    assert ports.choose("", QUIET) == two[1]


def test_a_missing_port_and_one_that_may_not_be_used(monkeypatch: pytest.MonkeyPatch, two: list[str]) -> None:
    there(monkeypatch, (two[0], 0x10C4, 0xEA60))
    with pytest.raises(ToolError, match=f"there is no port /dev/none; .* {two[0]}"):
        ports.choose("/dev/none", QUIET)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ToolError, match=r"you may not use .*dialout"):
        ports.choose(two[0], QUIET)
