"""The MQTT client: one connection at a time, kept up by one task, shared by all callers.

    DOWN --start()--> OPENING --CONNACK 0--> UP --fault--> DOWN --backoff--> OPENING ...
                                               --disconnect()--> DOWN, and stays so

`_run` is the task: it opens the connection, reads from it until it fails, waits, and begins again. `_keep` runs beside
it, sends PINGREQ and holds every deadline. Whoever else finds a fault calls `_fail`, which ends what `_run` is at.
A packet leaves by one write. What the socket did not take is `_out`, and nothing else is written until that has gone.
"""

import asyncio
import sys

from . import load
from .packet import PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, const, is_topic, put_publish
from .session import AT, DONE, DUP, HEAD, PAYLOAD, PID, PUBLISHED, RELEASE, RELEASED, STATE, TOPIC, Session

if sys.implementation.name == "micropython":
    from .transport import ticks_diff, ticks_ms, wait, wake
else:
    from .transport_cpython import ticks_diff, ticks_ms, wait, wake  # type: ignore[no-redef]  # its twin

TYPE_CHECKING = const(0)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .packet import Decoder, Message
    from .transport import Transport

_BREATH = 0.001  # s between a fault and what follows
_ACKS = const(64)  # bytes of acknowledgements collected before they are written
_MAX_RECEIVED = const(128)  # QoS 2 messages of the broker between PUBLISH and PUBREL; brokers stop at about 20
_MAX_BODY = const(0x0FFFFFFF)  # of a packet (§2.2.3)


