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
from mqtt import Client, MQTTError, Will

from . import call
from .log import INFO, WARNING


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
        self._renewing = False
        self._reason: "Exception | None" = None  # the last one that was looked at
        will = platform.will()
        self.client = Client(
            "waiting",
            "waiting",
            keepalive=platform.keepalive,
            clean_session=clean_session or platform.clean_only,
            will=Will(*will) if will else None,
            on_state=self._state,
            on_attempt=self._attempt,
            buffer=256,
        )

    def _attempt(self, client: Client) -> None:
        """Before an attempt to connect: OSError (EAGAIN) lets it pass."""
        self.look()
        node = self._node
        platform = self.platform
        now = node.uptime()
        if platform.connect_interval and (now - node.knocked) * 1000 <= platform.connect_interval:
            raise OSError(errno.EAGAIN, "")
        self._broker = (self._broker + 1) % len(platform.brokers)
        client.host, client.port, tls = platform.brokers[self._broker]
        client.ssl = True if tls else None
        try:
            identity = platform.credentials(node.unix())
        except ValueError as e:
            self._broker -= 1
            raise OSError(errno.EAGAIN, str(e))
        cloud.release()
        client.set_identity(*identity)
        gc.collect()
        node.knocked = now

    def look(self) -> None:
        """Say a failure to connect in words, once as long as it stays the same; renew a token that is about to end."""
        client = self.client
        if client.connected:
            now = self.platform.renew_at and self._node.unix()
            if now and now >= self.platform.renew_at and not self._renewing:
                self._renewing = True
                asyncio.create_task(self._renew())
        elif client.reason is not self._reason and client.reason is not None:
            self._reason = client.reason
            call("refusal.say", self._node, self, client.reason)

    async def _renew(self) -> None:
        """Connect anew, which takes a new token. What is in flight goes on there."""
        self._node.log(INFO, "mqtt: the token is about to end, connecting with a new one")
        await self.client.disconnect()
        if self._node.link is self:
            self.client.start()

    async def turn(self) -> None:
        """Wait until the platform takes another message: one in `publish_interval`, over all connections of the node."""
        node = self._node
        interval = self.platform.publish_interval
        while True:
            passed = time.ticks_diff(time.ticks_ms(), node.sent_at)
            if not 0 <= passed < interval:  # below 0: days ago
                break
            await asyncio.sleep_ms(interval - passed)
        node.sent_at = time.ticks_ms()

    def _state(self, up: bool, reason: "Exception | None") -> None:
        node = self._node
        self.ready = False
        if up:
            self.said = ""
            self._renewing = False
            client = self.client
            checked = ", TLS without a check of its certificate" if client.ssl is True else ""
            node.log(INFO, "mqtt: connected to %s:%d%s" % (client.host, client.port, checked))
            node.wifi.report_online(True, True)
            asyncio.create_task(self._greet())
        elif reason:
            self._reason = reason
            self._broker -= 1  # this broker did answer: try it first
            if not self._renewing:
                node.log(WARNING, "mqtt: connection lost: %s" % reason)

    async def _greet(self) -> None:
        """Birth, info and subscriptions, after each CONNACK."""
        platform = self.platform
        client = self.client
        try:
            for topic, payload, retain in platform.birth():
                await client.publish(topic, payload, 1, retain)
            if hasattr(platform, "base"):
                await client.publish(platform.base + "/info", call("about.info", self._node), 1, platform.retain_ok)
            # A cloud that confirms reports wants its replies subscribed; commands are not obeyed yet.
            filters = platform.subscriptions() if platform.confirms else ()
            cloud.release()
            gc.collect()
            if filters:
                await client.subscribe(filters)
        except OSError:
            return  # lost again: greeted on the next connection
        except MQTTError as e:
            self._node.log(WARNING, "mqtt: no commands: %s" % e)
        self.ready = client.connected

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
