"""The MQTT client: one connection at a time, kept up by one task, shared by all callers.

    DOWN --connect()--> OPENING --CONNACK 0--> UP --fault--> DOWN --backoff--> OPENING ...
                                                 --disconnect()--> DOWN, and stays so

`_run` is the task: it opens the connection, reads from it until it fails, waits, and begins again. `_keep` runs beside it
while the link is up, sends PINGREQ and holds every deadline. Whoever finds a fault calls `_fail`.
Written is through one buffer: a packet that fits in it leaves by one write. `_turn` is held across the pieces of a packet.
"""

import asyncio
import errno
import sys

from . import packet
from .packet import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    UNSUBACK,
    ConnectRefused,
    Message,
    MQTTError,
    ProtocolError,
    SubscribeRefused,
    const,
)
from .session import PUBLISHED, RELEASE, RELEASED, Session

if sys.implementation.name == "micropython":
    from .transport import Transport, random_bits, ticks_diff, ticks_ms
else:
    from .transport_cpython import Transport, random_bits, ticks_diff, ticks_ms

TYPE_CHECKING = const(0)
if TYPE_CHECKING:
    from collections.abc import Callable

_STABLE = const(10000)  # ms of connection after which the backoff begins anew
_LOOKUP_AFTER = const(2)  # failures to connect after which the broker's name is looked up again
_ACKS = const(64)  # bytes of acknowledgements collected before they are written


