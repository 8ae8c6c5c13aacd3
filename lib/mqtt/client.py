"""The MQTT client: one connection at a time, kept up by one task, shared by all callers.

    DOWN --start()--> OPENING --CONNACK 0--> UP --fault--> DOWN --backoff--> OPENING ...
                                               --disconnect()--> DOWN, and stays so

`_run` is the task: it opens the connection, reads from it until it fails, waits, and begins again. `_keep` runs
beside it,
sends PINGREQ and holds every deadline. Whoever else finds a fault calls `_fail`, which ends what `_run` is at.
A packet leaves by one write. What the socket did not take is `_out`, and nothing else is written until that has gone.
"""

import asyncio
import errno
import sys
from random import getrandbits

from . import load
from .packet import (
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    Decoder,
    Message,
    MQTTError,
    ProtocolError,
    const,
    put_publish,
    topic_bytes,
)
from .session import PUBLISHED, RELEASE, RELEASED, Session, Slot

if sys.implementation.name == "micropython":
    from .transport import Transport, Waiters, ticks_diff, ticks_ms, wait, wake
else:
    from .transport_cpython import (  # type: ignore[assignment,no-redef]  # its twin
        Transport,
        Waiters,
        ticks_diff,
        ticks_ms,
        wait,
        wake,
    )

TYPE_CHECKING = const(0)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .setup import Will

_STABLE = const(10000)  # ms of connection after which the backoff begins anew
_BUSY = 0.005  # s between two tries on a socket that takes no more. Polled: see transport.Transport
_SPINS = const(50)  # tries before that, with only the other tasks in between
_NAP = 0.1  # s; how soon retry_now() is heard
_ACKS = const(64)  # bytes of acknowledgements collected before they are written
_MAX_RECEIVED = const(128)  # QoS 2 messages of the broker between PUBLISH and PUBREL; brokers stop at about 20
_MAX_BODY = const(0x0FFFFFFF)  # of a packet (§2.2.3)


