"""An independent client, paho-mqtt, at a broker: for `make run`, `watch`, `monitor` and `doctor`. Knows nothing of the node."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tools.broker import DEFAULT_PORT, BrokerError

CONNECT_TIMEOUT = 5.0  # s, for TCP and for the broker's answer
KEEPALIVE = 15  # s
TLS_PORT = 8883


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


@dataclass(frozen=True)
class Login:
    """How to get in. user: "" for none. tls: checked against the system's certificates, or those in the file `ca`."""

    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""

    @property
    def port(self) -> int:
        """Where brokers listen for that."""
        return TLS_PORT if self.tls or self.ca else DEFAULT_PORT

    def prepare(self, client: mqtt.Client) -> None:
        """Raises BrokerError if the file of certificates cannot be used."""
        if self.user:
            client.username_pw_set(self.user, self.password or None)
        if self.tls or self.ca:
            try:
                client.tls_set(self.ca or None)
            except (OSError, ValueError) as error:
                raise BrokerError(f"{self.ca}: {error}") from error
        client.connect_timeout = CONNECT_TIMEOUT


ANYBODY = Login()


def parse_address(text: str, default_port: int = DEFAULT_PORT) -> Address:
    """`host`, `host:port`, `[IPv6]` or `[IPv6]:port`. Raises BrokerError that says what is wrong."""
    wrong = BrokerError(f"BROKER={text!r} is not host[:port]")
    host, colon, port = text.strip().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text.strip(), str(default_port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise wrong
    if not host or any(c.isspace() or c in "/@[]" or not c.isprintable() for c in host):
        raise wrong
    if not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise BrokerError(f"BROKER={text!r}: the port is a number from 1 to 65535")
    return Address(host, int(port))


def _connect(client: mqtt.Client, address: Address) -> None:
    """TCP, TLS and the first packet. Raises BrokerError, one line."""
    try:
        client.connect(address.host, address.port, KEEPALIVE)
    except socket.gaierror:
        raise BrokerError(f"no address for the broker's name {address.host!r}") from None
    except ssl.SSLError as error:
        raise BrokerError(f"no TLS with the broker at {address}: {error.reason or error}") from None
    except OSError as error:
        raise BrokerError(f"no broker at {address}: {error.strerror or error}") from None


def refusal(address: Address, login: Login) -> str:
    """Log in once and leave. "" if the broker lets us in, else its reason. Raises BrokerError if there is none."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)  # an identifier of its own: the node stays connected
    login.prepare(client)
    answers: queue.Queue[ReasonCode] = queue.Queue()
    client.on_connect = lambda client, userdata, flags, reason, properties: answers.put(reason)
    _connect(client, address)
    client.loop_start()
    try:
        reason = answers.get(timeout=CONNECT_TIMEOUT)
    except queue.Empty:
        raise BrokerError(f"at {address} nobody answers as an MQTT broker does") from None
    finally:
        client.disconnect()
        client.loop_stop()
    return str(reason) if reason.is_failure else ""


class Watcher:
    """Subscribes to a filter and puts what arrives into `arrivals`; reconnects by itself."""

    def __init__(self, address: Address, topic_filter: str, login: Login = ANYBODY) -> None:
        self.arrivals: queue.Queue[Arrival] = queue.Queue(maxsize=1000)
        self.connected = False
        self._address = address
        self._filter = topic_filter
        self._answered = threading.Event()
        self._refusal = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        login.prepare(self._client)
        self._client.reconnect_delay_set(1, 5)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect and subscribe. Raises BrokerError, one line, if the broker cannot be had."""
        _connect(self._client, self._address)
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
