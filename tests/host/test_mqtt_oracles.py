"""The codec against others: what we send is read by amqtt's codec, what amqtt, paho and mosquitto send is read by
ours."""

from __future__ import annotations

import asyncio
import socket
import threading

import mqtt
from amqtt.adapters import BufferReader
from amqtt.mqtt import packet_class
from amqtt.mqtt.connack import ConnackPacket
from amqtt.mqtt.packet import MQTTFixedHeader
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.suback import SubackPacket
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt import Will, matches, opening, request
from mqtt.packet import Decoder, put_publish
from paho.mqtt.client import topic_matches_sub

TOPICS = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=40)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
LEVELS = st.lists(st.sampled_from(["a", "b", "", "+", "$x"]), min_size=1, max_size=4)


def amqtt_reads(data: bytes):
    """The packet as amqtt's codec sees it; all bytes must be used."""

    async def read():
        reader = BufferReader(data)
        header = await MQTTFixedHeader.from_stream(reader)
        found = await packet_class(header).from_stream(reader, fixed_header=header)
        assert await reader.read(1) == b""
        return found

    return asyncio.run(read())


def decode(data: bytes, size: int = 4096) -> tuple[Decoder, int]:
    rx = Decoder(size)
    rx.buf[: len(data)] = data
    rx.end = len(data)
    return rx, rx.next()


@given(TOPICS, st.binary(max_size=300), st.integers(0, 2), st.booleans(), st.booleans(), st.integers(1, 65535))
@settings(max_examples=300, deadline=None)
def test_publish_is_read_by_amqtt_and_by_us(topic, payload, qos, retain, dup, pid) -> None:
    dup = dup and qos > 0
    first = 0x30 | dup << 3 | qos << 1 | retain
    buf = bytearray(4096)
    end = put_publish(buf, first, topic.encode(), pid if qos else 0, payload)
    data = bytes(buf[:end])
    theirs = amqtt_reads(data)
    assert (theirs.topic_name, bytes(theirs.data or b""), theirs.qos) == (topic, payload, qos)
    assert (theirs.retain_flag, theirs.dup_flag, theirs.packet_id) == (retain, dup, pid if qos else None)
    rx, kind = decode(data)
    assert tuple(rx.publish(kind)) == (topic, payload, qos, retain, dup) and rx.start == rx.end
    assert not qos or rx.pid == pid


@given(TOPICS, st.binary(max_size=300), st.integers(0, 2), st.booleans(), st.integers(1, 65535))
@settings(max_examples=200, deadline=None)
def test_publish_of_amqtt_is_read_by_us(topic, payload, qos, retain, pid) -> None:
    made = PublishPacket.build(topic, payload, pid if qos else None, False, qos, retain)
    rx, kind = decode(made.to_bytes())
    assert tuple(rx.publish(kind)) == (topic, payload, qos, retain, False)


@given(
    TEXTS.filter(bool),
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.integers(0, 65535),
    st.booleans(),
    st.none() | st.tuples(TOPICS, st.binary(max_size=50), st.integers(0, 2), st.booleans()),
)
@settings(max_examples=200, deadline=None)
def test_connect_is_read_by_amqtt(client_id, user, password, keepalive, clean, will) -> None:
    if user is None:
        password = None
    client = mqtt.Client(
        client_id,
        "h",
        user=user,
        password=password,
        keepalive=keepalive,
        clean_session=clean,
        will=Will(*will) if will else None,
    )
    theirs = amqtt_reads(opening.connect_packet(client))
    assert (theirs.client_id, theirs.username, theirs.password) == (client_id, user, password)
    assert (theirs.keep_alive, theirs.clean_session_flag, theirs.proto_level) == (keepalive, clean, 4)
    assert theirs.will_flag == bool(will)
    if will:
        assert (theirs.will_topic, bytes(theirs.will_message or b""), theirs.will_qos, theirs.will_retain_flag) == will


