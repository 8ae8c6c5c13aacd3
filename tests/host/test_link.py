"""The link as a plain TCP proxy: what each fault does to both ends."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.vboard.link import Link

sys.path.append(str(Path(__file__).parents[1] / "e2e"))
from echo_server import EchoServer


@pytest.fixture
def server() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture
def link() -> Iterator[Link]:
    with Link() as link:
        yield link


def dial(link: Link, server: EchoServer, timeout: float = 10) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.forward("127.0.0.1", server.port)), timeout)


def echoed(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return read(client, len(data))


def read(client: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        chunk = client.recv(size - len(got))
        if not chunk:
            break
        got += chunk
    return got


def until(condition: Callable[[], bool], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def silent(client: socket.socket, seconds: float = 0.3) -> bool:
    client.settimeout(seconds)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(10)
    return False


def test_bytes_pass_both_ways_unchanged_and_fin_too(link: Link, server: EchoServer) -> None:
    data = bytes(range(256)) * 4000
    with dial(link, server) as client:
        threading.Thread(target=client.sendall, args=(data,)).start()
        assert read(client, len(data)) == data
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    until(lambda: server.ends == ["FIN"] and link.connections == 0)


def test_one_destination_one_port(link: Link, server: EchoServer) -> None:
    assert link.forward("127.0.0.1", server.port) == link.forward("127.0.0.1", server.port)


def test_delay_is_added_each_way_and_does_not_cost_throughput(link: Link, server: EchoServer) -> None:
    link.delay = 0.1
    with dial(link, server) as client:
        began = time.monotonic()
        assert echoed(client, b"x") == b"x"
        one = time.monotonic() - began
        assert one >= 0.2
        began = time.monotonic()
        for _ in range(20):
            client.sendall(b"x")
            time.sleep(0.001)  # so that they are chunks of their own
        assert read(client, 20) == b"x" * 20
        assert time.monotonic() - began < 20 * 0.2


def test_bandwidth_is_a_limit(link: Link, server: EchoServer) -> None:
    link.bandwidth = 20_000
    with dial(link, server) as client:
        began = time.monotonic()
        assert echoed(client, bytes(10_000)) == bytes(10_000)
        assert time.monotonic() - began >= 0.5


def test_fragments_arrive_one_byte_at_a_time(link: Link) -> None:
    link.fragment = 1
    sizes: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = link.forward("127.0.0.1", listener.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as peer:
            client.sendall(b"fragment" * 8)
            while sum(sizes) < 64:
                sizes.append(len(peer.recv(100)))
    assert len(sizes) > 8  # the kernel may join some


def test_stall_holds_everything_back_and_loses_nothing(link: Link, server: EchoServer) -> None:
    with dial(link, server) as client:
        assert echoed(client, b"one") == b"one"
        link.stall()
        client.sendall(b"two")
        assert silent(client)
        assert bytes(server.received) == b"one"
        link.restore()
        assert read(client, 3) == b"two"


def test_black_hole_loses_what_is_sent_and_nobody_is_told(link: Link, server: EchoServer) -> None:
    with dial(link, server) as client:
        assert echoed(client, b"one") == b"one"
        link.black_hole()
        client.sendall(b"lost")
        assert silent(client)
        with pytest.raises(TimeoutError):
            dial(link, server, 0.5)
        link.restore()
        assert silent(client)  # only a packet would draw an RST
        client.sendall(b"late")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert bytes(server.received) == b"one"
        assert server.ends == []
        with dial(link, server) as again:
            assert echoed(again, b"new") == b"new"


def test_a_syn_during_a_black_hole_gets_through_after_it(link: Link, server: EchoServer) -> None:
    port = link.forward("127.0.0.1", server.port)
    link.black_hole()
    with socket.socket() as client:
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect(("127.0.0.1", port))
        link.restore()
        client.settimeout(10)
        until(lambda: server.connected == 1)
        assert echoed(client, b"hello") == b"hello"


def test_reset_is_an_rst_for_both_sides(link: Link, server: EchoServer) -> None:
    with dial(link, server) as client:
        assert echoed(client, b"one") == b"one"
        link.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    until(lambda: server.ends == ["RST"])


def test_refuse_concerns_new_connections_only(link: Link, server: EchoServer) -> None:
    with dial(link, server) as client:
        assert echoed(client, b"one") == b"one"
        link.refuse()
        with pytest.raises(ConnectionRefusedError):
            dial(link, server)
        assert echoed(client, b"two") == b"two"
        link.restore()
        with dial(link, server) as other:
            assert echoed(other, b"three") == b"three"


def test_a_server_that_is_not_there_resets_the_connection(link: Link) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = link.forward("127.0.0.1", free.getsockname()[1])
        with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), 10) as client:
            client.recv(1)


def test_faults_in_quick_succession_leave_a_working_link(link: Link, server: EchoServer) -> None:
    port = link.forward("127.0.0.1", server.port)
    for _ in range(30):
        for fault in (link.black_hole, link.stall, link.refuse, link.reset, link.restore):
            fault()
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        assert echoed(client, b"works") == b"works"


def test_close_ends_connections_and_thread(server: EchoServer) -> None:
    before = threading.active_count()
    link = Link()
    client = dial(link, server)
    assert echoed(client, b"x") == b"x"
    link.black_hole()
    link.close()
    with client, pytest.raises((ConnectionResetError, ConnectionRefusedError)):
        client.recv(1)
    until(lambda: threading.active_count() <= before + 1)  # the server's own thread for this client ends too
    with pytest.raises(RuntimeError, match="closed"):
        link.forward("127.0.0.1", server.port)
