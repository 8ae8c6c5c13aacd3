"""The node's MQTT connection: which broker with which credentials, what is said on arrival, what comes in.

The client (lib/mqtt) keeps the connection up by itself. Before each of its attempts `_attempt` decides whether there is a
network, which broker is next, and signs fresh credentials; after each success `_greet` says birth and subscribes.
"""

import asyncio
import errno

from mqtt import Client, ConnectRefused, ProtocolError, Will


class Link:
    """One broker at a time, in the order of the settings; the next one after each failure.

    platform: from lib/cloud. online(): is there a network. unix(): Unix time or None. on_report(ok, answered): told of
    each success and failure. on_up(): a coroutine function, run after each CONNACK. on_message(topic, payload).
    """

    def __init__(self, platform, log, *, clean_session, online, unix, on_report, on_up, on_message):
        self._platform = platform
        self._log = log
        self._online = online
        self._unix = unix
        self._on_report = on_report
        self._on_up = on_up
        self._broker = -1
        self._said = ""
        will = platform.will()
        self.client = Client(
            "waiting",
            "waiting",
            keepalive=platform.keepalive,
            clean_session=clean_session or platform.clean_only,
            will=Will(*will) if will else None,
            on_state=self._state,
            on_attempt=self._attempt,
            on_message=on_message,
        )

    def start(self) -> None:
        """Connect, and stay connected."""
        self.client.start()

    def _attempt(self, client: Client) -> None:
        """Before an attempt to connect: OSError lets it pass."""
        if client.reason is not None and self._broker >= 0:
            self._failed(client.reason)
        if not self._online():
            raise OSError(errno.ENOTCONN, "no network")
        brokers = self._platform.brokers
        self._broker = (self._broker + 1) % len(brokers)
        client.host, client.port, tls = brokers[self._broker]
        client.ssl = True if tls else None
        try:
            client.set_identity(*self._platform.credentials(self._unix()))
        except ValueError as e:
            self._say("mqtt: %s" % e)
            raise OSError(errno.EAGAIN, str(e))

    def _failed(self, reason: Exception) -> None:
        if isinstance(reason, OSError) and "no network" in str(reason):
            return
        text = str(reason)
        if isinstance(reason, ConnectRefused):
            text = self._platform.explain(reason.code)
        host, port, _ = self._platform.brokers[self._broker]
        self._say("mqtt: %s:%d: %s" % (host, port, text))
        self._on_report(False, isinstance(reason, (ConnectRefused, ProtocolError)))

    def _say(self, text: str) -> None:
        """A failure in words, once as long as it stays the same."""
        if text != self._said:
            self._said = text
            self._log.warning(text)

    def _state(self, up: bool, reason: "Exception | None") -> None:
        if up:
            self._said = ""
            self._log.info("mqtt: connected to %s:%d" % (self.client.host, self.client.port))
            self._on_report(True, True)
            asyncio.create_task(self._greet())
        elif reason:
            self._log.warning("mqtt: connection lost: %s" % reason)
            self._broker -= 1  # this broker did answer: try it first

    async def _greet(self) -> None:
        try:
            for topic, payload, retain in self._platform.birth():
                await self.client.publish(topic, payload, 1, retain)
            await self._on_up()
        except OSError:
            pass  # lost again: greeted on the next connection

    async def stop(self) -> None:
        """Say offline, as the will would, and disconnect."""
        if self.client.connected:
            will = self._platform.will()
            if will:
                topic, payload, qos, retain = will
                try:
                    await self.client.publish(topic, payload, qos, retain, timeout=2)
                except OSError:
                    pass  # the broker sends the will itself then
        await self.client.disconnect()
