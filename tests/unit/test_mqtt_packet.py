"""The codec: every packet in and out, byte for byte as in the standard; every malformed one refused by name."""

import mqtt
from check import raises
from mqtt import ProtocolError, Will, matches, opening, packet, request, text
from mqtt.packet import Decoder, put_publish


def decode(data, size=256):
    """A decoder that was given `data`, after its first next()."""
    rx = Decoder(size)
    fill(rx, data)
    return rx, rx.next()


def fill(rx, data):
    room = rx.room()
    count = min(len(room), len(data))
    room[:count] = data[:count]
    rx.end += count
    return data[count:]


def client(**kwargs):
    return mqtt.Client(kwargs.pop("client_id", "id"), "host", **kwargs)


# --- out


def test_connect_with_nothing_but_an_identifier():
    data = opening.connect_packet(client())
    assert data == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id"


def test_connect_with_everything():
    c = client(
        user="u\xe9",
        password=b"\x00p",
        keepalive=65535,
        clean_session=False,
        will=Will("w/t", "bye", qos=2, retain=True),
    )
    assert opening.connect_packet(c) == (
        b"\x10\x21\x00\x04MQTT\x04\xf4\xff\xff\x00\x02id\x00\x03w/t\x00\x03bye\x00\x03u\xc3\xa9\x00\x02\x00p"
    )


def test_connect_flags_of_every_combination():
    for user in (None, "u"):
        for password in (None, "p"):
            if password and not user:
                continue
            for will_qos in (None, 0, 1, 2):
                for retain in (False, True):
                    for clean in (False, True):
                        will = None if will_qos is None else Will("t", b"", will_qos, retain)
                        c = client(user=user, password=password, clean_session=clean, will=will)
                        want = (2 if clean else 0) | (0x80 if user else 0) | (0x40 if password else 0)
                        if will:
                            want |= 4 | will_qos << 3 | (0x20 if retain else 0)
                        assert opening.connect_packet(c)[9] == want


def test_empty_user_and_password_are_sent():
    data = opening.connect_packet(client(user="", password=""))
    assert data[9] == 0xC2 and data[-4:] == b"\0\0\0\0"


def test_remaining_length_at_its_edges():
    for size, head in (
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16383, b"\xff\x7f"),
        (16384, b"\x80\x80\x01"),
        (65536, b"\x80\x80\x04"),
    ):
        data = opening.packet(0x10, bytes(size))
        assert data[:1] == b"\x10" and data[1 : 1 + len(head)] == head and len(data) == 1 + len(head) + size


def test_publish_of_each_qos():
    buf = bytearray(64)
    assert bytes(buf[: put_publish(buf, 0x30, b"a/b", 0, b"hi")]) == b"\x30\x07\x00\x03a/bhi"
    assert bytes(buf[: put_publish(buf, 0x33, b"a/b", 258, b"hi")]) == b"\x33\x09\x00\x03a/b\x01\x02hi"
    assert bytes(buf[: put_publish(buf, 0x3C, b"a", 65535, b"")]) == b"\x3c\x05\x00\x01a\xff\xff"


def test_publish_larger_than_the_buffer_leaves_its_payload_out():
    buf = bytearray(64)
    end = put_publish(buf, 0x32, b"topic", 7, bytes(200))
    assert end == -(3 + 2 + 5 + 2) and bytes(buf[:-end]) == b"\x32\xd1\x01\x00\x05topic\x00\x07"


def test_publish_around_each_length_of_the_remaining_length():
    buf = bytearray(20000)
    for size in (122, 123, 124, 125, 126, 127, 128, 16377, 16378, 16379, 16380, 16381, 16382, 16383, 16384):
        payload = bytes(size)
        end = put_publish(buf, 0x30, b"t", 0, payload)
        rx = Decoder(20000)
        fill(rx, bytes(buf[:end]))
        first = rx.next()
        assert first == 0x30 and rx.publish(first).payload == payload and rx.start == rx.end


def test_subscribe_and_unsubscribe_bodies():
    assert request.body([(b"a", 1), (b"b/#", 2)]) == b"\x00\x01a\x01\x00\x03b/#\x02"
    assert request.body([b"a", b"b/#"]) == b"\x00\x01a\x00\x03b/#"


# --- in


def test_publish_in():
    for data, want, pid in (
        (b"\x30\x03\x00\x01a", ("a", b"", 0, False, False), 0),
        (b"\x31\x05\x00\x01ahi", ("a", b"hi", 0, True, False), 0),
        (b"\x32\x07\x00\x01a\x00\x05hi", ("a", b"hi", 1, False, False), 5),
        (b"\x3d\x07\x00\x01a\xff\xffhi", ("a", b"hi", 2, True, True), 65535),
        (b"\x30\x09\x00\x05\xc2\xb0C/xhi", ("\xb0C/x", b"hi", 0, False, False), 0),
        (b"\x30\x06\x00\x04\xf0\x9f\x98\x80", ("\U0001f600", b"", 0, False, False), 0),
    ):
        rx, first = decode(data)
        assert first == data[0]
        message = rx.publish(first)
        assert tuple(message) == want and message.topic == want[0] and message.dup is want[4]
        assert (rx.pid if first & 6 else 0) == pid


