"""What the tests of the virtual board share: a project in a folder with a space in its name, boards that end, an echo server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tools.image import Image, build_image
from tools.vboard import Board

KEEP = "import node\nnode.main()\n"


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
        return build_image(root / name, {"node": {}}, root=root, cache=root / "cache", files=files)

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


class EchoServer:
    """Echoes on 127.0.0.1; `received` is all that came, `ends` how each connection ended: "FIN" or "RST"."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ends: list[str] = []
        self.connected = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._clients.append(client)
            self.connected += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            while data := client.recv(4096):
                self.received += data
                client.sendall(data)
            self.ends.append("FIN")
        except OSError:
            self.ends.append("RST")

    def close(self) -> None:
        self._listener.close()
        for client in self._clients:
            client.close()


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()
