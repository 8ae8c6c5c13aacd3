"""The fuzz program, for CPython and MicroPython: `mqtt_fuzz.py decoder|client FIRST_SEED COUNT`.

Feeds hostile streams to the decoder, or to a whole client over a scripted transport, and prints what came of them.
Anything
but the documented errors, a hang or a growing heap is a failure.
"""

import asyncio
import gc
import sys
import time

import mqtt
from mqtt import Client, MQTTError, ProtocolError
from mqtt.packet import Decoder
from mqtt_mutate import hostile, seeded

MICROPYTHON = sys.implementation.name == "micropython"


def decode_all(first_seed, count):
    """Each stream in one piece or in several, through a small buffer. What a decoder accepts must be a legal
    message."""
    refused = messages = 0
    rx = Decoder(64)
    for seed in range(first_seed, first_seed + count):
        bits = seeded(seed * 7919)
        data = hostile(bits)
        rx.start = rx.end = rx.left = 0
        at = 0
        turns = 0
        try:
            while at < len(data):
                turns += 1
                assert turns < 5000, "no progress, seed %d" % seed
                if rx.left:  # a large message: eat it, as oversize.py does
                    count_ = min(rx.left, rx.end - rx.start)
                    rx.start += count_
                    rx.left -= count_
                else:
                    kind = rx.next()
                    if kind:
                        if kind & 0xF0 == 0x30 and (not rx.left or rx.size):
                            message = rx.publish(kind)
                            messages += 1
                            topic = message.topic
                            assert topic and "+" not in topic and "#" not in topic and "\0" not in topic, seed
                            assert message.qos < 3 and len(message.payload) <= 64, seed
                            assert not message.qos or 1 <= rx.pid <= 65535, seed
                        continue
                if rx.start == rx.end or not rx.left:
                    room = rx.room()
                    n = min(len(room), 1 + bits(5), len(data) - at)
                    room[:n] = data[at : at + n]
                    rx.end += n
                    at += n
        except ProtocolError:
            refused += 1
    return refused, messages


class ScriptedTransport:
    """Gives the client a good CONNACK and then one hostile stream, in pieces; then the end of the connection."""

    exact = False

    def __init__(self):
        self.key = None
        self.seed = 0
        self.data = b""
        self.at = 0
        self.bits = None
        self.written = 0

    def write(self, buf, end):
        if self.bits(4) == 0:
            return min(end, self.bits(2))
        self.written += end
        return end

    async def readinto(self, buf, due):
        await asyncio.sleep(0)
        if self.at >= len(self.data):
            raise OSError(104, "end of the script")
        n = min(len(buf), 1 + self.bits(6), len(self.data) - self.at)
        buf[:n] = self.data[self.at : self.at + n]
        self.at += n
        return n

    def close(self):
        self.data = b""


class Sink:
    def write(self, view):
        assert len(view) <= 128

    def finish(self, complete):
        assert complete in (True, False)


def check(message):
    assert message.topic and message.qos < 3 and isinstance(message.payload, bytes)


async def client_all(first_seed, count):
    """One client, `count` connections, one hostile stream each; QoS 1 and 2 publishes in flight all the while."""
    transport = ScriptedTransport()
    script = {"seed": first_seed}
    outcomes = {}

    async def dial(transport, host, port, ssl, fresh):
        seed = script["seed"]
        script["seed"] += 1
        bits = transport.bits = seeded(seed * 104729)
        transport.data = (b"\x20\x02\x01\x00" if bits(3) else b"\x20\x02\x00\x00" if bits(3) else b"") + hostile(bits)
        transport.at = 0

    faults = []
    loop = asyncio.get_event_loop()
    loop.set_exception_handler(lambda loop, context: faults.append(context.get("exception") or context))
    install(dial)

    def state(up, reason):
        if not up:
            name = type(reason).__name__
            outcomes[name] = outcomes.get(name, 0) + 1
            assert isinstance(reason, (OSError, MQTTError)), reason

    client = Client(
        "fuzz",
        "h",
        clean_session=False,
        window=4,
        buffer=128,
        max_backoff=0,
        on_message=check,
        on_state=state,
        on_large=lambda topic, size, retain: Sink() if size & 1 else None,
    )
    client._transport = transport
    client.start(5)
    publishing = [asyncio.create_task(keep_publishing(client, qos)) for qos in (1, 2)]
    heap = 0
    last, since = -1, time.time()
    while script["seed"] < first_seed + count:
        await asyncio.sleep(0.002)
        client._wait = 0
        assert client._task is not None, "the client died: %r" % faults
        assert not faults, faults
        if script["seed"] != last:
            last, since = script["seed"], time.time()
        assert time.time() - since < 20, "hang at seed %d" % script["seed"]
        if MICROPYTHON and script["seed"] & 63 == 0:
            gc.collect()
            heap = max(heap, gc.mem_alloc())
    await client.disconnect()
    for task in publishing:
        task.cancel()
    return outcomes, heap


async def keep_publishing(client, qos):
    while True:
        try:
            await client.publish("t", b"payload", qos)
        except OSError:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)


def install(dial):
    """Let the client dial the script."""
    if MICROPYTHON:
        real = mqtt.load
        mqtt.load = lambda name: Stub(dial) if name == "dial" else real(name)
    else:
        from mqtt import opening

        opening.dial = dial


class Stub:
    """Stands for module mqtt.dial."""

    def __init__(self, dial):
        self.dial = dial


def main():
    kind, first_seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if kind == "decoder":
        gc.collect()
        before = gc.mem_alloc() if MICROPYTHON else 0
        refused, messages = decode_all(first_seed, count)
        gc.collect()
        grown = gc.mem_alloc() - before if MICROPYTHON else 0
        assert grown < 4096, "heap grew by %d" % grown
        assert count < 100 or (refused > count // 20 and messages > count // 20)
        print("@done decoder", count, "refused", refused, "messages", messages)
    else:
        outcomes, heap = asyncio.run(client_all(first_seed, count))
        print("@done client", count, outcomes, "heap", heap)


main()
