"""lib/cloud against the cloud stand-ins: paho is the device, everything it says comes from lib/cloud."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cloud
import paho.mqtt.client as paho
import pytest
from cloud import why

from tests.integration import cloud_rules as rules
from tests.integration.cloud_standin import WAIT, Standin

KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
OTHER_KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWX="

# name: (rules of the cloud, cloud section, mqtt section)
CLOUDS: dict[str, tuple[Callable[[], rules.Cloud], dict[str, Any], dict[str, Any]]] = {
    "aliyun": (
        lambda: rules.Aliyun("a1Zb0cDeFgH", "esp8266-01", "0123456789abcdef"),
        {"platform": "aliyun", "product": "a1Zb0cDeFgH", "device": "esp8266-01", "secret": "0123456789abcdef"},
        {},
    ),
    "aliyun sha1": (
        lambda: rules.Aliyun("a1Zb0cDeFgH", "esp8266-01", "0123456789abcdef"),
        {
            "platform": "aliyun",
            "product": "a1Zb0cDeFgH",
            "device": "esp8266-01",
            "secret": "0123456789abcdef",
            "method": "hmacsha1",
        },
        {},
    ),
    "tencent": (
        lambda: rules.Tencent("ABCDE12345", "esp8266_01", KEY),
        {"platform": "tencent", "product": "ABCDE12345", "device": "esp8266_01", "secret": KEY, "expiry": 3600},
        {},
    ),
    "tencent hub": (
        lambda: rules.Tencent("ABCDE12345", "esp8266_01", KEY, hub=True),
        {"platform": "tencent", "edition": "hub", "product": "ABCDE12345", "device": "esp8266_01", "secret": KEY},
        {},
    ),
    "onenet": (
        lambda: rules.OneNET("Ab3dEf9HiJ", "esp8266_01", KEY),
        {"platform": "onenet", "product": "Ab3dEf9HiJ", "device": "esp8266_01", "secret": KEY, "expiry": 3600},
        {},
    ),
    "onenet legacy": (
        lambda: rules.OneNETLegacy("433223", "123", "auth"),
        {"platform": "onenet", "edition": "legacy", "product": "433223", "device": "123", "secret": "auth"},
        {},
    ),
    "azure": (
        lambda: rules.Azure("hub.azure-devices.net", "esp8266-01", KEY),
        {"platform": "azure", "product": "hub", "device": "esp8266-01", "secret": KEY, "expiry": 3600},
        {},
    ),
    "thingsboard": (lambda: rules.ThingsBoard("A1_TOKEN"), {"platform": "thingsboard", "secret": "A1_TOKEN"}, {}),
    "adafruitio": (
        lambda: rules.AdafruitIO("alice", "aio_KEY"),
        {"platform": "adafruitio", "secret": "aio_KEY"},
        {"user": "alice"},
    ),
    "thingspeak": (
        lambda: rules.ThingSpeak("99", "cid", "usr", "pwd"),
        {"platform": "thingspeak", "product": "99"},
        {"client_id": "cid", "user": "usr", "password": "pwd"},
    ),
}

WITH_ANSWERS = [n for n in CLOUDS if n not in ("adafruitio", "thingspeak")]


class Clock:
    """Unix time that a test can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Device:
    """A node made of lib/cloud and paho: connects, subscribes, reports, obeys `set` and `restart`."""

    def __init__(self, standin: Standin, section: dict[str, Any], mqtt: dict[str, Any], **connect: Any) -> None:
        self.standin = standin
        self.platform = cloud.create(section, dict({"qos": 1, "keepalive": 120}, **mqtt), {"id": "esp8266-01"})
        self.name = section["platform"]
        self.values: dict[str, Any] = {}
        self.commands: list[str] = []
        self.events: list[tuple[Any, ...]] = []
        self.code: int | None = None
        self._change = threading.Condition()
        client_id, user, password = self.platform.credentials(int(connect.get("now", standin.clock())))
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
        if user is not None:
            self.client.username_pw_set(user, password)
        if connect.get("will"):
            self.client.will_set("x", b"offline")
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        keepalive = connect.get("keepalive", self.platform.keepalive)
        self.client.connect("127.0.0.1", standin.port, keepalive)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def wait(self, condition: Callable[[], Any]) -> Any:
        with self._change:
            found = self._change.wait_for(condition, WAIT)
        assert found, (self.code, self.events, self.standin.refused)
        return found

    def report(self, readings: list[tuple[str, Any, str, int]], at: int | None = None) -> list[Any]:
        sent = self.platform.report(readings, at)
        for topic, payload, _ in sent:
            self.client.publish(topic, payload, self.platform.qos)
        return [ident for _, _, ident in sent]

    def explanation(self) -> str:
        assert self.code is not None
        return why.explain(self.name, self.code, self.platform.brokers[0][0], self.platform.renew_at is not None)

    def _note(self, change: Callable[[], Any]) -> None:
        with self._change:
            change()
            self._change.notify_all()

    def _on_connect(self, client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        codes = {
            "Success": 0,
            "Unsupported protocol version": 1,
            "Client identifier not valid": 2,
            "Server unavailable": 3,
            "Bad user name or password": 4,
            "Not authorized": 5,
        }
        filters = self.platform.subscriptions(("relay",), ("restart",))
        if reason == 0 and filters:
            client.subscribe(filters)
        self._note(lambda: setattr(self, "code", codes[str(reason)]))

    def _on_disconnect(self, *_: Any) -> None:
        self._note(lambda: self.events.append(("gone",)))

    def _on_message(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        found = self.platform.decode(message.topic, message.payload)
        assert found is not None, message.topic
        if found[0] == "command":
            _, name, args, ref = found
            if name == "set":
                self.values.update(args)
            known = name in ("set", "restart")
            answer = self.platform.reply(ref, known, "" if known else "no such command")
            if answer:
                client.publish(answer[0], answer[1], self.platform.qos)
            self.commands.append(name)
        self._note(lambda: self.events.append(found))


@pytest.fixture
def devices() -> Iterator[list[Device]]:
    """Devices that a test makes; ended after it."""
    made: list[Device] = []
    yield made
    for device in made:
        device.close()


def ready(standin: Standin, device: Device) -> None:
    """Wait until the device is connected and has its subscriptions."""
    wanted = device.platform.subscriptions(("relay",), ("restart",))
    device.wait(lambda: device.code is not None)
    assert device.code == 0, device.explanation()
    standin.wait(lambda: len(standin.subscribed) == len(wanted))


@pytest.mark.parametrize("name", CLOUDS)
def test_connects_and_reports(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        idents = device.report([("temperature", 23.0, "°C", 0), ("humidity", 51.24, "%", 1)])
        values: dict[str, Any] = {}
        standin.wait(lambda: [values.update(r) for r in standin.reports] and len(values) == 2)
        if name == "thingspeak":
            assert values == {"field1": "23", "field2": "51.2"}
        else:
            assert values == {"temperature": 23, "humidity": 51.2}
        if device.platform.confirms:
            device.wait(lambda: ("ack", idents[0], True) in [e[:3] for e in device.events])
        assert standin.refused == []


@pytest.mark.parametrize("name", CLOUDS)
def test_reports_of_the_past(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        idents = device.report([("temperature", 23.46, "°C", 1)], at=1700000000)
        standin.wait(lambda: standin.reports)
        if device.platform.confirms:
            device.wait(lambda: ("ack", idents[0], True) in [e[:3] for e in device.events])
        assert standin.refused == []


@pytest.mark.parametrize("name", WITH_ANSWERS)
def test_obeys_and_answers(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        answer = standin.command({"relay": 1})
        assert device.values == {"relay": 1}
        assert answer.get("code", answer.get("status", answer.get("ok"))) in (200, 0, True), answer
        answer = standin.command({}, "restart")
        assert device.commands == ["set", "restart"]
        assert answer.get("code", answer.get("status", answer.get("ok"))) in (200, 0, True), answer
        assert standin.refused == []


def test_adafruit_commands_have_no_answers(devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS["adafruitio"]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        standin.send("alice/feeds/relay", b"1")
        standin.send("alice/feeds/command", b"restart")
        device.wait(lambda: device.commands == ["set", "restart"])
        assert device.values == {"relay": 1}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_wrong_secret_is_refused_and_explained(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    if name == "thingspeak":
        mqtt = dict(mqtt, password="wrong")
    else:
        section = dict(section, secret=OTHER_KEY)
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        device.wait(lambda: device.code is not None)
        assert device.code in (4, 5) and standin.codes == [device.code] and standin.connected == 0
        words = {"aliyun": "DeviceSecret", "tencent": "device key", "onenet": "access key", "azure": "device key"}
        words.update(thingsboard="access token", adafruitio="key", thingspeak="password")
        assert words[name.split(" ", maxsplit=1)[0]] in device.explanation()


@pytest.mark.parametrize("name", ["tencent", "onenet", "azure"])
def test_an_expired_token_is_refused_and_the_clock_is_named(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        platform = cloud.create(section, mqtt, {"id": "x"})
        with pytest.raises(ValueError, match="clock"):
            platform.credentials(None)
        device = Device(standin, section, mqtt, now=time.time() - 7200)  # its clock is two hours behind
        devices.append(device)
        device.wait(lambda: device.code is not None)
        assert device.code in (4, 5)
        assert "clock" in device.explanation()


def test_a_token_that_ends_is_renewed_before(devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS["azure"]
    clock = Clock()
    with Standin(make(), clock) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        renew_at = device.platform.renew_at
        assert renew_at is not None and clock() < renew_at < clock() + 3600
        clock.ahead = 3601
        device.wait(lambda: ("gone",) in device.events)  # what happens to a device that doesn't
        assert "the token has ended" in standin.refused
        again = Device(standin, section, mqtt)
        devices.append(again)
        ready(standin, again)


@pytest.mark.parametrize("name", [n for n in CLOUDS if n not in ("thingsboard", "adafruitio", "thingspeak", "azure")])
def test_a_will_is_refused(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt, will=True)
        devices.append(device)
        standin.wait(lambda: standin.refused)
        assert standin.refused == ["a will is not allowed"] and standin.connected == 0
        assert device.platform.presence is None  # so lib/cloud never asks for one


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
def test_keepalive_out_of_range_is_refused_and_kept_by_lib_cloud(name: str, devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS[name]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt, keepalive=10)
        devices.append(device)
        standin.wait(lambda: standin.refused)
        assert "keepalive 10" in standin.refused[0]
    with Standin(make()) as standin:
        device = Device(standin, section, dict(mqtt, keepalive=10))
        devices.append(device)
        ready(standin, device)


def test_tencent_connects_must_be_five_seconds_apart(devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS["tencent"]
    clock = Clock()
    with Standin(make(), clock) as standin:
        first = Device(standin, section, mqtt)
        devices.append(first)
        ready(standin, first)
        devices.append(Device(standin, section, mqtt))
        standin.wait(lambda: "connects must be 5.0 s apart" in standin.refused)
        clock.ahead = first.platform.connect_interval / 1000 + 1
        third = Device(standin, section, mqtt)
        devices.append(third)
        ready(standin, third)


@pytest.mark.parametrize(
    ("topic", "payload", "qos", "retain", "reason"),
    [
        ("/sys/a1Zb0cDeFgH/other/thing/event/property/post", b"{}", 1, False, "may not publish"),
        ("/sys/a1Zb0cDeFgH/esp8266-01/thing/event/property/post", b"{}", 1, True, "retain"),
        ("/sys/a1Zb0cDeFgH/esp8266-01/thing/event/property/post", b"{}", 2, False, "QoS 2"),
        ("/sys/a1Zb0cDeFgH/esp8266-01/thing/event/property/post", b"x" * 262145, 0, False, "payload"),
    ],
)
def test_the_stand_in_enforces(
    topic: str, payload: bytes, qos: int, retain: bool, reason: str, devices: list[Device]
) -> None:
    make, section, mqtt = CLOUDS["aliyun"]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        device.client.publish(topic, payload, qos, retain)
        standin.wait(lambda: standin.refused)
        assert reason in standin.refused[0] and standin.reports == []
        device.wait(lambda: ("gone",) in device.events)


def test_aliyun_refuses_a_float_without_a_point(devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS["aliyun"]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        idents = device.report([("temperature", 23, "°C", 0)])  # an int, so no point is due
        device.wait(lambda: ("ack", idents[0], False) in [e[:3] for e in device.events])
        assert "floats without a point" in standin.refused[0]


def test_adafruit_throttles_and_the_device_hears_it(devices: list[Device]) -> None:
    make, section, mqtt = CLOUDS["adafruitio"]
    with Standin(make()) as standin:
        device = Device(standin, section, mqtt)
        devices.append(device)
        ready(standin, device)
        for i in range(31):
            device.report([("temperature", float(i), "", 1)])
        device.wait(lambda: [e for e in device.events if e[0] == "fault"])
        assert "rate limit" in str(device.events) and len(standin.reports) == 30


@pytest.mark.parametrize("name", CLOUDS)
def test_the_pace_that_lib_cloud_asks_for_is_never_too_fast(name: str) -> None:
    """One message an interval, over a long time, stays within the cloud's documented rate."""
    make, section, mqtt = CLOUDS[name]
    platform = cloud.create(section, mqtt, {"id": "x"})
    rate, seconds = make().rate
    assert platform.publish_interval * rate >= seconds * 1000 or rate >= 1000
