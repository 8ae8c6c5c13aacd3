"""The independent client of `make run`: paho-mqtt, subscribed at the broker; it knows nothing of the node."""

from __future__ import annotations

import queue
import socket
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tools.broker import DEFAULT_PORT, BrokerError

CONNECT_TIMEOUT = 5.0  # s, for TCP and for the broker's answer
KEEPALIVE = 15  # s


@dataclass(frozen=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Arrival:
    """One message as it came from the broker; `at` is monotonic time in s."""

    topic: str
    payload: bytes
    retained: bool
    at: float


def parse_address(text: str) -> Address:
    """`host`, `host:port`, `[IPv6]` or `[IPv6]:port`. Raises BrokerError that says what is wrong."""
    wrong = BrokerError(f"BROKER={text!r} is not host[:port]")
    host, colon, port = text.strip().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text.strip(), str(DEFAULT_PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise wrong
    if not host or any(c.isspace() or c in "/@[]" or not c.isprintable() for c in host):
        raise wrong
    if not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise BrokerError(f"BROKER={text!r}: the port is a number from 1 to 65535")
    return Address(host, int(port))


class Watcher:
    """Subscribes to a filter and puts what arrives into `arrivals`; reconnects by itself."""

    def __init__(self, address: Address, topic_filter: str, user: str = "", password: str = "") -> None:
        self.arrivals: queue.Queue[Arrival] = queue.Queue(maxsize=1000)
        self.connected = False
        self._address = address
        self._filter = topic_filter
        self._answered = threading.Event()
        self._refusal = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password or None)
        self._client.reconnect_delay_set(1, 5)
        self._client.connect_timeout = CONNECT_TIMEOUT
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect and subscribe. Raises BrokerError, one line, if the broker cannot be had."""
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE)
        except socket.gaierror:
            raise BrokerError(f"no address for the broker's name {self._address.host!r}") from None
        except OSError as error:
            raise BrokerError(f"no broker at {self._address}: {error.strerror or error}") from None
        self._client.loop_start()
        if not self._answered.wait(CONNECT_TIMEOUT):
            self._refusal = "it does not answer as an MQTT broker"
        if self._refusal:
            self.stop()
            raise BrokerError(f"the broker at {self._address} does not serve us: {self._refusal}")

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, userdata: object, flags: object, reason: ReasonCode, properties: object
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._answered.set()
        else:
            client.subscribe(self._filter, qos=1)

    def _on_subscribe(
        self, client: object, userdata: object, mid: int, reasons: list[ReasonCode], properties: object
    ) -> None:
        self._refusal = f"subscription to {self._filter} refused" if reasons[0].is_failure else ""
        self.connected = not reasons[0].is_failure
        self._answered.set()

    def _on_disconnect(self, *_: object) -> None:
        self.connected = False

    def _on_message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        arrival = Arrival(message.topic, bytes(message.payload), message.retain, time.monotonic())
        try:
            self.arrivals.put_nowait(arrival)
        except queue.Full:  # whoever reads is stuck; the oldest is the least interesting
            self.arrivals.get_nowait()
            self.arrivals.put_nowait(arrival)
