"""Bad arguments: refused at the call by ValueError or TypeError that names the argument; the link stays as it was."""

import io

import mqtt
from check import raises
from mqtt import Client, Will
from mqtt_broker import PUBLISH, SUBSCRIBE, UNSUBSCRIBE, play


def refused(kind, name, **kwargs):
    options = {"client_id": "id", "host": "h"}
    options.update(kwargs)
    fault = raises(kind, lambda: Client(**options))
    assert name in str(fault), fault


def test_constructor():
    refused(ValueError, "keepalive", keepalive=70000)
    refused(ValueError, "keepalive", keepalive=-1)
    refused(TypeError, "keepalive", keepalive="60")
    refused(TypeError, "keepalive", keepalive=1.5)
    refused(ValueError, "port", port=0)
    refused(ValueError, "port", port=65536)
    refused(TypeError, "port", port=None)
    refused(TypeError, "host", host=None)
    refused(ValueError, "version", version=5)
    refused(ValueError, "window", window=0)
    refused(ValueError, "window", window=256)
    refused(ValueError, "buffer", buffer=10)
    refused(ValueError, "response_timeout", response_timeout=0)
    refused(TypeError, "max_backoff", max_backoff="1")
    refused(TypeError, "client_id", client_id=5)
    refused(ValueError, "client_id", client_id="a\0")
    refused(ValueError, "client_id", client_id="x" * 65536)
    refused(ValueError, "client_id", client_id="", clean_session=False)
    refused(ValueError, "user", user="\ud800")
    refused(ValueError, "password", password="p")
    refused(TypeError, "password", user="u", password=5)
    refused(ValueError, "password", user="u", password=bytes(65536))
    Client("", "h")
    Client("id", "h", user="u", password=b"\0\xff", keepalive=0)


def test_will():
    for args, kind, word in (
        (("", "x"), ValueError, "will topic"),
        (("a/#", "x"), ValueError, "will topic"),
        ((5, "x"), TypeError, "will topic"),
        (("t", 5), TypeError, "payload"),
        (("t", bytes(65536)), ValueError, "will payload"),
        (("t", "x", 3), ValueError, "qos"),
        (("t", "x", -1), ValueError, "qos"),
        (("t", "x", None), ValueError, "qos"),
    ):
        assert word in str(raises(kind, Will, *args)), args


def test_set_identity_keeps_the_old_one_when_the_new_one_is_bad():
    c = Client("id", "h", user="u", password="p")
    raises(ValueError, c.set_identity, "new", "u\0")
    raises(ValueError, c.set_identity, "new", None, "p")
    raises(AttributeError, lambda: c.no_such_method)
    assert c._identity == (b"id", b"u", b"p")
    c.set_identity("new")
    assert c._identity == (b"new", None, None)


async def refuses(kind, word, awaitable):
    try:
        await awaitable
    except kind as e:
        assert word in str(e), e
        return
    raise AssertionError("no %s for %s" % (kind.__name__, word))


def test_the_link_stays_as_it_was():
    async def scenario(broker, client, seen):
        for topic in ("", "a/+", "#", "a\0", "x" * 65536, "\ud800"):
            for qos in (0, 1, 2):
                await refuses(ValueError, "topic", client.publish(topic, b"x", qos))
        for topic in (None, 5, b"bytes"):
            await refuses(TypeError, "topic", client.publish(topic, b"x"))
        for qos in (3, -1, "1", None, 1.0):
            await refuses(ValueError, "qos", client.publish("t", b"x", qos))
        for payload in (5, None, 1.5, ["a"], {"a": 1}):
            await refuses(TypeError, "payload", client.publish("t", payload))
            await refuses(TypeError, "payload", client.publish("t", payload, 2))
        for length in (-1, 1.5, "5", 0x10000000):
            await refuses(ValueError, "length", client.publish("t", io.BytesIO(b"x"), length=length))
        await refuses(TypeError, "payload", client.publish("t", 5, length=5))
        await refuses(TypeError, "payload", client.publish("t", b"bytes", length=5))
        await refuses(ValueError, "filter", client.subscribe("a/#/b"))
        await refuses(ValueError, "filter", client.subscribe([]))
        await refuses(ValueError, "qos", client.subscribe("a", 3))
        await refuses(TypeError, "filter", client.subscribe([(5, 0)]))
        await refuses(ValueError, "filter", client.unsubscribe(""))
        await refuses(ValueError, "filter", client.unsubscribe([]))
        await refuses(OSError, "already", client.connect())
        assert client.connected and not client.session.order and not client.session.waiting
        await client.publish("t", b"x", 1)
        assert [p.kind for p in broker.packets[1:]] == [PUBLISH] and seen == [("up",)] and broker.connections == 1

    play(scenario)


def test_what_is_allowed():
    async def scenario(broker, client, seen):
        for payload in (b"x", bytearray(b"x"), memoryview(b"x"), "x"):
            await client.publish("t", payload)
            assert (await broker.expect(PUBLISH)).payload == b"x"
        await client.publish("t", "\xb0C", retain=True)
        packet = await broker.expect(PUBLISH)
        assert packet.payload == b"\xc2\xb0C" and packet.retain
        await client.publish("t", b"")
        assert (await broker.expect(PUBLISH)).payload == b""
        await client.publish("x" * 65535, b"end", 1)
        packet = await broker.expect(PUBLISH)
        assert len(packet.topic) == 65535 and packet.payload == b"end"
        assert await client.subscribe("a", 2) == [2]
        assert await client.subscribe((("b", 0), ("c", 1))) == [0, 1]
        assert (await broker.expect(SUBSCRIBE)).body[2:] == b"\x00\x01a\x02"
        await client.unsubscribe(["b", "c"])
        assert (await broker.expect(UNSUBSCRIBE)).body[2:] == b"\x00\x01b\x00\x01c"

    play(scenario)


def test_a_payload_that_its_owner_changes_later_is_sent_as_it_was():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        data = bytearray(b"before")
        import asyncio

        task = asyncio.create_task(client.publish("t", data, 1))
        packet = await broker.expect(PUBLISH)
        data[:] = b"behind"
        broker.mute = set()
        broker.present = 1
        broker.drop()
        again = await broker.expect(PUBLISH)
        assert again.payload == packet.payload == b"before" and again.dup
        await task

    play(scenario, clean_session=False)


def test_public_names():
    for name in mqtt.__all__:
        assert getattr(mqtt, name) is not None
    raises(AttributeError, lambda: mqtt.nothing_of_that_name)
