"""The node on the virtual board against the cloud stand-ins: real VM, real image, real node program, in the board's own heap.

Time is warped: what the node waits for passes at once, so a slow retry, a token's life and a free plan's rate cost nothing.
"""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.brokers import Mosquitto
from tests.e2e.simulation import time_server
from tests.integration import cloud_rules as rules
from tests.integration.cloud_standin import Standin
from tools.board_run import KEY, SSID, node_settings
from tools.broker import free_port
from tools.image import build_image
from tools.vboard import Board
from tools.vboard.silicon import EPOCH_2000

PATIENCE = 40  # s, on a busy machine
PERIOD = 30  # s between reports
TLS_HEAP = 90_000  # bytes; in the board's own heap a command over TLS meets a MemoryError now and then
LIFE = 120  # s of a token
SECRET = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWX="

# name: (rules for a secret, section cloud, section mqtt, host name that the node must ask for, word of the refusal)
CLOUDS: dict[str, tuple[Callable[[str], rules.Cloud], dict[str, Any], dict[str, Any], str, str]] = {
    "aliyun": (
        lambda secret: rules.Aliyun("a1Zb0cDeFgH", "esp8266-01", secret),
        {"platform": "aliyun", "product": "a1Zb0cDeFgH", "device": "esp8266-01", "secret": SECRET},
        {},
        "a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com",
        "DeviceSecret",
    ),
    "tencent": (
        lambda secret: rules.Tencent("ABCDE12345", "esp8266_01", secret),
        {"platform": "tencent", "product": "ABCDE12345", "device": "esp8266_01", "secret": SECRET},
        {},
        "ABCDE12345.iotcloud.tencentdevices.com",
        "device key",
    ),
    "tencent hub": (
        lambda secret: rules.Tencent("ABCDE12345", "esp8266_01", secret, hub=True),
        {"platform": "tencent", "edition": "hub", "product": "ABCDE12345", "device": "esp8266_01", "secret": SECRET},
        {},
        "ABCDE12345.iotcloud.tencentdevices.com",
        "device key",
    ),
    "azure": (
        lambda secret: rules.Azure("hub-1.azure-devices.net", "esp8266-01", secret),
        {"platform": "azure", "product": "hub-1", "device": "esp8266-01", "secret": SECRET},
        {},
        "hub-1.azure-devices.net",
        "wrong device key",
    ),
    "onenet": (
        lambda secret: rules.OneNET("Ab3dEf9HiJ", "esp8266_01", secret),
        {"platform": "onenet", "product": "Ab3dEf9HiJ", "device": "esp8266_01", "secret": SECRET},
        {},
        "mqtts.heclouds.com",
        "access key",
    ),
    "onenet legacy": (
        lambda secret: rules.OneNETLegacy("433223", "123", secret),
        {"platform": "onenet", "edition": "legacy", "product": "433223", "device": "123", "secret": SECRET},
        {},
        "183.230.40.39",
        "auth info",
    ),
    "thingsboard": (
        rules.ThingsBoard,
        {"platform": "thingsboard", "secret": SECRET},
        {},
        "thingsboard.cloud",
        "access token",
    ),
    "adafruitio": (
        lambda secret: rules.AdafruitIO("alice", secret),
        {"platform": "adafruitio", "secret": SECRET},
        {"user": "alice"},
        "io.adafruit.com",
        "key",
    ),
    "thingspeak": (
        lambda secret: rules.ThingSpeak("99", "cid", "usr", secret),
        {"platform": "thingspeak", "product": "99"},
        {"client_id": "cid", "user": "usr", "password": SECRET},
        "mqtt3.thingspeak.com",
        "password",
    ),
}