class Client:
    """An MQTT 3.1.1 client (design: one connection, any number of tasks).

    client_id: str, may be "" with clean_session (the broker then chooses). port: 1..65535. user, password: str or None.
    keepalive: 0..65535 s, 0 switches it off. ssl: None, True, the path of a CA file, or an SSLContext.
    reconnect: after a first success of connect(), come back by itself for ever. on_message(Message), on_state(up, reason):
    plain functions, called from the reading task: to publish from them, start a task.
    on_large(topic, length, retain): called for a message larger than `buffer`; returns a sink with write(view) and
    finish(complete: bool), or None to drop the message (counted in `dropped`).
    on_attempt(client): called before each attempt to connect; may change host, port and identity (a token that expires, the
    next broker), and raises OSError to let this attempt pass.
    window: QoS 1 and 2 messages in flight, 1..255. buffer: bytes, for receiving and for sending each.
    response_timeout: s, for each answer of the broker. max_backoff: s.
    """

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
        will: "packet.Will | None" = None,
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
        for name, value, low, high in (
            ("port", port, 1, 65535),
            ("keepalive", keepalive, 0, 65535),
            ("window", window, 1, 255),
            ("buffer", buffer, 64, 65535),
        ):
            if not isinstance(value, int):
                raise TypeError("%s: int wanted, %s given" % (name, type(value).__name__))
            if not low <= value <= high:
                raise ValueError("%s: %d to %d wanted, %d given" % (name, low, high, value))
        if version != 4:
            raise ValueError("version: 4 (MQTT 3.1.1) wanted, %r given" % (version,))
        if not client_id and not clean_session:
            raise ValueError("client_id: needed with clean_session=False [MQTT-3.1.3-7]")
        if password is not None and user is None:
            raise ValueError("password: only with a user [MQTT-3.1.2-22]")
        self.host = host
        self.port = port
        self.ssl = ssl
        self.will = will
        self.reconnect = reconnect
        self.clean_session = clean_session
        self.keepalive = keepalive
        self.on_message = on_message
        self.on_state = on_state
        self.on_large = on_large
        self.on_attempt = on_attempt
        self.max_backoff = max_backoff
        self.set_identity(client_id, user, password)
        self.connected = False
        self.session = Session(window)
        self.reason: "Exception | None" = None  # why the link was last lost, or not made
        self.dropped = 0  # messages larger than the buffer that no sink wanted
        self.connects = 0  # connections made
        self._timeout = int(response_timeout * 1000)
        self._tick = min(1000, self._timeout // 4, keepalive * 125 or 1000)
        self._idle = keepalive * 1000 - min(keepalive * 250, 5000)  # ms of silence after which PINGREQ is due
        self._rx = packet.Decoder(buffer)
        self._tx = bytearray(buffer)
        self._acks = bytearray(_ACKS)
        self._acks_end = 0
        self._transport = Transport()
        self._turn = asyncio.Lock()
        self._pending: object = None  # a buffer of which the socket has not taken all yet
        self._at = self._end = 0
        self._freed = asyncio.Event()  # a slot of the window became free
        self._admission = asyncio.Lock()  # first come, first served, when the window is full
        self._wake = asyncio.Event()  # ends a backoff
        self._up = asyncio.Event()  # set while connected, or when no connection will come
        self._subscriptions: dict = {}
        self._task: "asyncio.Task | None" = None
        self._fault: "Exception | None" = None
        self._now = self._sent_at = self._received_at = self._ping_at = 0
        self._pinged = False
        self._failures = 0
        self._topic = ""
        self._topic_bytes = b""

    def set_identity(self, client_id: str, user: "str | None" = None, password: "str | bytes | None" = None) -> None:
        """Replace the credentials that the next CONNECT presents (tokens expire)."""
        self._client_id = packet.text_bytes(client_id, "client_id")
        self._user = None if user is None else packet.text_bytes(user, "user")
        if password is None or isinstance(password, bytes):
            self._password = password
        else:
            self._password = packet.text_bytes(password, "password")
        if self._password is not None and len(self._password) > 65535:
            raise ValueError("password: at most 65535 bytes wanted")

    # --- what callers use -------------------------------------------------------------------------------------------

    async def connect(self, timeout: float = 10) -> bool:
        """Make the first connection; returns session present.

        timeout: s, for TCP, TLS and CONNACK together (a name lookup blocks and is not counted on the chip).
        Raises ConnectRefused, ProtocolError, or OSError (ETIMEDOUT with the stage in its text).
        """
        if self._task is not None:
            raise OSError(errno.EALREADY, "connect was called already")
        present = await self._open(timeout)
        self._task = asyncio.create_task(self._run(timeout))
        return present

    def start(self, timeout: float = 10) -> None:
        """Connect in the background, and try for ever (`reconnect`); `on_state` and `reason` tell how it goes."""
        if self._task is not None:
            raise OSError(errno.EALREADY, "connect was called already")
        self._task = asyncio.create_task(self._run(timeout))

    async def publish(
        self,
        topic: str,
        payload: object,
        qos: int = 0,
        retain: bool = False,
        timeout: "float | None" = None,
        length: "int | None" = None,
    ) -> None:
        """Publish. QoS 0: returns when written, OSError without a link. QoS 1 and 2: when the handshake is done, across reconnects.

        payload: bytes-like or str; with `length` (bytes) a file open for reading, or an iterator of bytes: sent in constant
        memory. A file is read again from where it stands if the message must be resent; an iterator can't be: OSError.
        timeout: s, for QoS 1 and 2; then OSError (ETIMEDOUT), and the message may still arrive.
        """
        if topic is not self._topic:
            self._topic_bytes = packet.topic_bytes(topic)
            self._topic = topic
        if qos == 0 and length is None:
            if not isinstance(payload, bytes):
                payload = packet.payload_bytes(payload)
            if not self.connected:
                raise OSError(errno.ENOTCONN, "not connected")
            if self._is_free():
                end = packet.put_publish(
                    self._tx, 0x31 if retain else PUBLISH, self._topic_bytes, 0, payload, len(payload)
                )
                if end and self._put(self._tx, end):
                    return
        await self._publish(self._topic_bytes, payload, qos, retain, timeout, length)

    async def subscribe(self, topic_filter: "str | list", qos: int = 0) -> list:
        """Subscribe to a filter, or to [(filter, qos), ...]; returns the granted QoS of each.

        Subscriptions are made again after a reconnect without session. Raises SubscribeRefused if any is refused.
        """
        wanted = [(topic_filter, qos)] if isinstance(topic_filter, str) else list(topic_filter)
        filters = []
        for name, level in wanted:
            packet.check_qos(level)
            filters.append((packet.filter_bytes(name), level))
        if not filters:
            raise ValueError("filter: at least one wanted")
        codes = await self._request(SUBACK, filters)
        if len(codes) != len(filters):
            raise self._fail(ProtocolError("SUBACK for %d filters, %d asked" % (len(codes), len(filters))))
        for (name, level), code in zip(filters, codes):
            if code != 0x80:
                self._subscriptions[name] = level
        if 0x80 in codes:
            raise SubscribeRefused(codes)
        return codes

    async def unsubscribe(self, topic_filter: "str | list") -> None:
        """Take back one filter, or a list of them."""
        names = [topic_filter] if isinstance(topic_filter, str) else topic_filter
        filters = [packet.filter_bytes(name) for name in names]
        if not filters:
            raise ValueError("filter: at least one wanted")
        for name in filters:
            self._subscriptions.pop(name, None)
        await self._request(UNSUBACK, filters)

    async def disconnect(self) -> None:
        """Say goodbye (the will is not sent) and stay away. Who still waits gets OSError."""
        task = self._task
        self._task = None
        if self.connected:
            try:
                await asyncio.wait_for(self._send(DISCONNECT, 2), self._timeout / 1000)
            except (OSError, asyncio.TimeoutError):
                pass  # the link is gone already: the same to us
        if task is not None:
            self._fault = OSError(errno.ENOTCONN, "disconnected")
            task.cancel()
            self._down(self._fault)
            self._give_up()

    def retry_now(self) -> None:
        """The network is back: end the wait between two attempts."""
        self._failures = 0
        self._wake.set()

    # --- the task ---------------------------------------------------------------------------------------------------

    async def _run(self, timeout: float) -> None:
        while True:
            try:
                if not self.connected:
                    await self._open(timeout)
                await self._serve()
            except (OSError, MQTTError) as e:
                self._fault = self._fault or e
            self._down(self._fault)
            if not self.reconnect:
                self._task = None
                self._give_up()
                return
            await self._pause()

    async def _serve(self) -> None:
        """Read from the connection until it fails; returns or raises what ended it."""
        since = self._now
        keeper = asyncio.create_task(self._keep())
        try:
            await self._restore()
            await self._read()
        except asyncio.CancelledError:
            if self._fault is None or self._task is None:
                raise
        finally:
            keeper.cancel()
            if ticks_diff(self._now, since) > _STABLE:
                self._failures = 0

    async def _open(self, timeout: float) -> bool:
        """Connect once, up to CONNACK. Raises OSError, ConnectRefused or ProtocolError, with everything closed."""
        self._stage = "TCP connection"
        self._fault = None
        if self.on_attempt:
            self.on_attempt(self)
        fresh = self._failures > 0 and self._failures % _LOOKUP_AFTER == 0
        self._failures += 1
        try:
            present = await asyncio.wait_for(self._handshake(fresh), timeout)
        except asyncio.TimeoutError:
            self._transport.close()
            raise OSError(errno.ETIMEDOUT, "no %s within %s s" % (self._stage, timeout))
        except BaseException:
            self._transport.close()
            raise
        self._pinged = False
        self._now = self._sent_at = self._received_at = ticks_ms()
        self.session.reconnected(present)
        self._resubscribe = not present
        self.connected = True
        self.connects += 1
        self._up.set()
        self._call(self.on_state, True, None)
        return present

    async def _handshake(self, fresh: bool) -> bool:
        rx = self._rx
        rx.clear()
        self._pending = None
        self._acks_end = 0
        await self._transport.open(self.host, self.port, self.ssl, fresh)
        self._stage = "CONNACK"
        hello = packet.connect(
            self._client_id, self.keepalive, self.clean_session, self._user, self._password, self.will
        )
        at = 0
        while at < len(hello):
            count = self._transport.write(hello, at, len(hello))
            at += count
            if at < len(hello):
                await self._transport.writable()
        while True:
            first = rx.next()
            if first:
                break
            await self._fill()
        if first != CONNACK:
            raise ProtocolError("first packet 0x%02x, CONNACK wanted [MQTT-3.2.0-1]" % first)
        present, code = rx.connack()
        if code:
            raise ConnectRefused(code)
        if present and self.clean_session:
            raise ProtocolError("session present in spite of clean session [MQTT-3.2.2-1]")
        return present

    async def _restore(self) -> None:
        """After CONNACK: subscriptions that the broker does not have, then what was in flight."""
        if self._resubscribe:
            for item in list(self._subscriptions.items()):
                pid = self.session.new_pid()
                self.session.waiting[pid] = _Request(SUBACK, self._now, item[0])
                data = packet.subscribe(pid, [item])
                await self._send(data, len(data))
        await self._pump()

    async def _pause(self) -> None:
        """Wait before the next attempt: full jitter under an exponential ceiling; refused by name: the whole ceiling."""
        ceiling = int(self.max_backoff * 1000)
        if isinstance(self.reason, ConnectRefused) and self.reason.code != 3:
            delay = ceiling - (random_bits(8) * ceiling >> 10)
        else:
            ceiling = min(ceiling, 500 << min(self._failures, 16))
            delay = random_bits(16) * ceiling >> 16
        try:
            await asyncio.wait_for(self._wake.wait(), delay / 1000)
        except asyncio.TimeoutError:
            pass  # the usual end of a wait
        self._wake.clear()

    def _fail(self, reason: Exception) -> Exception:
        """The link is at fault, found by another than the reading task: stop that. Returns the reason, to be raised."""
        if self.connected and self._fault is None:
            self._fault = reason
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()
        return reason

    def _down(self, reason: "Exception | None") -> None:
        """The link is gone: close, tell, and let those waiting for an answer on it know."""
        self._transport.close()
        self._pending = None
        self.reason = reason
        if self.connected:
            self.connected = False
            self._up.clear()
            for request in self.session.waiting.values():
                request.codes = None
                request.done.set()
            self.session.waiting.clear()
            self._call(self.on_state, False, reason)

    def _give_up(self) -> None:
        """No connection will come: wake who waits for one. The session keeps its messages."""
        for slot in self.session.order:
            slot.done.set()
        self._freed.set()
        self._up.set()

    def _call(self, function, *args):
        """Call the application; an exception of its own is reported, and does not end the link. Returns its result."""
        if function:
            try:
                return function(*args)
            except Exception as e:
                self._report(e)
        return None

    def _report(self, error: Exception) -> None:
        asyncio.get_event_loop().call_exception_handler(
            {"message": "in a callback", "exception": error, "future": None}
        )

    # --- reading ----------------------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        rx = self._rx
        room = rx.room()
        if self._transport.exact and len(room) > rx.due:
            room = memoryview(room)[: rx.due]
        rx.filled(await self._transport.readinto(room))

    async def _read(self) -> None:
        """Read and handle packets until something fails."""
        rx = self._rx
        transport = self._transport
        while True:
            while True:
                first = rx.next()
                if not first:
                    break
                if first == PUBACK:
                    if self.session.acked(PUBACK, rx.pid()):
                        self._freed.set()
                elif first & 0xF0 == PUBLISH:
                    if rx.left:
                        await self._large(first)
                    else:
                        self._message(first)
                else:
                    self._control(first)
                if self._acks_end > _ACKS - 4:
                    await self._send_acks()
            if self._acks_end:
                await self._send_acks()
            if transport.exact:
                await self._fill()
            else:
                rx.filled(await transport.readinto(rx.room()))
            self._received_at = self._now

    def _message(self, first: int) -> None:
        topic, pid, payload = self._rx.publish(first)
        qos = first >> 1 & 3
        if qos < 2 or self.session.first_time(pid):
            self._call(self.on_message, Message(topic, payload, qos, bool(first & 1), bool(first & 8)))
        self._ack(qos, pid)

    def _ack(self, qos: int, pid: int) -> None:
        if qos:
            self._acks_end = packet.put_ack(self._acks, self._acks_end, PUBACK if qos == 1 else PUBREC, pid)

    async def _large(self, first: int) -> None:
        """A message larger than the buffer: to the sink, if one wants it, else nowhere; in constant memory."""
        rx = self._rx
        qos = first >> 1 & 3
        pid = 0
        sink = None
        topic_fits = rx.size > 0
        if topic_fits:
            topic, pid, _ = rx.publish(first)
            if qos < 2 or pid not in self.session.received:
                sink = self._call(self.on_large, topic, rx.left, bool(first & 1))
        if sink is None:
            self.dropped += 1
        at = 0
        try:
            while rx.left:
                piece = rx.piece()
                if not piece:
                    await self._fill()
                    self._received_at = self._now
                elif sink is not None:
                    try:
                        sink.write(piece)
                    except Exception as e:
                        self._report(e)
                        self._call(sink.finish, False)
                        sink = None
                elif not topic_fits:
                    for i in (rx.pid_at, rx.pid_at + 1):
                        if qos and at <= i < at + len(piece):
                            pid = pid << 8 | piece[i - at]
                    at += len(piece)
        except BaseException:
            if sink is not None:
                self._call(sink.finish, False)
            raise
        if sink is not None:
            self._call(sink.finish, True)
        if qos:
            if not pid:
                raise ProtocolError("packet identifier 0")
            if qos == 2:
                self.session.first_time(pid)
            self._ack(qos, pid)

    def _control(self, first: int) -> None:
        """All packets but PUBLISH and PUBACK."""
        rx = self._rx
        session = self.session
        if first == PINGRESP:
            self._pinged = False
            return
        if first == CONNACK:
            raise ProtocolError("a second CONNACK")
        pid = rx.pid()
        if first == PUBCOMP:
            if session.acked(PUBCOMP, pid):
                self._freed.set()
        elif first == PUBREC:
            if session.pubrec(pid):
                self._acks_end = packet.put_ack(self._acks, self._acks_end, PUBREL, pid)
        elif first == PUBREL:
            session.received.discard(pid)
            self._acks_end = packet.put_ack(self._acks, self._acks_end, PUBCOMP, pid)
        else:
            request = session.waiting.get(pid)
            if request is None or request.kind != first:
                return  # late, or unasked for: nobody waits
            del session.waiting[pid]
            codes = request.codes = rx.suback() if first == SUBACK else []
            request.done.set()
            if request.name is not None and 0x80 in codes:
                del self._subscriptions[request.name]
                self.reason = SubscribeRefused(codes)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _put(self, buf, end: int) -> bool:
        """Hand buf[:end] to the socket in one write; True when it took all. The rest is `_pending` otherwise."""
        self._sent_at = self._now
        try:
            count = self._transport.write(buf, 0, end)
        except OSError as e:
            raise self._fail(e)
        if count == end:
            return True
        self._pending = buf
        self._at = count
        self._end = end
        return False

    def _push(self) -> None:
        """Hand over more of what is pending, without waiting."""
        try:
            count = self._transport.write(self._pending, self._at, self._end)
        except OSError as e:
            raise self._fail(e)
        if count:
            self._sent_at = self._now
            self._at += count
            if self._at >= self._end:
                self._pending = None

    async def _drain(self) -> None:
        """Write all that is pending. For who holds the turn."""
        while self._pending is not None:
            await self._transport.writable()
            if self._pending is not None:  # the connection may be gone meanwhile
                self._push()
        if not self.connected:
            raise self._offline()

    async def _take_turn(self) -> None:
        """Wait until this task alone writes, and nothing is pending. To be released after."""
        await self._turn.acquire()
        try:
            await self._drain()
        except BaseException:
            self._turn.release()
            raise

    def _is_free(self) -> bool:
        return self._pending is None and not self._turn.locked()

    async def _free(self) -> None:
        """Wait until a packet can be built in `_tx` and written at once."""
        while not self._is_free():
            await self._take_turn()
            self._turn.release()

    async def _send(self, buf, end: int) -> None:
        """Write one packet that stands in a buffer of its own."""
        await self._free()
        if not self._put(buf, end):
            await self._free()

    async def _send_acks(self) -> None:
        end = self._acks_end
        self._acks_end = 0
        await self._send(self._acks, end)

    async def _pump(self) -> None:
        """Write what the session has to write, oldest first."""
        session = self.session
        while session.unsent and self.connected:
            if not self._is_free():
                await self._free()
                continue
            slot = session.next_unsent()
            if slot.state == RELEASE:
                end = packet.put_ack(self._tx, 0, PUBREL, slot.pid)
            else:
                first = slot.head | 8 if slot.dup else slot.head
                if not isinstance(slot.payload, bytes):
                    end = 0
                else:
                    end = packet.put_publish(self._tx, first, slot.topic, slot.pid, slot.payload, slot.size)
            session.sent(slot, self._now)
            if not end:
                pid = slot.pid
                try:
                    await self._stream(first, slot.topic, pid, slot.payload, slot.size)
                except (ValueError, _Spent) as e:
                    if slot.pid == pid:
                        slot.payload = e  # for the task that waits for it
                        session.free(slot)
                        self._freed.set()
                slot.at = self._now
            elif not self._put(self._tx, end):
                await self._free()

    async def _stream(self, first: int, topic: bytes, pid: int, payload, size: int) -> None:
        """Write a PUBLISH in pieces of the buffer's size. Ended half-way, it ends the link."""
        head = packet.publish_head(first, topic, pid, size)
        await self._take_turn()
        try:
            buf = self._tx
            at = 0
            for source in ((head,), _pieces(payload, size, len(buf))):
                for piece in source:
                    piece = memoryview(piece)
                    while piece:
                        count = min(len(buf) - at, len(piece))
                        buf[at : at + count] = piece[:count]
                        piece = piece[count:]
                        at += count
                        if at == len(buf):
                            if not self._put(buf, at):
                                await self._drain()
                            at = 0
            if at and not self._put(buf, at):
                await self._drain()
        except BaseException as e:
            self._fail(OSError(errno.ECONNABORTED, "a message was broken off: %r" % e))
            raise
        finally:
            self._turn.release()

    async def _publish(self, topic: bytes, payload, qos: int, retain: bool, timeout, length) -> None:
        """publish() for all but the simplest case."""
        packet.check_qos(qos)
        if length is None:
            payload = packet.payload_bytes(payload)
            length = len(payload)
        elif not isinstance(length, int) or length < 0:
            raise ValueError("length: number of bytes wanted, %r given" % (length,))
        else:
            payload = _File(payload) if hasattr(payload, "read") else _Once(payload)
        head = PUBLISH | qos << 1 | (1 if retain else 0)
        packet.publish_head(head, topic, qos, length)  # checks the size
        if not qos:
            if not self.connected:
                raise self._offline()
            await self._free()
            end = packet.put_publish(self._tx, head, topic, 0, payload, length) if isinstance(payload, bytes) else 0
            if not end:
                await self._stream(head, topic, 0, payload, length)
            elif not self._put(self._tx, end):
                await self._free()
        elif timeout is None:
            await self._acknowledged(head, topic, payload, length)
        else:
            try:
                await asyncio.wait_for(self._acknowledged(head, topic, payload, length), timeout)
            except asyncio.TimeoutError:
                raise OSError(errno.ETIMEDOUT, "not acknowledged within %s s; it may still arrive" % timeout)

    async def _acknowledged(self, head: int, topic: bytes, payload, size: int) -> None:
        """Send a QoS 1 or 2 message; returns when its handshake is done."""
        session = self.session
        slot = None if self._admission.locked() else session.take(head, topic, payload, size)
        if slot is None:
            async with self._admission:
                while slot is None:
                    if self._task is None:
                        raise self._offline()
                    self._freed.clear()
                    await self._freed.wait()
                    slot = session.take(head, topic, payload, size)
        pid = slot.pid
        if self.connected:
            if session.unsent == 1 and self._is_free() and isinstance(payload, bytes):
                end = packet.put_publish(self._tx, head, topic, pid, payload, size)
                if end:
                    session.sent(slot, self._now)
                    self._put(self._tx, end)
            try:
                await self._pump()
            except (OSError, MQTTError):
                pass  # the link is down; the message is sent again on the next one
        if slot.pid == pid:
            if self._task is None:
                raise self._offline()
            await slot.done.wait()
            if slot.pid == pid:
                raise self._offline()
        if isinstance(slot.payload, Exception):
            raise slot.payload

    async def _request(self, kind: int, filters: list) -> list:
        """SUBSCRIBE or UNSUBSCRIBE; returns the codes of its answer, from this connection or a later one."""
        session = self.session
        while True:
            while not self.connected:
                if self._task is None:
                    raise self._offline()
                await self._up.wait()
            pid = session.new_pid()
            request = session.waiting[pid] = _Request(kind, self._now)
            make = packet.subscribe if kind == SUBACK else packet.unsubscribe
            data = make(pid, filters)
            try:
                await self._send(data, len(data))
                await request.done.wait()
            except (OSError, MQTTError):
                pass  # asked again on the next connection
            finally:
                session.waiting.pop(pid, None)
            if request.codes is not None:
                return request.codes

    def _offline(self) -> OSError:
        return OSError(errno.ENOTCONN, "not connected: %s" % (self._fault or self.reason or "connect() first"))

    # --- deadlines --------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """While the link is up: PINGREQ, and every deadline. Never waits for the network itself."""
        while True:
            await asyncio.sleep(self._tick / 1000)
            now = self._now = ticks_ms()
            late = self._late(now)
            if late:
                self._fail(OSError(errno.ETIMEDOUT, late))
                return
            try:
                if self._pending is not None:
                    if not self._turn.locked():
                        self._push()
                elif self.keepalive and not self._pinged and not self._turn.locked():
                    sent = ticks_diff(now, self._sent_at)
                    if sent >= self._idle or ticks_diff(now, self._received_at) >= self._idle:
                        self._pinged = True
                        self._ping_at = now
                        self._put(PINGREQ, 2)
            except OSError:
                return  # _put and _push have told the reading task

    def _late(self, now: int) -> "str | None":
        """What has not come within the response time-out."""
        timeout = self._timeout
        if self._pinged and ticks_diff(now, self._ping_at) > timeout:
            return "no PINGRESP"
        if self._pending is not None and ticks_diff(now, self._sent_at) > timeout:
            return "the socket takes no more bytes"
        if self._rx.partial() and ticks_diff(now, self._received_at) > timeout:
            return "stalled inside a packet"
        for slot in self.session.order:
            if slot.state in (PUBLISHED, RELEASED) and ticks_diff(now, slot.at) > timeout:
                return "no PUBCOMP" if slot.state == RELEASED else "no PUBREC" if slot.head & 4 else "no PUBACK"
        for request in self.session.waiting.values():
            if ticks_diff(now, request.at) > timeout:
                return "no SUBACK" if request.kind == SUBACK else "no UNSUBACK"
        return None


class _Spent(OSError):
    """A message from an iterator that would have to be sent a second time."""


class _Request:
    """Who waits for a SUBACK or UNSUBACK. `name`: the filter, when no task waits (made again after a reconnect)."""

    def __init__(self, kind: int, at: int, name: "bytes | None" = None):
        self.kind = kind
        self.at = at
        self.name = name
        self.codes: "list | None" = None
        self.done = asyncio.Event()


class _File:
    """A payload read from a file, from where it stands; can be read again."""

    def __init__(self, file):
        self.file = file
        self.start = file.tell()

    def pieces(self, chunk: int):
        self.file.seek(self.start)
        while True:
            piece = self.file.read(chunk)
            if not piece:
                return
            yield piece


class _Once:
    """A payload from an iterator of bytes."""

    def __init__(self, source):
        self.source = iter(source)

    def pieces(self, chunk: int):
        source = self.source
        self.source = None
        if source is None:
            raise _Spent(errno.EIO, "a message from an iterator can't be sent again; it may have arrived")
        return source


def _pieces(payload, size: int, chunk: int):
    """Exactly `size` bytes of a payload, in pieces. Raises ValueError when it is shorter."""
    if isinstance(payload, bytes):
        yield payload
        return
    for piece in payload.pieces(chunk):
        if len(piece) >= size:
            yield memoryview(piece)[:size]
            return
        size -= len(piece)
        yield piece
    if size:
        raise ValueError("payload: ended %d bytes before its length" % size)
