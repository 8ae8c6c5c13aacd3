"""A second host for real: a phone in a network namespace of its own whose only resolver and neighbour is the node.

The node and the phone are two namespaces joined by a veth pair, with the chip's addresses and the real ports 53 and 80.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "host"))
from portal_browser import ARGUMENTS, CHROMIUM, needs_chromium
from portal_process import UNIT, command, environment

NODE = f"node{os.getpid()}"
PHONE = f"phone{os.getpid()}"


def can_make_namespaces() -> bool:
    if not shutil.which("ip") or os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_make_namespaces(), reason="network namespaces need root and program ip")

# Runs on the phone: resolves and asks, and prints what it got.
ASK = """
import json, socket, sys, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *a): return None
opener = urllib.request.build_opener(Stay)
answers = []
for url in sys.argv[1:]:
    host = url.split("/")[2]
    addresses = sorted({a[4][0] for a in socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)})
    try:
        reply = opener.open(url, timeout=10)
    except urllib.error.HTTPError as e:
        reply = e
    answers.append([addresses, reply.status, reply.headers.get("Location"), reply.read().decode()])
print(json.dumps(answers))
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@pytest.fixture(scope="module")
def phone():
    """Runs a command on the phone; the node's portal is up."""
    resolv = Path("/etc/netns") / PHONE / "resolv.conf"
    process = None
    try:
        for name in (NODE, PHONE):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", NODE, "link", "add", "ap", "type", "veth", "peer", "name", "wlan0", "netns", PHONE)
        for name, device, address in ((NODE, "ap", "192.168.4.1/24"), (PHONE, "wlan0", "192.168.4.2/24")):
            ip("-n", name, "address", "add", address, "dev", device)
            ip("-n", name, "link", "set", device, "up")
        resolv.parent.mkdir(parents=True)
        resolv.write_text("nameserver 192.168.4.1\noptions timeout:2 attempts:5\n")
        line = command("micropython", str(UNIT / "portal_node.py"), "80", "53", "fresh", "192.168.4.1")
        process = subprocess.Popen(["ip", "netns", "exec", NODE, *line], env=environment())

        def run(*arguments: str, timeout: float = 60) -> str:
            done = subprocess.run(
                ["ip", "netns", "exec", PHONE, *arguments],
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        deadline = time.monotonic() + 20
        probe = "import socket; socket.create_connection(('192.168.4.1', 80), 2)"
        while subprocess.run(
            ["ip", "netns", "exec", PHONE, sys.executable, "-c", probe], capture_output=True, check=False
        ).returncode:
            assert process.poll() is None and time.monotonic() < deadline, "the portal does not answer"
        yield run
        assert process.poll() is None, "the portal ended by itself"
    finally:
        if process is not None:
            process.kill()
            process.wait()
        for name in (NODE, PHONE):
            subprocess.run(["ip", "netns", "del", name], check=False)
        if resolv.exists():
            resolv.unlink()
            resolv.parent.rmdir()


def test_names_resolve_to_the_node_and_probes_lead_to_the_page(phone):
    urls = [
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://nmcheck.gnome.org/check_network_status.txt",
        "http://captive.apple.com/hotspot-detect.html",
        "http://www.msftconnecttest.com/connecttest.txt",
        "http://detectportal.firefox.com/canonical.html",
        "http://anything.example/deep/path?x=y",
    ]
    for addresses, status, location, body in json.loads(phone(sys.executable, "-c", ASK, *urls)):
        assert addresses == ["192.168.4.1"] and status == 302
        assert location == "http://192.168.4.1/" and location in body


def test_https_fails_fast(phone):
    code = "import socket,time\nt=time.monotonic()\ntry: socket.create_connection(('www.google.com',443),10)\n"
    code += "except ConnectionRefusedError: print(time.monotonic()-t < 2)"
    assert phone(sys.executable, "-c", code).strip() == "True"


@needs_chromium
def test_a_browser_on_the_phone_ends_at_the_page(phone, tmp_path):
    assert CHROMIUM is not None
    for url in (
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://nmcheck.gnome.org/check_network_status.txt",
    ):
        page = phone(
            CHROMIUM,
            "--headless",
            *ARGUMENTS,
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=3000",
            "--dump-dom",
            url,
        )
        assert "Save and connect" in page and 'name="network.ssid_hex"' in page
