"""`make run PORTAL=1`: a fresh node, its page's address and code, set up by a form; readings; Ctrl-C leaves nothing."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.processes import ROOT, environment, left_behind
from tools.board_run import BROKER_NAME, KEY, SSID


def answer_of(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(request.encode())
        return b"".join(iter(lambda: sock.recv(4096), b"")).decode()


@pytest.mark.soak
def test_a_node_is_set_up_and_its_readings_come(tmp_path: Path) -> None:
    mark = str(tmp_path)
    run = subprocess.Popen(
        [sys.executable, "-m", "tools", "run"],
        env=environment(mark, PORTAL="1"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(120, run.kill)
    guard.start()
    try:
        assert run.stdout
        seen = ""
        while "The readings come when" not in seen:
            line = run.stdout.readline()
            assert line, seen
            seen += line
        found = re.search(r"page +http://127\.0\.0\.1:(\d+)/", seen)
        assert found and "▄" in seen and KEY in seen  # the code for a phone
        port = int(found[1])
        choice = f'name="network.ssid_hex" value="{SSID.encode().hex()}"'
        while choice not in (page := answer_of(port, f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")):
            time.sleep(0.3)  # the scan
        token = re.search(r'name="token" value="(\w+)"', page)
        assert token
        form = {"network.ssid_hex": SSID.encode().hex(), "network.key": KEY, "cloud.platform": "plain"}
        body = urlencode({"token": token[1], **form, "broker.host": BROKER_NAME})
        head = f"POST /save HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        assert answer_of(port, head + kind + body).startswith("HTTP/1.1 303")
        while "/telemetry {" not in (line := run.stdout.readline()):
            assert line, "the run ended without a reading"
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 0
        assert left_behind(mark) == []
    finally:
        guard.cancel()
        run.kill()
        run.wait(10)
