"""A scripted broker for tests of the MQTT client: real sockets, one process, CPython and MicroPython alike.

By itself it answers as a broker should (`answer`); a test switches answers off (`mute`), changes them, breaks
the
link, and
sends any bytes it likes. It knows nothing of lib/mqtt.
"""

import asyncio
import random
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14

_SOL_SOCKET, _SO_LINGER = 1, 13  # of Linux; MicroPython does not name them


class Packet:
    """What the client sent: kind 1..14, flags, body; for PUBLISH topic, pid, payload, qos, dup, retain; else pid."""

    def __init__(self, first, body):
        self.kind = first >> 4
        self.flags = first & 15
        self.body = body
        self.qos = first >> 1 & 3
        self.dup = bool(first & 8)
        self.retain = bool(first & 1)
        self.pid = 0
        if self.kind == PUBLISH:
            end = 2 + (body[0] << 8 | body[1])
            self.topic = body[2:end].decode()
            if self.qos:
                self.pid = body[end] << 8 | body[end + 1]
                end += 2
            self.payload = body[end:]
        elif len(body) >= 2:
            self.pid = body[0] << 8 | body[1]

    def __repr__(self):
        return "<packet %d flags %d pid %d %r>" % (self.kind, self.flags, self.pid, self.body[:40])


def publish(topic, payload, qos=0, pid=0, dup=False, retain=False):
    """A PUBLISH as bytes."""
    topic = topic if isinstance(topic, bytes) else topic.encode()
    body = bytes((len(topic) >> 8, len(topic) & 255)) + topic
    if qos:
        body += bytes((pid >> 8, pid & 255))
    body += payload
    head = [0x30 | (8 if dup else 0) | qos << 1 | (1 if retain else 0)]
    size = len(body)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes(head + [size]) + body  # noqa: RUF005  (MicroPython has no unpacking here)


def ack(kind, pid):
    """PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK as bytes."""
    return bytes((kind << 4 | (2 if kind == PUBREL else 0), 2, pid >> 8, pid & 255))


class Broker:
    """One listener, any number of connections one after another; `packets` has all that came, `seen` how far a
    test
    read."""

    def __init__(self):
        self.port = 0
        self.packets = []
        self.seen = 0
        self.connections = 0
        self.mute = set()  # kinds of packets that are not answered
        self.present = 0  # session present in CONNACK
        self.code = 0  # of CONNACK
        self.granted = None  # codes of SUBACK; None: as asked
        self.writer = None
        self._server = None
        self._tasks = []

    async def start(self):
        while True:
            self.port = 20000 + random.getrandbits(15)
            try:
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
                return
            except OSError:  # taken
                continue

    async def stop(self):
        self._server.close()
        await self._server.wait_closed() if not hasattr(self._server, "get_loop") else None
        self.drop()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader, writer):
        self._tasks.append(asyncio.current_task())
        self.connections += 1
        self.writer = writer
        rest = b""
        try:
            while True:
                data = await reader.read(4096)
                if not data:
                    return
                rest += data
                while True:
                    packet, rest = self._cut(rest)
                    if packet is None:
                        break
                    self.packets.append(packet)
                    if packet.kind not in self.mute:
                        reply = self.answer(packet)
                        if reply:
                            writer.write(reply)
                            await writer.drain()
        except OSError:
            return

    def _cut(self, data):
        size = shift = 0
        at = 1
        while at < len(data):
            b = data[at]
            at += 1
            size |= (b & 127) << shift
            shift += 7
            if b < 128:
                if len(data) - at < size:
                    return None, data
                return Packet(data[0], data[at : at + size]), data[at + size :]
        return None, data

    def answer(self, packet):
        """What a good broker replies at once."""
        kind = packet.kind
        if kind == CONNECT:
            return bytes((0x20, 2, self.present, self.code))
        if kind == PUBLISH and packet.qos:
            return ack(PUBACK if packet.qos == 1 else PUBREC, packet.pid)
        if kind == PUBREC:
            return ack(PUBREL, packet.pid)
        if kind == PUBREL:
            return ack(PUBCOMP, packet.pid)
        if kind == SUBSCRIBE:
            codes = self.granted
            if codes is None:
                codes = []
                at = 2
                while at < len(packet.body):
                    at += 3 + (packet.body[at] << 8 | packet.body[at + 1])
                    codes.append(packet.body[at - 1])
            return bytes([0x90, 2 + len(codes), packet.pid >> 8, packet.pid & 255] + list(codes))  # noqa: RUF005
        if kind == UNSUBSCRIBE:
            return ack(UNSUBACK, packet.pid)
        if kind == PINGREQ:
            return b"\xd0\x00"
        return b""

    async def send(self, data):
        """Write any bytes to the newest connection."""
        self.writer.write(data)
        await self.writer.drain()

    async def send_bytewise(self, data):
        """The same, one byte a packet."""
        for i in range(len(data)):
            await self.send(data[i : i + 1])
            await asyncio.sleep(0.001)

    def drop(self):
        """End the newest connection."""
        if self.writer is not None:
            self.writer.close()
            if hasattr(self.writer, "s"):  # MicroPython: close() alone does nothing
                self.writer.s.close()

    def reset(self):
        """End the newest connection by RST."""
        sock = self.writer.s if hasattr(self.writer, "s") else self.writer.get_extra_info("socket")
        sock.setsockopt(_SOL_SOCKET, _SO_LINGER, b"\1\0\0\0\0\0\0\0")  # linger for 0 s
        if sock is getattr(self.writer, "s", None):
            sock.close()
        else:
            self.writer.transport.abort()

    async def expect(self, kind, timeout=5):
        """The next packet of this kind, with those before it skipped."""
        await until(lambda: self._next(kind) >= 0, timeout, "packet %d; got %s" % (kind, self.packets[self.seen :]))
        i = self._next(kind)
        self.seen = i + 1
        return self.packets[i]

    async def several(self, kind, count):
        """The next `count` packets of this kind."""
        found = []
        while len(found) < count:
            found.append(await self.expect(kind))
        return found

    def _next(self, kind):
        for i in range(self.seen, len(self.packets)):
            if self.packets[i].kind == kind:
                return i
        return -1

    def count(self, kind):
        """How many packets of this kind came."""
        return len([p for p in self.packets if p.kind == kind])


async def until(condition, timeout=5, what="what was waited for"):
    """Wait for a condition."""
    end = time.time() + timeout
    while not condition():
        if time.time() > end + 1:  # time() has whole seconds on some builds
            raise AssertionError("not in time: " + what)
        await asyncio.sleep(0.005)


def play(scenario, connect=True, **kwargs):
    """Run `scenario(broker, client, seen)` against a scripted broker. seen: what the application was told, in order:
    ("message", Message), ("up",), ("down", reason)."""
    from mqtt import Client

    seen = []

    async def main():
        broker = Broker()
        await broker.start()
        options = dict(
            response_timeout=2,
            max_backoff=0.05,
            on_message=lambda message: seen.append(("message", message)),
            on_state=lambda up, reason: seen.append(("up",) if up else ("down", reason)),
        )
        options.update(kwargs)
        client = Client("test", "127.0.0.1", broker.port, **options)
        try:
            if connect:
                await client.connect(5)
                await broker.expect(CONNECT)
            await asyncio.wait_for(scenario(broker, client, seen), 30)
        finally:
            await client.disconnect()
            await broker.stop()

    asyncio.run(main())


def messages(seen):
    """The messages among `seen`."""
    return [entry[1] for entry in seen if entry[0] == "message"]


def raised(seen):
    """The reasons for which the link went down."""
    return [entry[1] for entry in seen if entry[0] == "down"]