class World:
    """A stand-in and a node in the same warped time.

    ahead: s that the cloud's clock is ahead of the node's. silent: the time server does not answer.
    """

    def __init__(self, tmp_path: Path, cloud: rules.Cloud, settings: dict[str, Any], host: str) -> None:
        self.ahead = 0.0
        self.silent = False
        tls = None
        if settings.get("cloud", {}).get("platform") == "azure":  # TLS only
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert(host).configure_cert(tls)
        self.cloud = Standin(cloud, lambda: self.board.clock.unix() + self.ahead, tls)
        self._image = build_image(tmp_path / "flash.bin", settings)
        self._host = host

    @contextmanager
    def running(self, **more: Any) -> Iterator[World]:
        with self.cloud:
            names = {self._host: ("127.0.0.1", self.cloud.port)}
            ask = time_server(lambda: self.board)
            services = {"pool.ntp.org": lambda question: None if self.silent else ask(question)}
            self.board = Board(self._image, names=names, services=services, **{"warp": True, **more})
            with self.board:
                self.router = self.board.air.add(SSID, KEY)
                self.board.power_on()
                yield self
                assert "Traceback" not in self.board.log and "MemoryError" not in self.board.log, self.board.log

    def tell_time(self) -> None:
        """Let the node know the time."""
        self.silent = False
        self.board.silicon.clock_offset = -EPOCH_2000
        self.board.reset()

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for something to come to pass in the cloud."""
        try:
            return self.cloud.wait(condition, what, PATIENCE)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.board.log}") from e

    def obeys(self, values: dict[str, Any], answered: bool) -> None:
        """Have the cloud set the relay, at GPIO 5, and be told that it is done."""
        try:
            if answered:
                answer = self.cloud.command(values)
                found = answer.get("code", answer.get("status", answer.get("ok", answer.get("relay"))))
                assert found in (0, 200, True), answer
            else:
                self.cloud.send(*self.cloud.rules.command(values, "")[:2])
            self.board.wait_until(lambda: self.board.pin(5) == values["relay"], PATIENCE)
        except (AssertionError, TimeoutError) as e:
            raise AssertionError(f"{e}\n{self.board.log}") from e

    def says(self, text: str) -> None:
        """Wait for the node to say that on its console."""
        self.board.wait_for(text, timeout=PATIENCE)


def world(
    tmp_path: Path,
    name: str,
    cloud: rules.Cloud,
    period: int = PERIOD,
    device: dict[str, Any] | None = None,
    **section: Any,
) -> World:
    """The node with the settings of a cloud; only the cloud's own host name leads to the stand-in."""
    _, cloud_section, mqtt, host, _ = CLOUDS[name]
    settings = node_settings("cloud", 1883)
    settings["mqtt"] = mqtt
    settings["cloud"] = {**cloud_section, **section}
    settings["telemetry"] = {"period": period}
    settings["device"].update(device or {})
    settings["outputs"] = [{"name": "relay", "pin": "D1"}]
    return World(tmp_path, cloud, settings, host)


@pytest.mark.parametrize("name", CLOUDS)
def test_the_node_and_its_cloud(name: str, tmp_path: Path) -> None:
    """Refused with the wrong secret, which is explained; let in with the right one, by itself; reports, obeys and answers."""
    make, _, _, _, word = CLOUDS[name]
    more = {"heap_free": TLS_HEAP} if name == "azure" else {}
    with world(tmp_path, name, make(OTHER)).running(**more) as w:
        w.wait(lambda: w.cloud.codes, "a CONNACK")
        w.says(word)
        assert w.cloud.connected == 0 and w.cloud.codes[0] in (4, 5)
        w.cloud.rules = make(SECRET)
        values: dict[str, Any] = {}
        w.wait(lambda: [values.update(r) for r in w.cloud.reports] and len(values) >= 4, "all values")
        w.wait(lambda: len(w.cloud.reports) >= 2, "two reports")
        if name != "thingspeak":
            w.obeys({"relay": 1}, answered=name != "adafruitio")
        assert set(w.cloud.refused) <= set(w.cloud.refused[:1]), "the secret, and nothing else"
        assert SECRET not in w.board.log and OTHER not in w.board.log


@pytest.mark.parametrize("name", ["tencent", "onenet"])
def test_a_token_with_an_end(name: str, tmp_path: Path) -> None:
    """Waits for the time; a cloud whose clock is far ahead finds it expired, which names the clock; is renewed in time."""
    make = CLOUDS[name][0]
    w = world(tmp_path, name, make(SECRET), expiry=LIFE)
    w.silent, w.ahead = True, 2.0 * LIFE
    with w.running():
        w.says("waiting for the time")
        assert w.cloud.codes == []
        w.tell_time()
        w.wait(lambda: w.cloud.codes, "a CONNACK")
        w.says("or the clock is wrong")
        assert w.cloud.connected == 0 and w.cloud.refused[0] == "token expired"
        w.ahead = 0.0
        w.wait(lambda: w.cloud.connected == 1, "a connection")
        start = w.board.clock.unix()
        w.wait(lambda: w.cloud.connected == 2, "a second connection")
        assert 0.7 * LIFE < w.board.clock.unix() - start < LIFE, "renewed before its end"
        reports = len(w.cloud.reports)
        w.wait(lambda: len(w.cloud.reports) > reports, "reports on the new connection")
        assert set(w.cloud.refused) == {"token expired"}
        assert "connection lost" not in w.board.log


def test_the_node_keeps_the_pace_of_the_cloud(tmp_path: Path) -> None:
    """ThingSpeak takes a message in 15 s, readings come every 10 s here: what it gets is what it takes."""
    w = world(tmp_path, "thingspeak", CLOUDS["thingspeak"][0](SECRET), period=10)
    with w.running():
        w.wait(lambda: len(w.cloud.reports) >= 5, "five reports")
        w.board.air.change(w.router, up=False)
        w.says("wifi: ")
        w.board.air.change(w.router, up=True)
        reports = len(w.cloud.reports)
        w.wait(lambda: w.cloud.connected == 2 and len(w.cloud.reports) > reports + 1, "more reports")
        assert w.cloud.refused == [], "the pace is kept over a new connection, too"


