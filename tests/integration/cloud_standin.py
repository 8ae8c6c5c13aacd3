"""A broker that behaves as one of the clouds: a small asyncio MQTT 3.1.1 server (amqtt's packet codec) with the rules
of cloud_rules.py. It runs in a thread of its own, so that paho, the virtual board or anything else can be the device.

    with Standin(Aliyun(...)) as cloud:
        ... a device connects to 127.0.0.1, cloud.port ...
        cloud.wait(lambda: cloud.reports)
        answer = cloud.command({"relay": 1})

What it refuses is in `cloud.refused` as text; what came, as (topic, payload), in `cloud.received`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from amqtt.adapters import StreamReaderAdapter
from amqtt.errors import AMQTTError
from amqtt.mqtt import packet_class
from amqtt.mqtt.connack import ConnackPacket
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.packet import MQTTFixedHeader
from amqtt.mqtt.pingreq import PingReqPacket
from amqtt.mqtt.pingresp import PingRespPacket
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.suback import SubackPacket
from amqtt.mqtt.subscribe import SubscribePacket
from amqtt.mqtt.unsuback import UnsubackPacket
from amqtt.mqtt.unsubscribe import UnsubscribePacket

from tests.integration.cloud_rules import Cloud, Refused

LOG = logging.getLogger(__name__)
WAIT = 15.0  # s, the longest that a test waits for something to happen


class Gone(Exception):
    """The link is to be closed."""


class Standin:
    """One cloud on a free port of 127.0.0.1. `clock`: Unix time (s) that the cloud believes; tests may move it.
    tls: of the server, None for plain TCP."""

    def __init__(self, rules: Cloud, clock: Callable[[], float] = time.time, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.rules = rules
        self.clock = clock
        self.port = 0
        self.received: list[tuple[str, bytes]] = []
        self.reports: list[dict[str, Any]] = []  # values that the cloud has accepted
        self.refused: list[str] = []
        self.connected = 0  # accepted CONNECTs
        self.codes: list[int] = []  # CONNACK codes sent
        self.subscribed: list[str] = []
        self._change = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._links: dict[str, asyncio.StreamWriter] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_connect: float | None = None
        self._published: list[float] = []
        self._next_id = 0

    # -- used by tests, from any thread

    def __enter__(self) -> Standin:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="cloud stand-in")
        self._thread.start()
        assert ready.wait(WAIT)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(WAIT)
        assert not self._thread.is_alive()

    def wait(self, condition: Callable[[], Any], what: str = "", seconds: float = WAIT) -> Any:
        """Wait until `condition()` is true; returns its value."""
        with self._change:
            found = self._change.wait_for(condition, seconds)
        assert found, f"{what or 'nothing'} in {seconds} s; refused: {self.refused}, received: {self.received[-5:]}"
        return found

    def send(self, topic: str, payload: bytes) -> None:
        """Publish to the device, if it has subscribed."""
        asyncio.run_coroutine_threadsafe(self._send(topic, payload), self._loop).result(WAIT)

    def command(self, values: dict[str, Any], name: str = "") -> Any:
        """Set properties (or, with a name, call a service) as the cloud does; returns the device's answer, decoded."""
        topic, payload, answered = self.rules.command(values, name)
        start = len(self.received)
        self.send(topic, payload)

        def answer() -> Any:
            for found in self.received[start:]:
                value = answered(*found)
                if value is not None:
                    return value
            return None

        return self.wait(answer, f"no answer to {topic}")

    def drop(self) -> None:
        """Close all connections, as a cloud that restarts does."""
        self._loop.call_soon_threadsafe(lambda: [writer.close() for writer in self._links.values()])

    # -- the server

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopping.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note(self, change: Callable[[], Any]) -> None:
        with self._change:
            change()
            self._change.notify_all()

    def _refuse(self, text: str) -> None:
        LOG.info("refused: %s", text)
        self._note(lambda: self.refused.append(text))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        client = None
        try:
            client, keepalive, ends = await self._login(reader, writer)
            await self._session(reader, writer, keepalive, ends)
        except (Gone, AMQTTError, asyncio.IncompleteReadError, OSError) as e:
            LOG.info("closed: %r", e)
        except asyncio.CancelledError:
            LOG.info("closed with the stand-in")  # by _serve(), at the end of the test
        finally:
            self._tasks.discard(task)
            if client is not None and self._links.get(client) is writer:
                del self._links[client]
            writer.close()

    async def _login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int, float | None]:
        header = await MQTTFixedHeader.from_stream(StreamReaderAdapter(reader))
        if header is None:
            raise Gone("closed before CONNECT")
        packet = await ConnectPacket.from_stream(StreamReaderAdapter(reader), header)
        now = self.clock()
        gap = self.rules.connect_gap
        too_soon = self._last_connect is not None and 0 <= now - self._last_connect < gap
        self._last_connect = now
        try:
            if too_soon:
                raise Refused(None, f"connects must be {gap} s apart")
            ends = self.rules.connect(packet, now)
        except Refused as e:
            self._refuse(str(e))
            code = e.code
            if code is not None:
                self._note(lambda: self.codes.append(code))
                writer.write(ConnackPacket.build(0, code).to_bytes())
                await writer.drain()
            raise Gone(str(e)) from e
        client = packet.client_id
        if client in self._links:  # a second connection kicks out the first
            self._links[client].close()
        self._links[client] = writer
        writer.write(ConnackPacket.build(0, 0).to_bytes())
        await writer.drain()

        def accepted() -> None:
            self.codes.append(0)
            self.connected += 1
            self.subscribed = []

        self._note(accepted)
        return client, packet.keep_alive, ends

    async def _session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keepalive: int, ends: float | None
    ) -> None:
        while True:
            header = await self._header(reader, keepalive, ends)
            kind = packet_class(header)
            packet = await kind.from_stream(StreamReaderAdapter(reader), header)
            if ends is not None and self.clock() > ends:
                self._refuse("the token has ended")
                raise Gone("token ended")
            if isinstance(packet, PingReqPacket):
                writer.write(PingRespPacket().to_bytes())
            elif isinstance(packet, SubscribePacket):
                await self._on_subscribe(packet, writer)
            elif isinstance(packet, UnsubscribePacket):
                writer.write(UnsubackPacket.build(packet.variable_header.packet_id).to_bytes())
            elif isinstance(packet, PublishPacket):
                await self._on_publish(packet, writer)
            elif not isinstance(packet, PubackPacket):
                raise Gone(type(packet).__name__)
            await writer.drain()

    async def _header(self, reader: asyncio.StreamReader, keepalive: int, ends: float | None) -> MQTTFixedHeader:
        """The next packet's header; Gone at end of stream, silence over 1.5 keepalives, or the end of the token."""
        waiting = asyncio.ensure_future(MQTTFixedHeader.from_stream(StreamReaderAdapter(reader)))
        deadline = time.monotonic() + 1.5 * keepalive if keepalive else None
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=0.1)
                if done:
                    header = waiting.result()
                    if header is None:
                        raise Gone("closed")
                    return header
                if deadline is not None and time.monotonic() > deadline:
                    self._refuse("silent for 1.5 keepalives")
                    raise Gone("keepalive")
                if ends is not None and self.clock() > ends:
                    self._refuse("the token has ended")
                    raise Gone("token ended")
        finally:
            waiting.cancel()

    async def _on_subscribe(self, packet: SubscribePacket, writer: asyncio.StreamWriter) -> None:
        codes = []
        for topic, qos in packet.payload.topics:
            allowed = self.rules.may_subscribe(topic)
            codes.append(min(qos, self.rules.max_qos) if allowed else 0x80)
            if allowed:
                self._note(lambda topic=topic: self.subscribed.append(topic))
            else:
                self._refuse(f"may not subscribe to {topic}")
        writer.write(SubackPacket.build(packet.variable_header.packet_id, codes).to_bytes())

    async def _on_publish(self, packet: PublishPacket, writer: asyncio.StreamWriter) -> None:
        topic, payload = packet.topic_name, bytes(packet.data or b"")
        try:
            self.rules.publish(packet, topic, payload)
        except Refused as e:
            self._refuse(str(e))
            raise Gone(str(e)) from e
        rate, seconds = self.rules.rate
        now = self.clock()
        self._published = [t for t in self._published if t > now - seconds]
        if len(self._published) >= rate:
            self._refuse(f"more than {rate} messages in {seconds} s")
            for message in self.rules.throttled():
                await self._send(*message)
            return  # neither taken nor acknowledged
        self._published.append(now)
        if packet.qos:
            writer.write(PubackPacket.build(packet.packet_id).to_bytes())
        try:
            values, answers = self.rules.accept(topic, payload)
        except Refused as e:
            self._refuse(str(e))
            values, answers = None, e.answers

        def taken() -> None:
            self.received.append((topic, payload))
            if values is not None:
                self.reports.append(values)

        self._note(taken)
        for message in answers:
            await self._send(*message)

    async def _send(self, topic: str, payload: bytes) -> None:
        if not self.rules.unasked(topic) and not any(self.rules.matches(f, topic) for f in self.subscribed):
            self._refuse(f"not subscribed to {topic}")
            return
        self._next_id = self._next_id % 0xFFFF + 1
        packet = PublishPacket.build(topic, payload, self._next_id, False, min(1, self.rules.max_qos), False)
        for writer in list(self._links.values()):
            writer.write(packet.to_bytes())
            await writer.drain()
