"""What each cloud checks, accepts, answers and sends, for cloud_standin.py.

Written from the clouds' documents and apart from lib/cloud: signatures are computed with Python's own `hmac`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.publish import PublishPacket

Message = tuple[str, bytes]


class Refused(Exception):
    """Not allowed. `code`: CONNACK return code, None to close without a word. `answers`: what the cloud sends back."""

    def __init__(self, code: int | None, text: str, answers: list[Message] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.answers = answers or []


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def mac(method: str, key: bytes, text: str) -> bytes:
    """HMAC by hash name sha1 or sha256."""
    return hmac.new(key, text.encode(), getattr(hashlib, method)).digest()


class Cloud:
    """Rules that several clouds share; a subclass has its own `login`, topics, `accept` and `command`."""

    max_qos = 1
    retain = False
    will = False
    keepalive = (0, 65535)  # s
    max_payload = 65535
    rate: tuple[int, float] = (1000, 1.0)  # messages in seconds
    connect_gap = 0.0  # s
    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()

    def connect(self, packet: ConnectPacket, now: float) -> float | None:
        """Refused, or the Unix time at which the token ends (None: never)."""
        if packet.proto_level != 4:
            raise Refused(1, f"protocol level {packet.proto_level}")
        if packet.will_flag and not self.will:
            raise Refused(None, "a will is not allowed")
        low, high = self.keepalive
        if not low <= packet.keep_alive <= high:
            raise Refused(2, f"keepalive {packet.keep_alive} is not {low} to {high}")
        return self.login(packet, now)

    def login(self, packet: ConnectPacket, now: float) -> float | None:
        raise NotImplementedError

    def publish(self, packet: PublishPacket, topic: str, payload: bytes) -> None:
        """Refused if this may not be published."""
        if (packet.qos or 0) > self.max_qos:
            raise Refused(None, f"QoS {packet.qos} is not allowed")
        if packet.retain_flag and not self.retain:
            raise Refused(None, "retain is not allowed")
        if len(payload) > self.max_payload:
            raise Refused(None, f"payload of {len(payload)} bytes")
        if not any(self.matches(f, topic) for f in self.publishes):
            raise Refused(None, f"may not publish to {topic}")

    def may_subscribe(self, topic: str) -> bool:
        return topic in self.subscribes

    def unasked(self, topic: str) -> bool:
        """Are messages of this topic sent without a subscription?"""
        return False

    def throttled(self) -> list[Message]:
        """What is sent when there are too many messages."""
        return []

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        """(values of a report or None, messages to send back)."""
        raise NotImplementedError

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        """(topic, payload, function that gives the decoded answer from a message, None if it is none)."""
        raise NotImplementedError

    @staticmethod
    def matches(topic_filter: str, topic: str) -> bool:
        """MQTT wildcard matching."""
        wanted, found = topic_filter.split("/"), topic.split("/")
        if wanted[-1] == "#":
            wanted, found = wanted[:-1], found[: len(wanted) - 1]
        return len(wanted) == len(found) and all(w in ("+", f) for w, f in zip(wanted, found, strict=True))


class Aliyun(Cloud):
    """Alibaba Cloud IoT Platform, property model with `floats` as float properties."""

    keepalive = (30, 1200)
    max_payload = 262144
    rate = (10, 1.0)

    def __init__(self, product: str, device: str, secret: str, floats: tuple[str, ...] = ("temperature",)) -> None:
        self.product, self.device, self.secret, self.floats = product, device, secret, floats
        self.root = f"/sys/{product}/{device}/thing/"
        self.publishes = (
            self.root + "event/property/post",
            self.root + "service/property/set_reply",
            self.root + "service/+",
        )
        self.subscribes = (self.root + "event/property/post_reply", self.root + "service/property/set")

    def login(self, packet: ConnectPacket, now: float) -> None:
        cid, _, rest = packet.client_id.partition("|")
        if not rest.endswith("|") or len(cid) > 64:
            raise Refused(2, "client id malformed")
        extra = dict(pair.split("=") for pair in rest[:-1].split(","))
        device, found, product = (packet.username or "").partition("&")
        if not found or not packet.password:
            raise Refused(4, "user name or password malformed")
        if extra.get("securemode") != "3":
            raise Refused(5, "securemode is not that of plain TCP")
        content = {"clientId": cid, "deviceName": device, "productKey": product}
        if "timestamp" in extra:
            content["timestamp"] = extra["timestamp"]
        text = "".join(k + content[k] for k in sorted(content))
        expected = mac(extra["signmethod"].removeprefix("hmac"), self.secret.encode(), text).hex()
        if (product, device) != (self.product, self.device) or packet.password.lower() != expected:
            raise Refused(5, "not authorised")

    def may_subscribe(self, topic: str) -> bool:
        service = topic.removeprefix(self.root + "service/")  # one of the thing model, no wildcard
        return topic in self.subscribes or (service != topic and service.isidentifier())

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        if topic != self.root + "event/property/post":
            return None, []
        body = json.loads(payload)
        reply = self.root + "event/property/post_reply"
        values = {k: v["value"] if isinstance(v, dict) else v for k, v in body["params"].items()}
        bad = [k for k in self.floats if k in values and not isinstance(values[k], float)]
        if body["method"] != "thing.event.property.post" or body["version"] != "1.0" or bad:
            answer = {"id": body["id"], "code": 460, "message": "request parameter error", "data": {}}
            raise Refused(None, f"report refused, floats without a point: {bad}", [(reply, dumps(answer))])
        return values, [(reply, dumps({"id": body["id"], "code": 200, "data": {}}))]

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        topic = self.root + "service/" + (name or "property/set")
        body = {
            "id": "100041",
            "version": "1.0",
            "params": values,
            "method": "thing.service." + (name or "property.set"),
        }

        def answered(found: str, payload: bytes) -> Any:
            reply = json.loads(payload)
            return reply if found == topic + "_reply" and reply["id"] == "100041" else None

        return topic, dumps(body), answered


class Tencent(Cloud):
    """Tencent Cloud: IoT Explorer; `hub=True` for IoT Hub."""

    keepalive = (60, 690)
    max_payload = 16384
    rate = (10, 1.0)
    connect_gap = 5.0

    def __init__(self, product: str, device: str, secret: str, hub: bool = False) -> None:
        self.client, self.secret, self.hub = product + device, secret, hub
        self.path = f"{product}/{device}"
        if hub:
            self.publishes, self.subscribes = (self.path + "/event",), (self.path + "/control",)
            self.rate = (20, 1.0)
        else:
            self.publishes = ("$thing/up/property/" + self.path, "$thing/up/action/" + self.path)
            self.subscribes = ("$thing/down/property/" + self.path, "$thing/down/action/" + self.path)

    def login(self, packet: ConnectPacket, now: float) -> float:
        words = (packet.username or "").split(";")
        if packet.client_id != self.client or len(words) != 4 or words[0] != self.client:
            raise Refused(4, "user name malformed")
        _, appid, connid, expiry = words
        if appid not in ("12010126", "21010406") or len(connid) != 5 or not connid.isalnum():
            raise Refused(4, "user name malformed")
        digest, _, method = (packet.password or "").partition(";")
        if method not in ("hmacsha1", "hmacsha256"):
            raise Refused(4, "password malformed")
        key = base64.b64decode(self.secret)
        if digest != mac(method.removeprefix("hmac"), key, packet.username).hex():
            raise Refused(5, "not authorised")
        if int(expiry) <= now:
            raise Refused(5, "token expired")
        return None  # the end counts at CONNECT only

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        body = json.loads(payload)
        if self.hub:
            return (None if "ok" in body else body), []
        if body["method"] != "report":
            return None, []
        reply = {"method": "report_reply", "clientToken": body["clientToken"], "code": 0, "status": "some message"}
        return body["params"], [("$thing/down/property/" + self.path, dumps(reply))]

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        if self.hub:
            body = {"command": name or "set", "id": 4711, **values}

            def answered_hub(_: str, payload: bytes) -> Any:
                return json.loads(payload) if json.loads(payload).get("id") == 4711 else None

            return self.path + "/control", dumps(body), answered_hub
        kind = "action" if name else "property"
        method = "action" if name else "control"
        body = {"method": method, "clientToken": "token-1", "params": values}
        if name:
            body.update(actionId=name, timestamp=1212121221)

        def answered(found: str, payload: bytes) -> Any:
            reply = json.loads(payload)
            ours = found == f"$thing/up/{kind}/{self.path}" and reply["method"] == method + "_reply"
            return reply if ours and reply["clientToken"] == "token-1" else None

        return f"$thing/down/{kind}/{self.path}", dumps(body), answered


class OneNET(Cloud):
    """OneNET Studio."""

    rate = (50, 1.0)

    def __init__(self, product: str, device: str, secret: str) -> None:
        self.product, self.device, self.secret = product, device, secret
        self.root = f"$sys/{product}/{device}/thing/"
        self.publishes = (
            self.root + "property/post",
            self.root + "property/set_reply",
            self.root + "service/+/invoke_reply",
        )
        self.subscribes = (
            self.root + "property/post/reply",
            self.root + "property/set",
        )

    def may_subscribe(self, topic: str) -> bool:
        service = topic.removeprefix(self.root + "service/").removesuffix("/invoke")  # one of the thing model
        return topic in self.subscribes or (topic.endswith("/invoke") and service.isidentifier())

    def login(self, packet: ConnectPacket, now: float) -> None:
        if packet.client_id != self.device or packet.username != self.product:
            raise Refused(4, "unknown product or device")
        fields = {k: unquote(v) for k, _, v in (part.partition("=") for part in (packet.password or "").split("&"))}
        resource = f"products/{self.product}/devices/{self.device}"
        if fields.get("version") != "2018-10-31" or fields.get("res") != resource:
            raise Refused(4, "token malformed")
        text = "\n".join((fields["et"], fields["method"], resource, "2018-10-31"))
        expected = mac(fields["method"], base64.b64decode(self.secret), text)
        if base64.b64decode(fields["sign"]) != expected:
            raise Refused(4, "wrong signature")
        if int(fields["et"]) <= now:
            raise Refused(4, "token expired")

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        if topic != self.root + "property/post":
            return None, []
        body = json.loads(payload)
        assert body["version"] == "1.0"
        values = {name: value["value"] for name, value in body["params"].items()}
        reply = {"id": body["id"], "code": 200, "msg": "success"}
        return values, [(topic + "/reply", dumps(reply))]

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        topic = self.root + (f"service/{name}/invoke" if name else "property/set")

        def answered(found: str, payload: bytes) -> Any:
            return json.loads(payload) if found == topic + "_reply" and json.loads(payload)["id"] == "55" else None

        return topic, dumps({"id": "55", "version": "1.0", "params": values}), answered


class OneNETLegacy(Cloud):
    """OneNET, old edition: what it does not like it drops without a CONNACK."""

    publishes = ("$dp", "$crsp/+")

    def __init__(self, product: str, device: str, secret: str) -> None:
        self.identity = (device, product, secret)

    def login(self, packet: ConnectPacket, now: float) -> None:
        if (packet.client_id, packet.username, packet.password) != self.identity:
            raise Refused(4, "wrong user or password")

    def unasked(self, topic: str) -> bool:
        return topic.startswith("$creq/")

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        if topic != "$dp":
            return None, []
        assert payload[0] == 1 and int.from_bytes(payload[1:3], "big") == len(payload) - 3
        streams = json.loads(payload[3:])["datastreams"]
        return {s["id"]: s["datapoints"][0]["value"] for s in streams}, []

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        body = {"command": name or "set", **values}
        return "$creq/uuid-1", dumps(body), lambda t, p: json.loads(p) if t == "$crsp/uuid-1" else None


class Azure(Cloud):
    """Azure IoT Hub, without its TLS: the signature, direct methods, and the end of the token."""

    max_payload = 262144

    def __init__(self, hub: str, device: str, secret: str) -> None:
        self.hub, self.device, self.secret = hub, device, secret
        self.publishes = (f"devices/{device}/messages/events/#", "$iothub/methods/res/+/+")
        self.subscribes = (f"devices/{device}/messages/devicebound/#", "$iothub/methods/POST/#")

    def login(self, packet: ConnectPacket, now: float) -> float:
        if packet.username != f"{self.hub}/{self.device}/?api-version=2021-04-12" or packet.client_id != self.device:
            raise Refused(5, "unknown user")
        start, _, rest = (packet.password or "").partition(" ")
        fields = dict(part.split("=", 1) for part in rest.split("&"))
        resource = quote(f"{self.hub}/devices/{self.device}", safe="")
        if start != "SharedAccessSignature" or fields.get("sr") != resource:
            raise Refused(5, "no token for this device")
        expected = mac("sha256", base64.b64decode(self.secret), resource + "\n" + fields["se"])
        if base64.b64decode(unquote(fields["sig"])) != expected or int(fields["se"]) <= now:
            raise Refused(5, "not authorised")
        return float(fields["se"])

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        return (json.loads(payload) if "/events/" in topic else None), []

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        def answered(found: str, payload: bytes) -> Any:
            words = found.split("/")
            return {"status": int(words[3])} if found.startswith("$iothub") and words[4] == "?$rid=1f" else None

        return f"$iothub/methods/POST/{name or 'set'}/?$rid=1f", dumps(values), answered


class ThingsBoard(Cloud):
    """ThingsBoard device API."""

    max_payload = 65536
    publishes = ("v1/devices/me/telemetry", "v1/devices/me/attributes", "v1/devices/me/rpc/response/+")
    subscribes = ("v1/devices/me/rpc/request/+", "v1/devices/me/attributes")

    def __init__(self, token: str) -> None:
        self.token = token

    def login(self, packet: ConnectPacket, now: float) -> None:
        if packet.username != self.token or packet.password:
            raise Refused(5, "unknown token")

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        body = json.loads(payload)
        return (body.get("values", body) if topic.endswith("telemetry") else None), []

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        body = {"method": name or "set", "params": values}
        reply = "v1/devices/me/rpc/response/31"
        return "v1/devices/me/rpc/request/31", dumps(body), lambda t, p: json.loads(p) if t == reply else None


class AdafruitIO(Cloud):
    """Adafruit IO, free plan."""

    max_payload = 1024
    rate = (30, 60.0)

    def __init__(self, user: str, key: str) -> None:
        self.user, self.key = user, key
        self.publishes = (f"{user}/feeds/+", f"{user}/groups/+")

    def may_subscribe(self, topic: str) -> bool:
        return topic.startswith(self.user + "/")

    def login(self, packet: ConnectPacket, now: float) -> None:
        if (packet.username, packet.password) != (self.user, self.key):
            raise Refused(5, "wrong key")

    def throttled(self) -> list[Message]:
        return [(self.user + "/throttle", b"alice data rate limit reached, 30 seconds until throttle released")]

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        key = topic.rpartition("/")[2]
        if any(c not in "abcdefghijklmnopqrstuvwxyz0123456789-." for c in key):
            raise Refused(None, f"no feed key: {key}", [(self.user + "/errors", b"invalid feed key")])
        return {key: json.loads(payload)}, []

    def command(self, values: dict[str, Any], name: str) -> tuple[str, bytes, Callable[[str, bytes], Any]]:
        if name:
            return f"{self.user}/feeds/command", name.encode(), lambda *_: None
        key, value = next(iter(values.items()))
        return f"{self.user}/feeds/{key}", dumps(value), lambda *_: None


class ThingSpeak(Cloud):
    """ThingSpeak, free plan: an update before its time is ignored."""

    max_qos = 0
    rate = (1, 15.0)

    def __init__(self, channel: str, client: str, user: str, password: str) -> None:
        self.identity = (client, user, password)
        self.publishes = (f"channels/{channel}/publish",)

    def login(self, packet: ConnectPacket, now: float) -> None:
        if not packet.clean_session_flag:
            raise Refused(None, "clean session wanted")
        if (packet.client_id, packet.username, packet.password) != self.identity:
            raise Refused(5, "unknown device")

    def accept(self, topic: str, payload: bytes) -> tuple[dict[str, Any] | None, list[Message]]:
        fields = {k: v[0] for k, v in parse_qs(payload.decode(), strict_parsing=True).items()}
        assert all(k == "created_at" or k in [f"field{i}" for i in range(1, 9)] for k in fields)
        return fields, []
