"""The node's MQTT connection: which broker with which credentials, what is said on arrival, and how fast to talk.

The client (lib/mqtt) keeps the connection up by itself. Before each of its attempts `_attempt` decides which broker is
next, waits for the platform's time between two connects, and signs fresh credentials; after each success `_greet` says
birth. A token that ends is renewed before by a new connection.
"""

import asyncio
import errno
import gc
import time

import cloud
from micropython import const
from mqtt import Client, Message, MQTTError

from . import call
from .log import INFO, WARNING

_LOOK_MS = const(1000)
_AGAIN_S = const(2)  # after too little memory
_WAITING = const(4)  # commands
_LARGEST = const(1024)  # bytes of a command's payload, as in commands.py


class Link:
    """One broker at a time, in the order of the settings; the next one after each failure to connect.

    ready: connected, and all that follows a CONNACK is said: reports may go. said: why there is no connection, in words.
    """

    def __init__(self, platform, node, clean_session: bool):
        self.platform = platform
        self.ready = False
        self.said = ""
        self._node = node
        self._broker = -1
        self.starved = 0  # attempts in a row that failed for want of memory
        self._subscribed = False
        self._idle = True  # the client is not started yet, or stopped to take a new token
        self._reason: "Exception | None" = None  # the last one that was looked at
        will = platform.will()
        cloud.release()
        from mqtt import Will  # for the moment: it brings the code of the constructor along

        self.client = Client(
            "waiting",
            "waiting",
            keepalive=platform.keepalive,
            clean_session=clean_session or platform.clean_only,
            will=Will(*will) if will else None,
            on_state=self._state,
            on_attempt=self._attempt,
            on_message=self.take,
            on_large=self.take,
            buffer=256,
        )

    def _attempt(self, client: Client) -> None:
        """Before an attempt to connect: OSError (EAGAIN) lets it pass."""
        self.look()
        node = self._node
        platform = self.platform
        if self._too_soon():
            raise OSError(errno.EAGAIN)
        self._broker = (self._broker + 1) % len(platform.brokers)
        client.host, client.port, tls = platform.brokers[self._broker]
        client.ssl = tls or None
        if tls and hasattr(platform, "cert"):
            client.ssl = call("certificate.context", platform.cert, platform.key)
        try:
            client.set_identity(*platform.credentials(node.unix()))
        except ValueError as e:
            raise OSError(errno.EINVAL, str(e))
        cloud.release()
        gc.collect()
        node.knocked = node.uptime()

    def look(self) -> None:
        """Start when the platform's conditions are met; say a failure in words, once as long as it stays the same; renew a
        token that is about to end."""
        client = self.client
        node = self._node
        platform = self.platform
        if self._idle:
            if platform.needs_clock and node.unix() is None:
                if not self.said:
                    self.said = "waiting for the time, which is part of the token"
                    node.log(INFO, "mqtt: " + self.said)
            elif not self._too_soon():
                self._idle = False
                client.start()
        elif client.connected:
            now = platform.renew_at and node.unix()
            if now and now >= platform.renew_at:
                platform.renew_at = None
                asyncio.create_task(self._renew())
        elif client.reason is not self._reason and client.reason is not None:
            self._reason = client.reason
            call("refusal.say", node, self, client.reason)

    def _too_soon(self) -> bool:
        passed = (self._node.uptime() - self._node.knocked) * 1000
        return 0 < self.platform.connect_interval >= passed

    async def _renew(self) -> None:
        """Disconnect: the next connection has a new token, and what is in flight goes on there."""
        self._node.log(INFO, "mqtt: the token is about to end, connecting with a new one")
        await self.client.disconnect()
        self._idle = True

    async def turn(self) -> None:
        """Wait until the platform takes another message: one in `publish_interval`, over all connections of the node.

        Raises OSError when the node has left this link: whoever waits here holds all of the client in memory.
        """
        node = self._node
        interval = self.platform.publish_interval
        while True:
            passed = time.ticks_diff(time.ticks_ms(), node.sent_at)
            if not 0 <= passed < interval:  # below 0: days ago
                break
            await asyncio.sleep_ms(min(interval - passed, _LOOK_MS))
            if node.link is not self:
                raise OSError(errno.ENOTCONN)
        node.sent_at = time.ticks_ms()

    def _state(self, up: bool, reason: "Exception | None") -> None:
        node = self._node
        self.ready = False
        if up:
            self.said = node.said = ""
            self.starved = 0
            client = self.client
            checked = ", TLS without a check of its certificate" if client.ssl else ""
            node.log(INFO, "mqtt: connected to %s:%d%s" % (client.host, client.port, checked))
            node.wifi.report_online(True, True)
            if node.epoch is None:
                call("clock.soon", node)
            if node.quiet:
                self.ready = True
            else:
                asyncio.create_task(self._greet())
        elif reason:
            self._reason = reason
            self._broker -= 1  # this broker did answer: try it first
            if getattr(reason, "errno", 0) != errno.ENOTCONN:  # the node's own doing
                node.log(WARNING, "mqtt: connection lost: %s" % reason)

    async def _greet(self) -> None:
        """All that follows a CONNACK, and once more where the heap was too small for it at that moment."""
        client = self.client
        connection = client.connects
        while client.connected and client.connects == connection:
            try:
                await call("about.greet", self._node, self, not self._subscribed)
                self._subscribed = True
            except OSError:
                return  # lost again: greeted on the next connection
            except MemoryError as e:
                self._node.log(WARNING, "mqtt: %s" % e)
                await asyncio.sleep(_AGAIN_S)
                continue
            except MQTTError as e:
                self._node.log(WARNING, "mqtt: no commands: %s" % e)
            self.ready = client.connected
            return

    def take(self, message, length: int = -1, retain: bool = False) -> object:
        """A message of the broker, for commands.py; with a length, that of the payload of one that does not fit the
        client's buffer, and of which `message` is the topic only."""
        node = self._node
        inbox = node.inbox
        if length >= 0:
            gc.collect()
            if length <= _LARGEST and not retain and not inbox:
                try:
                    return call("large.sink", node, message, length)
                except MemoryError:
                    pass  # answered as if it came at a bad moment
            message = Message(message, length, 0, retain, False)
        if not inbox:
            asyncio.create_task(call("commands.work", node))
        if len(inbox) < _WAITING:
            inbox.append(message)
        elif len(inbox) == _WAITING:
            inbox.append(None)  # for: some were missed
        return None

    async def stop(self) -> None:
        """Say offline, as the will would, and disconnect."""
        will = self.platform.will()
        if will and self.client.connected:
            topic, payload, qos, retain = will
            try:
                await self.client.publish(topic, payload, qos, retain, timeout=2)
            except OSError:
                pass  # the broker sends the will itself then
        await self.client.disconnect()
