"""The portal over real sockets, on CPython and in the MicroPython VM: size, hostile and slow clients, many loads."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from portal_process import Running, command, environment, receive, running

HERE = Path(__file__).parent
PAGE_MAX = 4096  # bytes, gzipped


@pytest.fixture(params=["cpython", "micropython"])
def portal(request):
    with running(request.param) as it:
        yield it


@pytest.mark.parametrize("scenario", ["fresh", "online", "forty"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_is_small(scenario, language):
    with running("micropython", scenario) as portal:
        body = portal.get(f"/?lang={language}").split(b"\r\n\r\n", 1)[1]
    size = len(gzip.compress(body, 9))
    print(f"{scenario} {language}: {len(body)} B, {size} B gzipped")
    assert body.rstrip().endswith(b"</script>") and b"://" not in body
    assert size <= PAGE_MAX
    if scenario == "forty":
        assert body.count(b'type="radio"') == 21


def test_request_in_single_bytes_and_glued(portal: Running):
    body = b"token=x&sure=on"
    head = f"POST /reset HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nContent-Length: {len(body)}\r\n"
    whole = head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body
    with portal.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(whole)):
            sock.sendall(whole[at : at + 1])
        single = receive(sock)
    assert single.startswith(b"HTTP/1.1 403") and portal.send(whole).startswith(b"HTTP/1.1 403")


def test_expect_continue_is_answered(portal: Running):
    head = f"POST /reset HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nContent-Length: 7\r\nExpect: 100-continue\r\n"
    with portal.connect() as sock:
        sock.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"token=x")
        assert receive(sock).startswith(b"HTTP/1.1 403")


def test_megabyte_post_is_refused_and_the_answer_arrives(portal: Running):
    head = f"POST /save HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nContent-Length: 1000000\r\n"
    with portal.connect() as sock:
        sock.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        try:
            sock.sendall(b"a" * 1000000)
            answer = receive(sock)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""  # cut while sending
        assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    with portal.connect() as sock:
        sock.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + b"a" * 10000)
        assert receive(sock).startswith(b"HTTP/1.1 413")
    assert portal.get().startswith(b"HTTP/1.1 200")


def test_spare_connections_of_a_browser_do_not_block(portal: Running):
    spare = [portal.connect() for _ in range(4)]
    begin = time.monotonic()
    assert portal.get().startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begin < 5
    for sock in spare:
        sock.close()


@pytest.mark.parametrize(
    ("interpreter", "times"), [("micropython", 1), pytest.param("cpython", 5, marks=pytest.mark.soak)]
)
def test_fifty_slow_clients_do_not_lock_a_user_out(interpreter, times):
    with running(interpreter) as portal:
        among_slow_clients(portal, times)


def among_slow_clients(portal: Running, times: int) -> None:
    stop = threading.Event()

    def trickle() -> None:
        """One byte now and then, and a new connection as soon as the old one is cut."""
        while not stop.is_set():
            try:
                with portal.connect(2) as sock:
                    for byte in b"GET / HTTP/1.1\r\nX: " + b"a" * 1000:
                        sock.sendall(bytes((byte,)))
                        if stop.wait(0.2):
                            return
            except OSError:
                stop.wait(0.05)

    clients = [threading.Thread(target=trickle) for _ in range(50)]
    for client in clients:
        client.start()
    try:
        for _ in range(times):
            answer = b""
            deadline = time.monotonic() + 120
            while not answer.startswith(b"HTTP/1.1 200"):
                assert time.monotonic() < deadline, "no answer among slow clients"
                try:
                    answer = portal.get()
                except OSError:
                    continue  # as a browser does: try again
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert portal.get().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_a_connection_that_is_looked_at_before_its_first_step_is_served(interpreter):
    with running(interpreter, "slow") as portal:
        for _ in range(5):
            with portal.connect() as first:  # keeps the guard awake; the second one gets the other slot
                first.sendall(b"GET /progress HTTP/1.1\r\n")
                time.sleep(0.3)  # both slots have been idle for longer than a request may take: never used
                assert portal.get("/progress").startswith(b"HTTP/1.1 200")
                first.sendall(f"Host: 127.0.0.1:{portal.port}\r\n\r\n".encode())
                assert receive(first).startswith(b"HTTP/1.1 200")


def test_a_request_that_never_ends_is_timed_out():
    with running("micropython") as portal, portal.connect(20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert receive(sock).startswith(b"HTTP/1.1 408")


def test_a_client_that_reads_nothing_and_one_that_vanishes_are_survived(portal: Running):
    for _ in range(5):
        sock = portal.connect()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n\r\n".encode())
        sock.close()  # resets
    assert portal.get().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize(("scenario", "status"), [("broken", 500), ("full", 503)])
def test_a_fault_in_a_page_or_no_memory_for_it_ends_only_that_answer(interpreter, scenario, status):
    with running(interpreter, scenario) as portal:
        for _ in range(3):
            answer = portal.get()
            assert answer.startswith(b"HTTP/1.1 %d " % status) and b"Retry-After" in answer
        assert portal.get("/progress").startswith(b"HTTP/1.1 200")


def loads(count: int, heap: str) -> str:
    """Runs portal_loads.py in the VM; its output."""
    done = subprocess.run(
        command("micropython", str(HERE / "portal_loads.py"), str(count), heap=heap),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )
    output = done.stdout + done.stderr  # the VM's launcher has no exit code
    assert "loads, heap grew by" in output and "Traceback" not in output, output
    return done.stdout


def test_page_loads_leave_no_heap_behind():
    print(loads(300, "400k"))


@pytest.mark.soak
@pytest.mark.timeout(1000)
def test_five_thousand_page_loads_leave_no_heap_behind():
    print(loads(5000, "400k"))
