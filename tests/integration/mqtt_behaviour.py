"""What a client must do at a real broker; the same file on CPython and MicroPython: `mqtt_behaviour.py PORT KIND
SCENARIO`.

KIND: mosquitto, or amqtt, which delivers at the subscription's QoS whatever the message's was (so QoS is not asserted).
Prints `@restart` where it wants the broker restarted, and `@done` at the end.
"""

import asyncio
import sys

from mqtt import Client, SubscribeRefused, Will, matches
from mqtt_broker import until

PORT = int(sys.argv[1])
STRICT = sys.argv[2] == "mosquitto"


class Peer:
    """A client with what it received: (topic, payload, qos, retain)."""

    def __init__(self, name, **kwargs):
        self.got = []
        self.client = Client(
            name,
            "127.0.0.1",
            PORT,
            on_message=lambda m: self.got.append((m.topic, m.payload, m.qos, m.retain)),
            max_backoff=0.2,
            **kwargs,
        )

    async def open(self):
        self.present = await self.client.connect(10)
        return self

    async def received(self, count):
        await until(lambda: len(self.got) >= count, 10, "%d messages, got %r" % (count, self.got))
        return self.got


async def flush(publisher, *peers):
    """All that was published before has arrived once this has."""
    counts = [len(peer.got) for peer in peers]
    for peer in peers:
        await peer.client.subscribe("flush", 1)
    await publisher.client.publish("flush", b"", 1)
    for peer, count in zip(peers, counts):  # noqa: B905  (MicroPython has no strict=)
        await until(lambda peer=peer: any(m[0] == "flush" for m in peer.got), 10, "the flush, after %d" % count)
        peer.got = [m for m in peer.got if m[0] != "flush"]


async def qos_matrix():
    """Every QoS published, every QoS subscribed: delivered once, at the lower one, in order."""
    publisher = await Peer("pub").open()
    for want in (0, 1, 2):
        peer = await Peer("sub%d" % want).open()
        assert await peer.client.subscribe("m/#", want) == [want]
        for qos in (0, 1, 2):
            for i in range(5):
                await publisher.client.publish("m/%d/\u6e29\xb0" % qos, "%d" % i, qos)
        await peer.received(15)
        await flush(publisher, peer)
        got = peer.got
        assert len(got) == 15
        for qos in (0, 1, 2):
            mine = [m for m in got if m[0] == "m/%d/\u6e29\xb0" % qos]
            assert [m[1] for m in mine] == [b"%d" % i for i in range(5)], mine
            if STRICT:
                assert {m[2] for m in mine} == {min(qos, want)}, mine
        await peer.client.disconnect()
    await publisher.client.disconnect()


async def retained():
    """Retained messages reach a new subscriber with the flag, an old one without; an empty one clears."""
    publisher = await Peer("pub").open()
    old = await Peer("old").open()
    await old.client.subscribe("r/#", 2)
    for qos in (0, 1, 2):
        await publisher.client.publish("r/%d" % qos, b"kept", qos, retain=True)
    got = await old.received(3)
    assert not any(m[3] for m in got), got
    new = await Peer("new").open()
    await new.client.subscribe("r/#", 2)
    got = await new.received(3)
    assert all(m[3] for m in got) and sorted(m[0] for m in got) == ["r/0", "r/1", "r/2"], got
    for qos in (0, 1, 2):
        await publisher.client.publish("r/%d" % qos, b"", qos, retain=True)
    later = await Peer("later").open()
    await later.client.subscribe("r/#", 2)
    await flush(publisher, later)
    assert not later.got, later.got
    for peer in (publisher, old, new, later):
        await peer.client.disconnect()


async def sessions():
    """A persistent session keeps subscriptions and messages, a clean one nothing."""
    publisher = await Peer("pub").open()
    for clean in (True, False):
        peer = await Peer("keep", clean_session=clean).open()
        assert not peer.present
        await peer.client.subscribe("s/#", 2)
        await peer.client.disconnect()
        for qos in (1, 2):
            await publisher.client.publish("s/%d" % qos, b"offline", qos)
        again = await Peer("keep", clean_session=clean).open()
        assert again.present == (not clean)
        if clean:
            await flush(publisher, again)
            assert not again.got, again.got
        else:
            got = await again.received(2)
            assert sorted(m[0] for m in got) == ["s/1", "s/2"]
        await again.client.disconnect()
    gone = await Peer("keep", clean_session=True).open()  # ends the persistent one
    await gone.client.disconnect()
    await publisher.client.disconnect()


