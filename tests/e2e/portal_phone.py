"""A phone that only speaks HTTP, on the access point of a node without a network; the real image in the chip's heap."""

from __future__ import annotations

import html
import re
import socket
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.broker import free_port
from tools.image import build_image
from tools.vboard import Board

PATIENCE = 90  # s, on a busy machine: two restarts, a network, a broker


@contextmanager
def fresh_node(folder: Path, **board: Any) -> Iterator[tuple[Board, Phone]]:
    """A node with a sensor and without a network, still off, and a phone for its page."""
    port = free_port()
    settings = {
        "device": {"name": "fresh", "web_port": port},
        "wifi": {"ap_address": "127.0.0.1"},
        "sensors": [{"type": "sim", "period": 3600}],
    }
    with Board(build_image(folder / "flash.bin", settings), speed=4, **board) as made:
        yield made, Phone(port)


class Phone:
    """On the node's access point."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.port = port

    def ask(self, head: str, body: str = "") -> str:
        """The answer, or "" where there is none now: the node restarts."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 20) as sock:
                sock.sendall(f"{head}\r\nHost: {self.host}\r\nConnection: close\r\n\r\n{body}".encode())
                return b"".join(iter(lambda: sock.recv(4096), b"")).decode()
        except OSError:
            return ""

    def page(self, *wanted: str) -> str:
        """The page, once it has one of these words."""
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.ask("GET /?lang=en HTTP/1.1")
            if any(word in text for word in wanted):
                return html.unescape(text)
            assert time.monotonic() < deadline, f"none of {wanted} on the page: {text[-3000:]}"
            time.sleep(0.3)

    def save(self, **fields: str) -> None:
        token = re.search(r'name="?token"? value="?([^">]+)', self.page('name="token"', "name=token"))
        assert token
        body = urllib.parse.urlencode({"token": token[1], **{n.replace("_", ".", 1): v for n, v in fields.items()}})
        head = f"POST /save HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
        assert self.ask(head, body).startswith("HTTP/1.1 303")