class Client:
    """An MQTT 3.1.1 client (design: one connection, any number of tasks).

    client_id: str, may be "" with clean_session (the broker then chooses). port: 1..65535. user, password: str or None
    (password: bytes too). keepalive: 0..65535 s, 0 switches it off. ssl: None, True, the path of a CA file, or an
    SSLContext.
    reconnect: after a first success of connect(), come back by itself for ever. on_message(Message), on_state(up,
    reason):
    plain functions, called from the reading task: to publish from them, start a task.
    on_large(topic, length, retain): called for a message larger than `buffer`; returns a sink with write(view) and
    finish(complete: bool), or None to drop the message (counted in `dropped`).
    on_attempt(client): called before each attempt to connect; may change host, port and identity (a token that
    expires, the
    next broker), and raises OSError to let this attempt pass.
    window: QoS 1 and 2 messages in flight, 1..255. buffer: bytes, for receiving; half of it for sending, larger
    messages
    leave by two writes. response_timeout: s, for each answer of the broker. max_backoff: s.

    `connected`: bool. `reason`: why the link was last lost, or not made. `dropped`: messages larger than the buffer
    that no
    sink wanted. `connects`: connections made.
    """

    _identity: "tuple[bytes, bytes | None, bytes | None]"  # client identifier, user, password
    _tick: int  # ms between two looks at the deadlines
    _timeout: int  # ms for each answer of the broker
    _idle: int  # ms of silence after which PINGREQ is due
    _open_for: int  # ms that an attempt to connect may take
    _present: bool  # session present
    _topic: "str | bytes"  # the last topic published to; its UTF-8 is _name

    if sys.implementation.name != "micropython":  # there, __getattr__ finds them
        # mypy does not know imports in a class
        from .control import connect, disconnect, retry_now, start  # type: ignore[misc]
        from .persist import export_session, restore_session  # type: ignore[misc]
        from .request import subscribe, unsubscribe  # type: ignore[misc]
        from .setup import set_identity  # type: ignore[misc]

    def __init__(
        self,
        client_id: str,
        host: str,
        port: int = 1883,
        *,
        user: "str | None" = None,
        password: "str | bytes | None" = None,
        keepalive: int = 60,
        clean_session: bool = True,
        will: "Will | None" = None,
        ssl: object = None,
        version: int = 4,
        reconnect: bool = True,
        on_message: "Callable[[Message], object] | None" = None,
        on_state: "Callable[[bool, Exception | None], object] | None" = None,
        on_large: "Callable | None" = None,
        on_attempt: "Callable[[Client], object] | None" = None,
        window: int = 8,
        buffer: int = 512,
        response_timeout: float = 10,
        max_backoff: float = 60,
    ):
        self.host = host
        self.port = port
        self.keepalive = keepalive
        self.clean_session = clean_session
        self.will = will
        self.ssl = ssl
        self.reconnect = reconnect
        self.on_message = on_message
        self.on_state = on_state
        self.on_large = on_large
        self.on_attempt = on_attempt
        self.max_backoff = max_backoff
        load("setup").check(self, client_id, user, password, version, window, buffer, response_timeout)
        self.session = Session(window)
        self.connected = False
        self.reason: "Exception | None" = None
        self.dropped = 0
        self.connects = 0
        self._rx = Decoder(buffer)
        self._tx = bytearray(buffer // 2)
        self._acks = bytearray(_ACKS)
        self._acks_end = 0
        self._transport = Transport()
        self._out: "bytes | bytearray | None" = (
            None  # a packet of which the socket has not taken all; b"": see stream.py
        )
        self._next: "bytes | None" = None  # the second half of that packet
        self._at = self._end = 0
        self._line: list = []  # who waits for room in the window, first come, first served
        self._changed = Waiters()  # who waits for a connection, or to hear that none will come
        self._subscriptions: "dict[bytes, int]" = {}
        self._task: "asyncio.Task | None" = None
        self._stage = ""  # what opening a connection waits for
        self._fault: "Exception | None" = None
        self._now = self._sent_at = self._received_at = self._ping_at = self._since = self._wait = 0
        self._pinged = False
        self._failures = 0
        self._once = False  # connect() has not succeeded yet: one attempt only
        self._topic = self._name = b""

    def __getattr__(self, name: str) -> object:
        """The methods that a connection does not need all the time, on MicroPython."""
        if name in ("subscribe", "unsubscribe"):
            module = "request"
        elif name in ("connect", "start", "disconnect", "retry_now"):
            module = "control"
        elif name == "set_identity":
            module = "setup"
        elif name in ("export_session", "restore_session"):
            module = "persist"
        else:
            raise AttributeError(name)
        function = getattr(load(module), name)
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
        constant
        memory. A file is read again from where it stands if the message must be resent; an iterator can't be: OSError.
        timeout: s, for QoS 1 and 2; then OSError (ETIMEDOUT), and the message may still arrive.
        """
        if topic is not self._topic:
            self._name = topic_bytes(topic)
            self._topic = topic
        name = self._name
        if not isinstance(payload, bytes) or length is not None:
            payload = load("setup").payload_bytes(payload, length)
        if not isinstance(qos, int) or not 0 <= qos <= 2:
            raise ValueError("qos: 0, 1 or 2 wanted, %r given" % (qos,))
        if len(name) + len(payload) + 4 > _MAX_BODY:
            raise ValueError("payload: %d bytes do not fit in a packet" % len(payload))
        head = PUBLISH | qos << 1 | (1 if retain else 0)
        if qos:
            acknowledged = self._acknowledged(head, name, payload)
            if timeout is None:
                await acknowledged
            else:
                await load("control").within(timeout, acknowledged)
            return
        if self._out is not None:
            await self._free()
        if not self.connected:
            raise OSError(errno.ENOTCONN, "not connected")
        if not isinstance(payload, bytes):
            await load("stream").send(self, head, name, 0, payload)
            return
        self._put_publish(head, name, 0, payload)
        if self._fault or self._out is not None:
            await self._free()

    async def _acknowledged(self, head: int, topic: bytes, payload: object) -> None:
        """Send a QoS 1 or 2 message; returns when its handshake is done."""
        session = self.session
        line = self._line
        if line or len(session.order) >= session.window:
            turn = Waiters()
            line.append(turn)
            try:
                while line[0] is not turn or len(session.order) >= session.window:
                    if self._task is None:
                        raise self._fault or OSError(errno.ENOTCONN, "not connected")
                    await wait(turn)
            finally:
                line.remove(turn)
                if line:
                    wake(line[0])
        slot = session.take(head, topic, payload)
        pid = slot.pid
        if self._out is None:
            self._flush()
        while slot.pid == pid:
            if self._task is None:
                raise self._fault or OSError(errno.ENOTCONN, "not connected")
            if slot.state & 1 and self.connected and self._fault is None:
                await asyncio.sleep(_BUSY)
                await self._send_unsent()
            else:
                await wait(slot.done)
        if isinstance(slot.payload, Exception):
            raise slot.payload

    # --- writing ----------------------------------------------------------------------------------------------------

    def _put(self, buf: "bytes | bytearray", end: int) -> None:
        """Hand the packet buf[:end] to the socket in one write. What it does not take is `_out` then, and goes by
        `_push`."""
        self._out = buf
        self._at = 0
        self._end = end
        self._push()

    def _push(self) -> None:
        """Hand over more of what is pending, without waiting. A fault ends the link."""
        while self._out:
            try:
                count = self._transport.write(self._out, self._at, self._end)
            except OSError as e:
                self._fail(e)
                return
            if not count:
                return
            self._sent_at = self._now
            self._at += count
            if self._at >= self._end:
                self._out = out = self._next
                if out:
                    self._next = None
                    self._at = 0
                    self._end = len(out)

    def _put_publish(self, first: int, topic: bytes, pid: int, payload: bytes) -> None:
        buf = self._tx
        end = put_publish(buf, first, topic, pid, payload)
        if end <= 0:
            if not end:
                buf = bytearray(len(topic) + 9)
                end = put_publish(buf, first, topic, pid, payload)
            if end < 0:
                self._next = payload
        self._put(buf, end if end > 0 else -end)

    async def _free(self) -> None:
        """Wait until the socket has taken all of the last packet. Raises OSError when the link is gone."""
        tries = 0
        while self._out is not None and self.connected and self._fault is None:
            await asyncio.sleep(0 if tries < _SPINS else _BUSY)
            tries += 1
            self._push()
        if not self.connected or self._fault:
            raise OSError(errno.ENOTCONN, "not connected: %s" % (self._fault or self.reason))

    def _flush(self) -> None:
        """Write what the session has to write, oldest first, as far as the socket takes it."""
        session = self.session
        while session.unsent and self._out is None and self.connected and self._fault is None:
            for slot in session.order:
                if slot.state & 1:
                    break
            pid = slot.pid
            if slot.state == RELEASE:
                self._put(bytes((PUBREL, 2, pid >> 8, pid & 255)), 4)
            elif isinstance(slot.payload, bytes):
                self._put_publish(slot.head | 8 if slot.dup else slot.head, slot.topic, pid, slot.payload)
            else:
                return  # from a file: only _send_unsent can do that
            self._wrote(slot)

    def _wrote(self, slot: Slot) -> None:
        slot.state += 1
        slot.dup = True
        slot.at = self._now
        self.session.unsent -= 1

    async def _send_unsent(self) -> None:
        """_flush, for who can wait. Errors are those of the link: its task knows them."""
        session = self.session
        try:
            while session.unsent:
                await self._free()
                self._flush()
                if session.unsent and self._out is None and self._fault is None:
                    await load("stream").resend(self)
        except OSError:
            return

    def _fail(self, reason: Exception) -> None:
        """The link is at fault, found by another than the reading task, perhaps: end what that is at."""
        if self._fault is None and (self.connected or self._stage):
            self._fault = reason
            if self._task is not asyncio.current_task():
                self._task.cancel()  # type: ignore[union-attr]  # a link has its task

    # --- the task: connecting, reading ------------------------------------------------------------------------------

    async def _run(self, timeout: float) -> None:
        """Connect, read, and after a fault wait and begin again, until disconnect() cancels it or nobody wants more."""
        session = self.session
        keeper = asyncio.create_task(self._keep())
        try:
            while True:
                try:
                    await load("opening").open_link(self, timeout)
                    await self._send_unsent()
                    await self._read()
                except asyncio.CancelledError:
                    if self._fault is None:
                        raise
                except (OSError, MQTTError, MemoryError) as e:
                    self._fault = self._fault or e
                self._stage = ""
                self.reason = self._fault
                self._lost()
                if not self.reconnect or self._once:
                    return
                # Full jitter under an exponential ceiling; refused by name (not "server unavailable"): near the
                # ceiling.
                ceiling = int(self.max_backoff * 1000)
                chance = getrandbits(16)
                if getattr(self.reason, "code", 3) != 3:
                    delay = ceiling - (chance * (ceiling >> 2) >> 16)
                else:
                    delay = chance * min(ceiling, 500 << min(self._failures, 12)) >> 16
                self._wait = delay
                since = ticks_ms()
                while self._wait > ticks_diff(ticks_ms(), since):
                    await asyncio.sleep(_NAP)
        finally:
            keeper.cancel()
            if self._task is asyncio.current_task():
                self._task = None
            for slot in session.order:
                wake(slot.done)
            for turn in self._line:
                wake(turn)
            wake(self._changed)

    def _lost(self) -> None:
        """The link is gone: close, and tell who waits for an answer on it."""
        self._transport.close()
        self._out = self._next = None
        requests = self.session.waiting
        for request in requests.values():
            wake(request[2])
        requests.clear()
        if self.connected:
            self.connected = False
            if ticks_diff(self._now, self._since) > _STABLE:
                self._failures = 0
            self._call(self.on_state, False, self.reason)

    async def _read(self) -> None:
        """Read and handle packets until something fails."""
        rx = self._rx
        transport = self._transport
        while True:
            while True:
                first = rx.next()
                if not first:
                    break
                if rx.left:
                    await load("oversize").receive(self, first)
                else:
                    self._handle(first)
                if self._acks_end > _ACKS - 4:
                    break
            if self._acks_end:
                if self._out is not None:
                    await self._free()
                self._put(self._acks, self._acks_end)
                self._acks_end = 0
                if self._out is not None:
                    await self._free()
            if self._fault:
                raise self._fault
            if not first:
                room = rx.room()
                if transport.exact and len(room) > rx.due:
                    room = memoryview(room)[: rx.due]
                rx.end += await transport.readinto(room)
                self._received_at = self._now

    def _handle(self, first: int) -> None:
        """Act on the packet that next() returned."""
        rx = self._rx
        session = self.session
        reply = 0
        if first & 0xF0 == PUBLISH:
            message = rx.publish(first)
            qos = message.qos
            known = session.received
            if qos < 2 or rx.pid not in known:
                if qos == 2:
                    if len(known) >= _MAX_RECEIVED:
                        raise ProtocolError("too many QoS 2 messages without PUBREL")
                    known.add(rx.pid)
                self._call(self.on_message, message)
            if qos:
                reply = PUBACK if qos == 1 else PUBREC
        elif first == PINGRESP:
            self._pinged = False
        elif first == PUBREL:
            session.received.discard(rx.pid)
            reply = PUBCOMP
        elif PUBACK <= first <= PUBCOMP:
            # Unknown, repeated and late acknowledgements are ignored; an unknown PUBREC is answered, or it would
            # come again.
            slot = session.find(rx.pid)
            if first == PUBREC:
                if slot is None or (slot.head & 4 and slot.state in (PUBLISHED, RELEASED)):
                    if slot:
                        slot.state = RELEASED
                        slot.at = self._now
                    reply = PUBREL
            elif slot and (
                slot.state == RELEASED if first == PUBCOMP else slot.state == PUBLISHED and not slot.head & 4
            ):
                session.free(slot)
                if self._line:
                    wake(self._line[0])
        else:
            load("request").answered(self, first)
        if reply:
            pid = rx.pid
            acks = self._acks
            at = self._acks_end
            acks[at] = reply
            acks[at + 1] = 2
            acks[at + 2] = pid >> 8
            acks[at + 3] = pid & 255
            self._acks_end = at + 4

    def _call(self, function: "Callable | None", *args: object) -> object:
        """Call the application; an exception of its own is reported, and does not end the link. Returns its result."""
        if function:
            try:
                return function(*args)
            except Exception as e:  # noqa: BLE001  (whatever the application raises; it is reported)
                # MicroPython's own handler wants a task: it prints its coroutine.
                asyncio.get_event_loop().call_exception_handler(
                    {"message": "in a callback of mqtt", "exception": e, "future": asyncio.current_task()}
                )
        return None

    # --- deadlines --------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """PINGREQ, and every deadline. Never waits for the network itself."""
        session = self.session
        while True:
            await asyncio.sleep(self._tick / 1000)
            now = ticks_ms()
            slept = ticks_diff(now, self._now)
            self._now = now
            timeout = self._timeout
            late = None
            if self._stage:
                if ticks_diff(now, self._since) > self._open_for:
                    late = self._stage
            elif self.connected:
                self._push()
                self._flush()
                if slept > timeout >> 1:
                    continue  # the whole program stood still: what has arrived meanwhile must be read first
                if self._pinged and ticks_diff(now, self._ping_at) > timeout:
                    late = "PINGRESP"
                elif self._out is not None and ticks_diff(now, self._sent_at) > timeout:
                    late = "progress in sending"
                elif (self._rx.end > self._rx.start or self._rx.left) and ticks_diff(now, self._received_at) > timeout:
                    late = "rest of a packet"
                for slot in session.order:
                    if not slot.state & 1 and ticks_diff(now, slot.at) > timeout:
                        late = "PUBCOMP" if slot.state == RELEASED else "PUBREC" if slot.head & 4 else "PUBACK"
                for request in session.waiting.values():
                    if ticks_diff(now, request[1]) > timeout:
                        late = "SUBACK" if request[0] == SUBACK else "UNSUBACK"
                if self.keepalive and not self._pinged and self._out is None and late is None:
                    idle = self._idle
                    if ticks_diff(now, self._sent_at) >= idle or ticks_diff(now, self._received_at) >= idle:
                        self._pinged = True
                        self._ping_at = now
                        self._put(b"\xc0\x00", 2)  # PINGREQ
            if late:
                self._fail(OSError(errno.ETIMEDOUT, "no %s in time" % late))