async def wills():
    """The will is published for a client that vanished, not for one that said goodbye."""
    peer = await Peer("sub").open()
    await peer.client.subscribe("w/#", 2)
    for qos in (0, 1, 2):
        for retain in (False, True):
            topic = "w/%d%d" % (qos, retain)
            dying = await Peer("dying", will=Will(topic, "gone", qos, retain), reconnect=False).open()
            dying.client._transport.close()
            dying.client._fail(OSError("pulled out"))
            await until(lambda topic=topic: any(m[0] == topic for m in peer.got), 10, "the will on " + topic)
            if STRICT:
                assert [m for m in peer.got if m[0] == topic] == [(topic, b"gone", qos, False)]
            await dying.client.disconnect()
    new = await Peer("new").open()
    await new.client.subscribe("w/#", 2)
    await new.received(3)
    assert sorted({m[0] for m in new.got}) == ["w/01", "w/11", "w/21"], new.got
    peer.got = []
    polite = await Peer("polite", will=Will("w/polite", "gone")).open()
    await polite.client.disconnect()
    await flush(peer, peer)
    if STRICT:  # amqtt 0.12.1 sometimes sees the end of the connection before the DISCONNECT
        assert not peer.got, peer.got
    for qos in (0, 1, 2):
        await peer.client.publish("w/%d1" % qos, b"", 1, retain=True)
    for each in (peer, new):
        await each.client.disconnect()


async def wildcards():
    """The broker and `matches` agree on what a filter means."""
    publisher = await Peer("pub").open()
    topics = ("x/a", "x/a/b", "x/a/b/c", "x", "x/", "/x", "x//b", "x/b/a", "y/a", "x/\u4e2d\u6587")
    for name in ("x/#", "x/+", "x/+/b", "+/a", "x/a/#", "+/+/b", "/+", "+", "x/a", "+/+"):
        peer = await Peer("wild").open()
        await peer.client.subscribe(name, 1)
        for topic in topics:
            await publisher.client.publish(topic, b"", 1)
        await flush(publisher, peer)
        got = sorted({m[0] for m in peer.got})
        want = sorted(topic for topic in topics if matches(name, topic))
        assert got == want, (name, got, want)
        await peer.client.unsubscribe([name, "flush"])
        peer.got = []
        await publisher.client.publish("x/a", b"", 1)
        await flush(publisher, peer)
        assert not peer.got, (name, peer.got)
        await peer.client.disconnect()
    await publisher.client.disconnect()


async def several_filters():
    """Several filters in one SUBSCRIBE, each with its QoS."""
    peer = await Peer("many").open()
    assert await peer.client.subscribe([("f/%d" % i, i % 3) for i in range(9)]) == [i % 3 for i in range(9)]
    for i in range(9):
        await peer.client.publish("f/%d" % i, b"", 1)
    await peer.received(9)
    await peer.client.unsubscribe(["f/%d" % i for i in range(9)])
    await peer.client.disconnect()


class Sink:
    def __init__(self):
        self.size = 0
        self.right = True
        self.complete = None

    def write(self, view):
        for b in view:
            self.right = self.right and b == (self.size // 100) & 255
            self.size += 1

    def finish(self, complete):
        self.complete = complete


def chunks(size):
    for i in range(size // 100):
        yield bytes((i & 255,)) * 100


async def large():
    """200 kB out of a generator and into a sink, at every QoS."""
    sinks = []

    def on_large(topic, length, retain):
        assert length == 200000
        sinks.append(Sink())
        return sinks[-1]

    peer = await Peer("big", on_large=on_large).open()
    await peer.client.subscribe("big", 2)
    for qos in (0, 1, 2):
        await peer.client.publish("big", chunks(200000), qos, length=200000)
        await until(lambda qos=qos: len(sinks) == qos + 1 and sinks[qos].complete is not None, 20, "the message")
        assert sinks[qos].complete and sinks[qos].size == 200000 and sinks[qos].right
    assert peer.client.dropped == 0 and peer.client.connects == 1
    await peer.client.disconnect()


async def restart():
    """A restart of the broker while messages of every QoS are under way: none is lost."""
    peer = await Peer("survivor", keepalive=2, response_timeout=2).open()
    await peer.client.subscribe("again/#", 2)
    print("@restart")
    count = 0
    while peer.client.connects < 2 or count < 60:
        count += 1
        await peer.client.publish("again/%d" % (1 + count % 2), "%d" % count, 1 + count % 2)
        await asyncio.sleep(0.005)
    await until(lambda: peer.got and peer.got[-1][1] == b"%d" % count, 10, "the last message")
    await peer.client.disconnect()


async def refused():
    """A subscription that the broker forbids is an answer, not a fault."""
    peer = await Peer("guest").open()
    try:
        await peer.client.subscribe([("ok", 1), ("secret/x", 1)])
    except SubscribeRefused as e:
        assert e.codes == [1, 0x80]
    else:
        raise AssertionError("granted")
    assert peer.client.connected and peer.client.connects == 1
    await peer.client.disconnect()


async def empty_identifier():
    """The broker chooses one."""
    peer = await Peer("").open()
    await peer.client.subscribe("e", 1)
    await peer.client.publish("e", b"x", 1)
    await peer.received(1)
    await peer.client.disconnect()


asyncio.run(asyncio.wait_for(globals()[sys.argv[3]](), 60))
print("@done")
