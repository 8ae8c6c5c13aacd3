"""Why new settings do not work: every reason that the page knows, of a real node with the chip's heap, as its page words it.

The phone reads the form, sends it, and reads the page again until the outcome is there.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from portal_phone import fresh_node

from tools.board_run import BROKER_NAME
from tools.broker import free_port

SSID, KEY = "home", "secret123"


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
    with ExitStack() as stack:
        at = stack.enter_context(broker_that_says(broker["answer"])) if "answer" in broker else free_port()
        board, phone = stack.enter_context(fresh_node(tmp_path, names={BROKER_NAME: ("127.0.0.1", at)}))
        board.air.add(SSID, KEY, dhcp=network.get("dhcp", True))
        board.power_on()
        fields = {"network_ssid": network.get("ssid", SSID), "network_key": KEY}
        fields |= {"broker_host": broker.get("host", BROKER_NAME), "broker_port": "1883"}
        phone.save(**fields, **({"broker_tls": broker["tls"]} if "tls" in broker else {}))
        page = phone.page("old settings are still in use", "are saved")
        told = re.sub(r"\s*<[^>]*>\s*", " ", page[page.index('role="alert">') :].partition("</ol>")[0])
        assert re.search(f"✗ {step}.*{reason}", told), f"{told}\n{board.log}"
        assert "Traceback" not in board.log