@given(st.lists(st.tuples(LEVELS.map("/".join).filter(bool), st.integers(0, 2)), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_subscribe_and_unsubscribe_are_read_by_amqtt(filters) -> None:
    ours = [(request.filter_bytes(name), qos) for name, qos in filters]
    theirs = amqtt_reads(opening.packet(0x82, b"\x01\x02" + request.body(ours)))
    assert theirs.variable_header.packet_id == 258 and theirs.payload.topics == filters
    theirs = amqtt_reads(opening.packet(0xA2, b"\x01\x02" + request.body([name for name, _ in ours])))
    assert theirs.payload.topics == [name for name, _ in filters]


@given(LEVELS, st.booleans(), st.lists(st.sampled_from(["a", "b", "", "$x"]), min_size=1, max_size=4))
@settings(max_examples=500, deadline=None)
def test_matches_as_paho_does(levels, rest, topic) -> None:
    name = "/".join(levels + ["#"] * rest)
    if name and "/".join(topic):
        assert matches(name, "/".join(topic)) == topic_matches_sub(name, "/".join(topic))


@given(st.binary(max_size=200), st.integers(1, 64))
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_packets_or_a_protocol_error(data, step) -> None:
    rx = Decoder(64)
    at = 0
    try:
        while at < len(data) and not rx.left:
            room = rx.room()
            count = min(len(room), step, len(data) - at)
            assert count, "no room and no packet"
            room[:count] = data[at : at + count]
            rx.end += count
            at += count
            while True:
                kind = rx.next()
                if not kind or rx.left:
                    break
                if kind & 0xF0 == 0x30:
                    rx.publish(kind)
    except mqtt.ProtocolError:
        return


def test_connack_and_suback_of_amqtt_are_read_by_us() -> None:
    for present in (0, 1):
        for code in range(6):
            rx, kind = decode(ConnackPacket.build(present, code).to_bytes())
            assert kind == 0x20 and tuple(rx.buf[rx.pos : rx.pos + 2]) == (present, code)
    rx, kind = decode(SubackPacket.build(777, [0, 1, 2, 0x80]).to_bytes())
    assert kind == 0x90 and rx.pid == 777 and bytes(rx.buf[rx.pos + 2 : rx.pos + rx.size]) == b"\x00\x01\x02\x80"


class Tap:
    """A wire tap before a broker: all that the broker sent."""

    def __init__(self, port: int) -> None:
        self.sent = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        broker = socket.create_connection(("127.0.0.1", self._target))
        up = threading.Thread(target=self._copy, args=(client, broker, False), daemon=True)
        up.start()
        self._copy(broker, client, True)
        up.join(5)
        for each in (client, broker, self._listener):
            each.close()

    def _copy(self, source: socket.socket, target: socket.socket, keep: bool) -> None:
        while data := source.recv(4096):
            if keep:
                self.sent += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def wait(self) -> None:
        self._thread.join(10)


def test_every_packet_of_mosquitto_on_the_wire(mosquitto) -> None:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    tap = Tap(mosquitto.port)
    got, done = [], threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, "wire")
    client.on_message = lambda c, u, m: (got.append(m), len(got) == 3 and client.unsubscribe("w/#"))
    client.on_unsubscribe = lambda *_: done.set()
    client.on_subscribe = lambda *_: [client.publish(f"w/{qos}/\xb0", b"p" * (qos * 150), qos) for qos in (0, 1, 2)]
    client.connect("127.0.0.1", tap.port, keepalive=1)
    client.loop_start()
    client.subscribe("w/#", 2)
    assert done.wait(10)
    deadline = threading.Event()
    while b"\xd0\x00" not in tap.sent[-2:] and not deadline.wait(0.05):
        pass
    client.disconnect()
    client.loop_stop()
    tap.wait()
    kinds, messages = [], []
    rx = Decoder(1024)
    data = tap.sent
    while data:
        room = rx.room()
        room[: len(data[:100])] = data[:100]
        rx.end += len(data[:100])
        data = data[100:]
        while kind := rx.next():
            kinds.append(kind & 0xF0)
            if kind & 0xF0 == 0x30:
                messages.append(tuple(rx.publish(kind))[:3])
    assert set(kinds) == {0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xB0, 0xD0}
    assert sorted(messages) == sorted((f"w/{qos}/\xb0", b"p" * (qos * 150), qos) for qos in (0, 1, 2))