def test_acknowledgements_in():
    for first in (0x40, 0x50, 0x62, 0x70, 0xB0):
        rx, got = decode(bytes((first, 2, 1, 2)))
        assert got == first and rx.pid == 258
    rx, got = decode(b"\xd0\x00")
    assert got == 0xD0
    rx, got = decode(b"\x90\x05\x00\x01\x00\x02\x80")
    assert got == 0x90 and rx.pid == 1 and bytes(rx.buf[rx.pos + 2 : rx.pos + rx.size]) == b"\x00\x02\x80"
    rx, got = decode(b"\x20\x02\x01\x00")
    assert got == 0x20


def test_several_packets_in_one_read_and_one_in_many():
    stream = b"\xd0\x00\x40\x02\x00\x01\x30\x05\x00\x01ahi\x62\x02\x00\x09"
    for step in (1, 2, 3, 5, 7, len(stream)):
        rx = Decoder(64)
        kinds = []
        for at in range(0, len(stream), step):
            rest = stream[at : at + step]
            while rest:
                rest = fill(rx, rest)
                while True:
                    first = rx.next()
                    if not first:
                        break
                    kinds.append(first)
                    if first == 0x30:
                        assert rx.publish(first).payload == b"hi"
        assert kinds == [0xD0, 0x40, 0x30, 0x62]


def test_due_is_never_more_than_the_packet_needs():
    stream = b"\x32\x07\x00\x01a\x00\x05hi\xd0\x00"
    rx = Decoder(64)
    at = 0
    found = 0
    while at < len(stream):
        first = rx.next()
        if first:
            found += 1
            continue
        count = rx.due
        assert 1 <= count <= len(stream) - at
        fill(rx, stream[at : at + count])
        at += count
    assert found == 1 and rx.next() == 0xD0


def test_malformed_packets_are_refused_by_name():
    for data, word in (
        (b"\x00\x00", "unknown packet"),
        (b"\x05\x00", "unknown packet"),
        (b"\x10\x00", "unknown packet"),
        (b"\x82\x00", "unknown packet"),
        (b"\xa2\x00", "unknown packet"),
        (b"\xc0\x00", "unknown packet"),
        (b"\xe0\x00", "unknown packet"),
        (b"\xf0\x00", "unknown packet"),
        (b"\x21\x02", "unknown packet"),
        (b"\x41\x02", "unknown packet"),
        (b"\x52\x02", "unknown packet"),
        (b"\x60\x02", "unknown packet"),
        (b"\x63\x02", "unknown packet"),
        (b"\x78\x02", "unknown packet"),
        (b"\x92\x03", "unknown packet"),
        (b"\xb1\x02", "unknown packet"),
        (b"\xd1\x00", "unknown packet"),
        (b"\x36\x05", "QoS 3"),
        (b"\x3e\x05", "QoS 3"),
        (b"\x38\x05", "DUP"),
        (b"\x30\xff\xff\xff\xff\x01", "remaining length"),
        (b"\x40\x80\x80\x80\x80\x00", "remaining length"),
        (b"\x20\x03", "body of 3"),
        (b"\x40\x00", "body of 0"),
        (b"\x40\x03", "body of 3"),
        (b"\x90\x02", "body of 2"),
        (b"\xb0\x04", "body of 4"),
        (b"\xd0\x01", "body of 1"),
        (b"\x30\x00", "body of 0"),
        (b"\x30\x02", "body of 2"),
        (b"\x40\x02\x00\x00", "identifier 0"),
        (b"\x62\x02\x00\x00", "identifier 0"),
        (b"\x90\x03\x00\x00\x00", "identifier 0"),
        (b"\x90\xff\xff\x7f", "more than the buffer"),
        (b"\x30\xff\xff\x03\xff\xff", "topic longer"),
    ):
        fault = raises(ProtocolError, decode, data)
        assert word in str(fault), (data, fault)