def test_a_will_is_refused_and_the_console_says_what_may_be_the_matter(tmp_path: Path) -> None:
    """Somebody types a cloud's host and password as a plain broker's: Aliyun and others drop a CONNECT with a will."""
    settings = node_settings("cloud", 1883)
    settings["mqtt"].update(client_id="123", user="433223", password=SECRET)
    settings["mqtt"]["brokers"] = [{"host": "mqtt.test", "port": 6002}]
    w = World(tmp_path, rules.OneNETLegacy("433223", "123", SECRET), settings, "mqtt.test")
    with w.running():
        w.says("perhaps for the will: see mqtt.availability")
        assert set(w.cloud.refused) == {"a will is not allowed"} and w.cloud.connected == 0


def test_no_such_host_names_the_fields_that_make_it(tmp_path: Path) -> None:
    w = world(tmp_path, "aliyun", CLOUDS["aliyun"][0](SECRET), region="cn-nowhere")
    with w.running():
        w.says("there is no such host: check ProductKey, region and instance")


def test_the_page_says_why_the_cloud_refuses(tmp_path: Path) -> None:
    """In the node's page in the home network, for which the node starts anew: the words of the console."""
    w = world(tmp_path, "aliyun", CLOUDS["aliyun"][0](SECRET + "x"), device={"web": True, "password": "the password"})

    def page(login: bytes = b"x:the password") -> str:
        request = Request(f"http://127.0.0.1:{w.board.listening_port(80)}/")
        if login:
            request.add_header("Authorization", "Basic " + b64encode(login).decode())
        request.add_header("Host", w.board.silicon.radio.address()[0])
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                return answer.read().decode()
        except HTTPError as e:
            if e.code != 503:  # asked to wait and come again
                raise
            return ""
        except OSError:  # it restarts
            return ""

    with w.running(warp=False):
        w.says("check DeviceSecret")
        for login in (b"", b"x:the passwort", b"x:the password "):
            with pytest.raises(HTTPError, match="401"):
                page(login)
        end = time.monotonic() + 2 * PATIENCE
        while "page: up" not in w.board.log:
            assert page() == "" and time.monotonic() < end, w.board.log
            time.sleep(1)  # as its answer says to a browser
        found = page()
        assert "check DeviceSecret" in found and SECRET not in found


def test_too_much_for_the_account_is_said(tmp_path: Path) -> None:
    """Adafruit IO's rate is that of the whole account, so a node that keeps its own pace may be told off all the same."""
    rule = rules.AdafruitIO("alice", SECRET)
    rule.rate = (2, 600.0)
    with world(tmp_path, "adafruitio", rule).running() as w:
        w.says("alice data rate limit reached")
        assert len(w.cloud.reports) == 2 and w.cloud.refused[0] == "more than 2 messages in 600.0 s"


def test_a_client_certificate(need: Callable[[str], str], tmp_path: Path) -> None:
    """AWS without a bridge, where its server takes the chip's TLS: a broker that lets nobody in without a certificate."""
    authority = trustme.CA()
    server, client = authority.issue_cert("aws.test"), authority.issue_cert("thing")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    server.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    port = free_port()
    listener = f"listener {port} 127.0.0.1\nallow_anonymous true\nrequire_certificate true\n"
    for option, file in {"cafile": "ca.pem", "certfile": "server.pem", "keyfile": "server.pem"}.items():
        listener += f"{option} {tmp_path / file}\n"
    settings = node_settings("cloud", 8883)
    settings["mqtt"] = {"brokers": [{"host": "aws.test"}]}
    settings["cloud"] = {"platform": "aws", "device": "thing"}
    key = load_pem_private_key(client.private_key_pem.bytes(), None)
    certificate = ssl.PEM_cert_to_DER_cert(client.cert_chain_pems[0].bytes().decode())
    files = {"key.der": key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())}
    broker = Mosquitto(need("mosquitto"), tmp_path, listener)
    broker.start()
    try:
        image = build_image(tmp_path / "flash.bin", settings, files=files)
        with Board(image, names={"aws.test": ("127.0.0.1", port)}) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            board.wait_for("the file /cert.der is missing on the board", timeout=PATIENCE)
        image = build_image(tmp_path / "flash.bin", settings, files={**files, "cert.der": certificate})
        with Board(image, names={"aws.test": ("127.0.0.1", port)}) as board:
            board.air.add(SSID, KEY)
            board.power_on()
            board.wait_for("connected to aws.test:8883, TLS without a check", timeout=PATIENCE)
            assert "MemoryError" not in board.log, board.log
    finally:
        broker.stop()
