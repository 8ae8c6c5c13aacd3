"""The captive DNS over a real socket, asked by dnspython, an implementation that is not ours."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from portal_process import running

NAMES = ["example.com.", "captive.apple.com.", ".", "xn--fiqs8s.", "a" * 63 + ".b.", ".".join(["c" * 49] * 5) + "."]


@pytest.fixture(params=["cpython", "micropython"], scope="module")
def ask(request):
    with running(request.param) as portal:
        yield lambda message: dns.query.udp(message, "127.0.0.1", port=portal.dns_port, timeout=5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("edns", [None, 0])
def test_address_for_every_name(ask, name, edns):
    reply = ask(dns.message.make_query(name, "A", use_edns=edns))
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA and reply.flags & dns.flags.RA
    (answer,) = reply.answer
    assert [item.address for item in answer] == ["127.0.0.1"] and 0 < answer.ttl <= 60
    assert answer.name.to_text() == name and reply.edns == (-1 if edns is None else 0)


@pytest.mark.parametrize("kind", ["AAAA", "HTTPS", "SVCB", "TXT", "MX", "SRV", "PTR", "NS", "SOA", "CNAME"])
def test_empty_answer_for_other_types(ask, kind):
    reply = ask(dns.message.make_query("example.com.", kind, use_edns=0, payload=1232))
    assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and not reply.authority


def test_options_are_accepted(ask):
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    padding = dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(100))
    reply = ask(dns.message.make_query("example.com.", "A", use_edns=0, options=[cookie, padding]))
    assert len(reply.answer) == 1 and not reply.options


def test_unknown_version_and_class(ask):
    assert ask(dns.message.make_query("example.com.", "A", use_edns=1)).rcode() == dns.rcode.BADVERS
    query = dns.message.make_query("version.bind.", "TXT", rdclass=dns.rdataclass.CH)
    assert ask(query).rcode() == dns.rcode.REFUSED


def test_noise_gets_no_reply_and_does_no_harm(ask):
    for size in (0, 1, 11):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            port = ask.__closure__[0].cell_contents.dns_port
            sock.sendto(b"\x80" * size, ("127.0.0.1", port))
    assert len(ask(dns.message.make_query("example.com.", "A")).answer) == 1
