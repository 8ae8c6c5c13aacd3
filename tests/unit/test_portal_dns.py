"""The captive DNS: what it answers to every kind of datagram. tests/host/test_portal_dnspython.py asks it with dnspython."""

import random

from portal.dns import answer

OWN = b"\xc0\xa8\x04\x01"
NAME = b"\x07example\x03com\x00"


def ask(query):
    reply = bytearray(300)
    return bytes(reply[: answer(query, reply, OWN)])


def query(kind=1, class_=1, *, flags=b"\1\0", counts=b"\0\1\0\0\0\0\0\0", name=NAME, tail=b""):
    return b"\x12\x34" + flags + counts + name + bytes((kind >> 8, kind & 255, class_ >> 8, class_ & 255)) + tail


def code(reply):
    return reply[3] & 15


OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
ONE_MORE = b"\x00\x01\x00\x00\x00\x00\x00\x01"


def test_a_query_gets_own_address_with_a_short_time_to_live():
    reply = ask(query())
    assert reply[:4] == b"\x12\x34\x85\x80"
    assert reply[4:12] == b"\x00\x01\x00\x01\x00\x00\x00\x00"
    assert reply[12:29] == query()[12:]
    assert reply[29:] == b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04" + OWN


def test_other_types_get_no_error_and_no_answer():
    for kind in (28, 65, 64, 5, 2, 16, 12, 33, 0, 257, 65535):
        reply = ask(query(kind))
        assert code(reply) == 0 and reply[7] == 0 and len(reply) == 29, kind


def test_any_gets_the_address():
    assert ask(query(255))[-4:] == OWN


def test_class_other_than_internet_is_refused():
    assert code(ask(query(class_=3))) == 5


def test_edns_is_answered_with_edns():
    reply = ask(query(counts=ONE_MORE, tail=OPT))
    assert code(reply) == 0 and reply[7] == 1 and reply[11] == 1
    assert reply[-11:] == b"\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00"


def test_unknown_edns_version_gets_badvers():
    reply = ask(query(counts=ONE_MORE, tail=OPT[:6] + b"\x01" + OPT[7:]))
    assert reply[7] == 0 and reply[11] == 1 and reply[-6] == 1


def test_two_opt_records_are_a_format_error():
    assert code(ask(query(counts=b"\x00\x01\x00\x00\x00\x00\x00\x02", tail=OPT + OPT))) == 1


def test_responses_and_short_datagrams_are_dropped():
    assert ask(query(flags=b"\x81\x80")) == b""
    for n in range(12):
        assert ask(query()[:n]) == b""


def test_other_opcodes_are_not_implemented():
    reply = ask(query(flags=b"\x28\x00"))
    assert code(reply) == 4 and len(reply) == 12 and reply[2] & 0x78 == 0x28


def test_not_exactly_one_question_is_a_format_error():
    for counts in (
        b"\0\0\0\0\0\0\0\0",
        b"\0\2\0\0\0\0\0\0",
        b"\xff\xff\0\0\0\0\0\0",
        b"\0\1\0\1\0\0\0\0",
        b"\0\1\0\0\0\1\0\0",
    ):
        reply = ask(query(counts=counts))
        assert code(reply) == 1 and len(reply) == 12


def test_compression_loops_and_cut_names_are_format_errors():
    for name in (b"\xc0\x0c", b"\x03abc\xc0\x0c", b"\x40" + b"a" * 64 + b"\0", b"\x80\0", b"\x3f" + b"a" * 10):
        assert code(ask(query(name=name))) == 1, name
    whole = query()
    for n in range(12, len(whole)):
        assert code(ask(whole[:n])) == 1, n


def test_longest_name_fits_and_a_longer_one_is_a_format_error():
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
    assert len(longest) == 255
    reply = ask(query(name=longest, counts=ONE_MORE, tail=OPT))
    assert code(reply) == 0 and len(reply) == 298
    assert code(ask(query(name=b"\x01a" + longest))) == 1


def test_noise_never_raises_and_replies_are_well_formed():
    random.seed(4)
    base = query(counts=ONE_MORE, tail=OPT)
    for turn in range(3000):
        data = bytearray(base)
        for _ in range(1 + random.getrandbits(3)):
            data[random.getrandbits(16) % len(data)] = random.getrandbits(8)
        reply = ask(bytes(data[: random.getrandbits(16) % (len(data) + 1)] if turn & 1 else data))
        assert reply == b"" or (len(reply) >= 12 and reply[2] & 0x80 and reply[:2] == bytes(data[:2]))
