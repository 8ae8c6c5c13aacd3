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
