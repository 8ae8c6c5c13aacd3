"""The look at the gateway: never blocks, asks a valid DNS question, believes any answer."""

import socket

from wifi import gateway


class Answering:
    """Stands for `socket.socket` with a peer that answers after some polls, or never."""

    def __init__(self, after=None, unreachable=False):
        self.after, self.unreachable = after, unreachable
        self.sent, self.blocking, self.closed = [], True, False

    def __call__(self, family, kind):
        assert (family, kind) == (socket.AF_INET, socket.SOCK_DGRAM)
        return self

    def getaddrinfo(self, host, port):
        return [(None, None, None, "", (host, port))]

    def setblocking(self, on):
        self.blocking = on

    def sendto(self, data, address):
        if self.unreachable:
            raise OSError(113)
        self.sent.append((data, address))

    def recv(self, size):
        if self.after is None or self.after > 0:
            self.after = None if self.after is None else self.after - 1
            raise OSError(11)
        return b"\x6d\x71\x81\x82"

    def close(self):
        self.closed = True


def probe_with(peer, *hosts):
    real = gateway.socket
    gateway.socket = peer
    peer.AF_INET, peer.SOCK_DGRAM, peer.socket = socket.AF_INET, socket.SOCK_DGRAM, peer
    try:
        return gateway.Probe(*hosts)
    finally:
        gateway.socket = real


def test_asks_gateway_and_name_server_again_and_again_and_sees_the_answer():
    peer = Answering(after=5)
    probe = probe_with(peer, "10.0.0.1", "9.9.9.9")
    assert not peer.blocking
    answers = [probe.poll() for _ in range(6)]
    assert answers == [False] * 5 + [True]
    assert [address for _, address in peer.sent] == [("10.0.0.1", 53), ("9.9.9.9", 53)] * 2
    probe.close()
    assert peer.closed


def test_one_question_when_the_gateway_is_the_name_server():
    peer = Answering()
    probe = probe_with(peer, "10.0.0.1", "10.0.0.1")
    assert not probe.poll()
    assert len(peer.sent) == 1
    question = peer.sent[0][0]
    assert len(question) == 17 and question[4:6] == b"\x00\x01" and question[12:] == b"\x00\x00\x02\x00\x01"


def test_no_route_is_no_answer():
    assert not probe_with(Answering(unreachable=True), "10.0.0.1", "9.9.9.9").poll()


def test_real_socket_does_not_block():
    probe = gateway.Probe("127.0.0.1", "127.0.0.1")
    assert not probe.poll()
    probe.close()