class Client:
    """An MQTT 3.1.1 client: one connection, any number of tasks. Its arguments: setup.init().

    `connected`: bool. `reason`: why the link was last lost, or not made. `dropped`: messages larger than the buffer
    that no sink wanted. `connects`: connections made.
    """

    if TYPE_CHECKING:  # set by setup.init()
        host: str
        port: int
        keepalive: int
        clean_session: bool
        _will: "tuple[int, bytes, bytes] | None"  # flags of CONNECT, topic, payload
        ssl: object
        reconnect: bool
        max_backoff: float
        on_message: "Callable[[Message], object] | None"
        on_state: "Callable[[bool, Exception | None], object] | None"
        on_large: "Callable | None"
        on_attempt: "Callable[[Client], object] | None"
        connected: bool
        reason: "Exception | None"
        dropped: int
        connects: int
        session: Session
        _rx: Decoder
        _tx: bytearray
        _acks: bytearray
        _acks_end: int
        _transport: Transport
        _out: "bytes | bytearray | memoryview | None"  # what the socket has not taken yet; b"": see stream.py
        _next: "bytes | None"  # what is to follow it
        _line: list  # who waits for room in the window, first come, first served
        _changed: "Any"  # who waits for a connection, or to hear that none will come
        _subscriptions: "dict[bytes, int]"
        _task: "asyncio.Task | None"
        _stage: str  # what opening a connection waits for
        _fault: "Exception | None"
        _now: int  # ticks_ms, as _keep saw it last; so all times here:
        _sent_at: int
        _received_at: int
        _ping_at: int
        _since: int  # connected, or trying to be
        _open_for: int  # ms that an attempt to connect may take
        _tick: int  # ms between two looks at the deadlines
        _timeout: int  # ms for each answer of the broker
        _idle: int  # ms of silence after which PINGREQ is due
        _pinged: bool
        _wait: int  # ms until the next attempt
        _failures: int
        _once: bool  # connect() has not succeeded yet: one attempt only
        _present: bool  # session present
        _topic: "str | None"  # the last topic published to; its UTF-8 is _name
        _name: bytes
        _identity: "tuple[bytes, bytes | None, bytes | None]"  # client identifier, user, password

    if sys.implementation.name != "micropython":  # there, __getattr__ finds them
        # mypy does not know imports in a class
        from .control import connect, disconnect, retry_now, start  # type: ignore[misc]
        from .persist import export_session, restore_session  # type: ignore[misc]
        from .request import subscribe, unsubscribe  # type: ignore[misc]
        from .setup import init as __init__  # type: ignore[misc]
        from .setup import set_identity  # type: ignore[misc]
    else:

        def __init__(self, *args: "Any", **kwargs: "Any") -> None:
            load("setup").init(self, *args, **kwargs)

        def __getattr__(self, name: str) -> object:
            """The methods that a connection does not need all the time."""
            where = (
                "|connect=control|start=control|disconnect=control|retry_now=control|subscribe=request"
                "|unsubscribe=request|set_identity=setup|export_session=persist|restore_session=persist|"
            )
            at = where.find("|" + name + "=")
            if at < 0:
                raise AttributeError(name)
            at += len(name) + 2
            function = getattr(load(where[at : where.find("|", at)]), name)
            return lambda *args, **kwargs: function(self, *args, **kwargs)

    async def publish(
        self,
        topic: str,
        payload: "Any",
        qos: int = 0,
        retain: bool = False,
        timeout: "float | None" = None,
        length: "int | None" = None,
    ) -> None:
        """Publish. QoS 0: returns when written, OSError without a link. QoS 1 and 2: when the handshake is done,
        across reconnects.

        payload: bytes-like or str; with `length` (bytes) a file open for reading, or an iterator of bytes: sent in
        constant memory. A file is read again from where it stands if the message must be resent; an iterator can't be:
        OSError. timeout: s, for QoS 1 and 2; then OSError (ETIMEDOUT), and the message may still arrive.
        """
        if timeout is not None and qos:
            await load("control").within(timeout, self.publish(topic, payload, qos, retain, None, length))
            return
        try:
            if topic is not self._topic:
                name = topic.encode()
                if not is_topic(name, len(topic)):
                    raise ValueError
                if len(name) + 9 > len(self._tx):
                    self._tx = bytearray(len(name) + 9)
                self._name = name
                self._topic = topic
            name = self._name
            if length is not None or not isinstance(payload, bytes):
                if length is None and isinstance(payload, str):
                    payload = payload.encode()
                else:
                    payload = load("setup").payload_bytes(payload, length)
            head = PUBLISH | qos << 1 | (1 if retain else 0)
            if not 0 <= qos <= 2 or len(name) + len(payload) + 4 > _MAX_BODY:
                raise ValueError
        except (AttributeError, TypeError, ValueError):
            load("setup").check_publish(topic, payload, qos, length)  # raises, in words
            raise
        if not qos:
            if self._out is not None or not self.connected:
                await load("backlog", True).free(self)
            if isinstance(payload, bytes):
                self._push(self._tx, put_publish(self._tx, head, name, 0, payload), payload)
            else:
                await load("stream").send(self, head, name, 0, payload)
            if self._fault or self._out is not None:
                await load("backlog", True).free(self)
            return
        if self._line or len(self.session.order) >= self.session.window:
            await load("backlog", True).stand_in_line(self)
        slot = self.session.take(head, name, payload)
        if self._out is None:
            self._flush()
        while slot[PID]:
            if slot[STATE] & 1 or self._task is None:
                await load("backlog", True).pass_on(self, slot)
            else:
                await wait(slot[DONE])
        if isinstance(slot[PAYLOAD], Exception):
            raise slot[PAYLOAD]

    def _push(
        self, buf: "bytes | bytearray | memoryview | None" = None, end: int = 0, rest: "bytes | None" = None
    ) -> None:
        """Hand the packet buf[:end] to the socket in one write; where `end` is negative, `rest` follows.

        Without arguments: what is pending. Never waits; a fault ends the link.
        """
        if buf is None:
            buf = self._out
            end = len(buf) if buf else 0
        elif end < 0:
            end = -end
            self._next = rest
        while buf:
            try:
                count = self._transport.write(buf, end)
            except OSError as e:
                self._out = buf
                self._fail(e)
                return
            if count:
                self._sent_at = self._now
            if count < end:
                self._out = memoryview(buf)[count:end]
                return
            buf = self._out = self._next
            if buf:
                self._next = None
                end = len(buf)

    def _flush(self) -> None:
        """Write what the session has to write, oldest first, as far as the socket takes it."""
        session = self.session
        for slot in session.order:
            if not session.unsent or self._out is not None or not self.connected or self._fault:
                return
            state = slot[STATE]
            if state & 1:
                pid = slot[PID]
                payload = slot[PAYLOAD]
                if state == RELEASE:
                    self._push(bytes((PUBREL, 2, pid >> 8, pid & 255)), 4)
                elif isinstance(payload, bytes):
                    end = put_publish(self._tx, slot[HEAD] | slot[DUP], slot[TOPIC], pid, payload)
                    self._push(self._tx, end, payload)
                else:
                    return  # from a file: backlog.send_unsent does that
                slot[STATE] = state + 1
                slot[DUP] = 8
                slot[AT] = self._now
                session.unsent -= 1

    def _fail(self, reason: Exception) -> None:
        """The link is at fault, found by another than the reading task, perhaps: end what that is at."""
        if self._fault is None and (self.connected or self._stage):
            self._fault = reason
            if self._task is not asyncio.current_task():
                self._task.cancel()  # type: ignore[union-attr]  # a link has its task

    async def _run(self) -> None:
        """Connect, read, and after a fault wait and begin again, until disconnect() cancels it or nobody wants more."""
        rx = self._rx
        acks = self._acks
        session = self.session
        keeper = asyncio.create_task(self._keep())
        try:
            while True:
                try:
                    if self._fault and not await load("closing").wait_after(self):
                        return
                    await load("opening").open_link(self)
                    while True:
                        reply = 0
                        first = rx.next()
                        if rx.left:
                            reply = await load("oversize").receive(self, first)
                        elif first & 0xF0 == PUBLISH:
                            message = rx.publish(first)
                            if message.qos:
                                reply = PUBACK if message.qos == 1 else PUBREC
                            if reply != PUBREC or rx.pid not in session.received:
                                if reply == PUBREC:
                                    if len(session.received) >= _MAX_RECEIVED:
                                        raise load("wrong").protocol_error("too many QoS 2 messages")
                                    session.received.add(rx.pid)
                                if self.on_message:
                                    try:
                                        self.on_message(message)
                                    except Exception as e:  # noqa: BLE001  (of the application; it is reported)
                                        load("calls").report(e)
                        elif first == PINGRESP:
                            self._pinged = False
                        elif first == PUBREL:
                            session.received.discard(rx.pid)
                            reply = PUBCOMP
                        elif PUBACK <= first <= PUBCOMP:
                            # Unknown, repeated and late ones are ignored; but an unknown PUBREC would come again.
                            slot = session.find(rx.pid)
                            state = slot[STATE] if slot else 0
                            if first == PUBREC:
                                if not slot or (slot[HEAD] & 4 and not state & 1):
                                    if slot:
                                        slot[STATE] = RELEASED
                                        slot[AT] = self._now
                                    reply = PUBREL
                            elif slot and (
                                state == RELEASED if first == PUBCOMP else state == PUBLISHED and not slot[HEAD] & 4
                            ):
                                session.free(slot)
                                if self._line:
                                    wake(self._line[0])
                        elif first:
                            load("request").answered(self, first)
                        if reply:
                            at = self._acks_end
                            acks[at] = reply
                            acks[at + 1] = 2
                            acks[at + 2] = rx.pid >> 8
                            acks[at + 3] = rx.pid & 255
                            self._acks_end = at + 4
                        if first and self._acks_end < _ACKS:
                            continue
                        if self._acks_end:
                            if self._out is not None:
                                await load("backlog", True).free(self)
                            self._push(acks, self._acks_end)
                            self._acks_end = 0
                            if self._out is not None:
                                acks = self._acks = bytearray(_ACKS)  # the socket has still to take the old ones
                        if self._fault:
                            raise self._fault
                        if not first:
                            room = rx.room()  # may change rx.end
                            rx.end += await self._transport.readinto(room, rx.due)
                            self._received_at = self._now
                except asyncio.CancelledError:
                    if self._fault is None:
                        raise
                except Exception as e:  # noqa: BLE001  (whatever it is, `reason` tells it, and the link comes back)
                    self._fault = self._fault or e
                    await asyncio.sleep(_BREATH)
        finally:
            keeper.cancel()
            if self._task is asyncio.current_task():
                self._task = None
            for slot in session.order:
                wake(slot[DONE])
            for turn in self._line:
                wake(turn)
            wake(self._changed)

    async def _keep(self) -> None:
        """PINGREQ, and every deadline. Never waits for the network itself."""
        session = self.session
        rx = self._rx
        while True:
            await asyncio.sleep(self._tick / 1000)
            try:
                now = ticks_ms()
                slept = ticks_diff(now, self._now)
                timeout = self._timeout
                self._now = now
                if "mqtt.backlog" in sys.modules and not (session.order or self._line):
                    load("backlog")  # and let it go
                since = []  # what is waited for
                if self._stage:
                    since.append(self._since)
                    timeout = self._open_for
                elif self.connected:
                    self._push()
                    self._flush()
                    if slept > timeout >> 1:
                        continue  # the whole program stood still: what has arrived meanwhile must be read first
                    if self._pinged:
                        since.append(self._ping_at)
                    if self._out is not None:
                        since.append(self._sent_at)
                    if rx.end > rx.start or rx.left:
                        since.append(self._received_at)
                    for slot in session.order:
                        if not slot[STATE] & 1:
                            since.append(slot[AT])
                    for request in session.waiting.values():
                        since.append(request[AT])
                    if (
                        self.keepalive
                        and not self._pinged
                        and self._out is None
                        and max(ticks_diff(now, self._sent_at), ticks_diff(now, self._received_at)) >= self._idle
                    ):
                        self._pinged = True
                        self._ping_at = now
                        self._push(b"\xc0\x00", 2)  # PINGREQ
                for at in since:
                    if ticks_diff(now, at) > timeout:
                        self._fail(load("wrong").late(self, at))
                        break
            except MemoryError:
                continue  # the next look may find room
