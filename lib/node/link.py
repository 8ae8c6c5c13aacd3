"""The node's MQTT connection: which broker with which credentials, what is said on arrival.

The client (lib/mqtt) keeps the connection up by itself. Before each of its attempts `_attempt` decides whether there is a
network, which broker is next, and signs fresh credentials; after each success `_greet` says birth.
"""

import asyncio
import errno

import cloud
from mqtt import Client, ConnectRefused, ProtocolError, Will

from . import call
from .log import INFO, WARNING


class Link:
    """One broker at a time, in the order of the settings; the next one after each failure to connect."""

    def __init__(self, platform, node, clean_session: bool):
        self.platform = platform
        self._node = node
        self._broker = -1
        self._said = ""
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
        """Before an attempt to connect: OSError lets it pass."""
        self.look()
        brokers = self.platform.brokers
        self._broker = (self._broker + 1) % len(brokers)
        client.host, client.port, tls = brokers[self._broker]
        client.ssl = True if tls else None
        try:
            client.set_identity(*self.platform.credentials(self._node.unix()))
        except ValueError as e:
            raise OSError(errno.EAGAIN, str(e))

    def look(self) -> None:
        """Say a failure to connect in words, once as long as it stays the same."""
        reason = self.client.reason
        if reason is None or reason is self._reason or self.client.connected or self._broker < 0:
            return
        self._reason = reason
        text = str(reason)
        if isinstance(reason, ConnectRefused):
            text = self.platform.explain(reason.code)
        host, port, _ = self.platform.brokers[self._broker]
        text = "mqtt: %s:%d: %s" % (host, port, text)
        if text != self._said:
            self._said = text
            self._node.log(WARNING, text)
        self._node.wifi.report_online(False, isinstance(reason, (ConnectRefused, ProtocolError)))

    def _state(self, up: bool, reason: "Exception | None") -> None:
        if up:
            self._said = ""
            self._node.log(INFO, "mqtt: connected to %s:%d" % (self.client.host, self.client.port))
            self._node.wifi.report_online(True, True)
            if self._node.epoch is None:
                call("clock.soon", self._node)
            if not self._node.quiet:
                asyncio.create_task(self._greet())
        elif reason:
            self._reason = reason
            self._node.log(WARNING, "mqtt: connection lost: %s" % reason)
            self._broker -= 1  # this broker did answer: try it first

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
            if filters:
                await client.subscribe(filters)
        except OSError:
            pass  # lost again: greeted on the next connection

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
