"""Why new settings do not work: every reason that the page knows, of a real node with the chip's heap, as its page words it.

A phone that only speaks HTTP: it reads the form, sends it, and reads the page again until the outcome is there.
"""

from __future__ import annotations

import html
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tools.board_run import BROKER_NAME
from tools.image import build_image
from tools.vboard import Board

PATIENCE = 90  # s, on a busy machine: two restarts, a network, a broker
SSID, KEY = "home", "secret123"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def broker_that_says(answer: bytes) -> Iterator[int]:
    """A port where whoever sends something gets `answer`, and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as open_ones:

        def serve() -> None:
            while True:
                try:
                    sock = open_ones.enter_context(server.accept()[0])
                    if sock.recv(1024):
                        sock.sendall(answer)
                except OSError:
                    if server.fileno() < 0:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join()


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
        text = ""
        while not any(word in text for word in wanted):
            assert time.monotonic() < deadline, f"none of {wanted} on the page: {text[-3000:]}"
            time.sleep(0.3)
            text = self.ask("GET /?lang=en HTTP/1.1")
        return html.unescape(text)

    def save(self, **fields: str) -> None:
        token = re.search(r'name="?token"? value="?([^">]+)', self.page('name="token"', "name=token"))
        assert token
        body = urllib.parse.urlencode({"token": token[1], **{n.replace("_", ".", 1): v for n, v in fields.items()}})
        head = f"POST /save HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
        assert self.ask(head, body).startswith("HTTP/1.1 303")


CASES = {
    # what is wrong: (of the network, of the broker, step, reason on the page)
    "no such network": ({"ssid": "elsewhere"}, {}, "WiFi", "this network is not in range"),
    "no address": ({"dhcp": False}, {}, "Address", "the router gave no address"),
    "no such name": ({}, {"host": "nowhere.test"}, "Find the broker", "no such broker name"),
    "nobody there": ({}, {}, "Find the broker", "the broker does not answer"),
    "client id": ({}, {"answer": b"\x20\x02\x00\x02"}, "Log in", "client id refused"),
    "unavailable": ({}, {"answer": b"\x20\x02\x00\x03"}, "Log in", "the broker is not available"),
    "bad login": ({}, {"answer": b"\x20\x02\x00\x04"}, "Log in", "wrong user or password"),
    "no TLS": (
        {},
        {"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls": "on"},
        "Find the broker",
        "no TLS connection",
    ),
}


@pytest.mark.parametrize(("network", "broker", "step", "reason"), CASES.values(), ids=CASES)
def test_the_page_says_which_step_failed_and_why(
    tmp_path: Path, network: dict, broker: dict, step: str, reason: str
) -> None:
    port = free_port()
    settings = {
        "device": {"name": "fresh", "web_port": port},
        "wifi": {"ap_address": "127.0.0.1"},
        "sensors": [{"type": "sim", "period": 2}],
    }
    image = build_image(tmp_path / "flash.bin", settings)
    with ExitStack() as stack:
        at = stack.enter_context(broker_that_says(broker["answer"])) if "answer" in broker else free_port()
        board = stack.enter_context(Board(image, names={BROKER_NAME: ("127.0.0.1", at)}, speed=4))
        board.air.add(SSID, KEY, dhcp=network.get("dhcp", True))
        board.power_on()
        phone = Phone(port)
        fields = {"network_ssid": network.get("ssid", SSID), "network_key": KEY}
        fields |= {"broker_host": broker.get("host", BROKER_NAME), "broker_port": "1883"}
        phone.save(**fields, **({"broker_tls": broker["tls"]} if "tls" in broker else {}))
        page = phone.page("old settings are still in use", "are saved")
        told = re.sub(r"\s*<[^>]*>\s*", " ", page[page.index('role="alert">') :].partition("</ol>")[0])
        assert re.search(f"✗ {step}.*{reason}", told), f"{told}\n{board.log}"
        assert "Traceback" not in board.log
