"""Fixtures of the virtual board: images of a project in a folder with a space in its name, boards that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from echo_server import EchoServer

from tools.image import Image, build_image
from tools.vboard import Board


@pytest.fixture
def make_image(tmp_path: Path) -> Callable[..., Image]:
    """make_image(main=..., boot=..., lib={"node/__init__.py": ...}, files=...) -> a built image."""

    def make(
        main: str = "print('main ran')\n",
        boot: str = "print('boot ran')\n",
        lib: Mapping[str, str] | None = None,
        files: Mapping[str, str | bytes] | None = None,
        name: str = "flash.bin",
    ) -> Image:
        root = tmp_path / "my project"
        for path, text in (lib or {"here.py": "x = 1\n"}).items():
            file = root / "lib" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (root / "boot.py").write_text(boot)
        (root / "main.py").write_text(main)
        return build_image(root / name, {"device": {"name": "demo"}}, root=root, cache=root / "cache", files=files)

    return make


@pytest.fixture
def make_board(make_image: Callable[..., Image]) -> Iterator[Callable[..., Board]]:
    """make_board(main=..., options={...} for Board) -> a board, not yet powered. All are closed at the end."""
    boards: list[Board] = []

    def make(options: Mapping[str, object] | None = None, **parts: object) -> Board:
        boards.append(Board(make_image(**parts), **(options or {})))  # type: ignore[arg-type]
        return boards[-1]

    yield make
    for board in boards:
        board.close()


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()