def test_malformed_publish_is_refused_by_name():
    for data, word in (
        (b"\x30\x03\x00\x02a", "topic longer"),
        (b"\x30\x05\xff\xffabc", "topic longer"),
        (b"\x32\x03\x00\x01a", "topic longer"),
        (b"\x32\x04\x00\x01a\x00", "topic longer"),
        (b"\x32\x05\x00\x01a\x00\x00", "identifier 0"),
        (b"\x34\x05\x00\x01a\x00\x00", "identifier 0"),
        (b"\x30\x05\x00\x00abc", "bad topic"),
        (b"\x30\x05\x00\x03a/+", "bad topic"),
        (b"\x30\x05\x00\x03a/#", "bad topic"),
        (b"\x30\x05\x00\x03a\x00b", "bad topic"),
        (b"\x30\x05\x00\x03\xff\xfe\xc0", "bad topic"),
        (b"\x30\x05\x00\x03\xed\xa0\x80", "bad topic"),
        (b"\x30\x04\x00\x02\xc0\x80", "bad topic"),
        (b"\x30\x05\x00\x03ab\xc3", "bad topic"),
    ):
        rx, first = decode(data)
        fault = raises(ProtocolError, rx.publish, first)
        assert word in str(fault), (data, fault)


def test_a_length_of_268_mb_costs_nothing():
    rx = Decoder(64)
    fill(rx, b"\x30\xff\xff\xff\x7f\x00\x01a")
    assert rx.next() == 0x30 and rx.publish(0x30).topic == "a"
    assert rx.left == 0x0FFFFFFF - 3 and len(rx.buf) == 64


def test_a_large_message_without_a_topic_is_refused():
    for first in (0x30, 0x32):
        rx, kind = decode(bytes((first,)) + b"\xb8\xad\x00\x00\x00\x00\x07", 64)
        assert kind == first
        assert "bad topic" in str(raises(ProtocolError, rx.publish, kind))


def test_a_topic_larger_than_the_buffer():
    rx = Decoder(64)
    fill(rx, b"\x32\x90\x4e\x03\xe8" + b"t" * 59)
    assert rx.next() == 0x32
    assert rx.size == 0 and rx.left == 10000 and rx.pid == 1002


# --- text


def test_utf8_table():
    for raw in (b"", b"abc", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80"):
        assert text.is_utf8(raw), raw
    for raw in (b"\xef\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", b"a\xe4\xb8\xad\xe6\x96\x87z"):
        assert text.is_utf8(raw), raw
    for raw in (
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc2",
        b"\xc2\x41",
        b"\xc2\xc0",
        b"\xe0\x9f\xbf",
        b"\xe1\x80",
        b"\xe1\x80\x41",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf1\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
    ):
        assert not text.is_utf8(raw), raw


def test_topic_names():
    for topic in ("a", "/", "//", " ", "$SYS/x", "a/b c", "\xb0C", "\u4e2d\u6587", "\U0001f600", "x" * 65535):
        assert text.topic_bytes(topic, "topic") == topic.encode()
        assert packet.is_topic(topic.encode(), len(topic))
    for topic, word in (
        ("", "empty"),
        ("+", "wildcard"),
        ("a/#", "wildcard"),
        ("a+b", "wildcard"),
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        ("x" * 65536, "65535"),
        ("\xb0" * 32768, "65535"),
    ):
        fault = raises(ValueError, text.topic_bytes, topic, "topic")
        assert word in str(fault) and "topic" in str(fault), fault
        if topic != "\ud800":  # CPython can't encode it
            assert not packet.is_topic(topic.encode(), len(topic))
    for topic in (None, 1, b"a", bytearray(b"a")):
        assert "topic" in str(raises(TypeError, text.topic_bytes, topic, "topic"))


def test_topic_filters():
    for name in ("a", "#", "+", "a/#", "a/+/b", "+/+", "/+", "+/", "/", "$SYS/#", "//#"):
        assert request.filter_bytes(name) == name.encode()
    for name in ("", "a#", "#/a", "a/#/b", "a+", "+a", "a/b+/c", "##", "++", "a/#b", "a\0", "x" * 65536, "\ud800"):
        assert "filter" in str(raises(ValueError, request.filter_bytes, name)), name
    assert "filter" in str(raises(TypeError, request.filter_bytes, 5))


def test_matches_table():
    for name, topic, want in (
        ("a", "a", True),
        ("a", "b", False),
        ("a/b", "a/b", True),
        ("a/b", "a", False),
        ("a", "a/b", False),
        ("#", "a", True),
        ("#", "a/b/c", True),
        ("#", "/", True),
        ("a/#", "a", True),  # the parent level too (§4.7.1.2)
        ("a/#", "a/b", True),
        ("a/#", "a/", True),
        ("a/#", "ab", False),
        ("a/b/#", "a", False),
        ("+", "a", True),
        ("+", "a/b", False),
        ("+", "/a", False),
        ("+/+", "/a", True),
        ("/+", "/a", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a//c", True),
        ("a/+/c", "a/b/d", False),
        ("+/b", "a/b", True),
        ("+/b/#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("$SYS/+", "$SYS/x", True),
        ("a/+", "a/$x", True),
        ("A", "a", False),
    ):
        assert matches(name, topic) is want, (name, topic)
