"""Azure IoT Hub with a shared access signature. TLS only: from an ESP8266 use a bridge (docs/bridge.md).

learn.microsoft.com, "Communicate with an IoT hub using MQTT"; the signature as azure-iot-device makes it. Fields:
product = name of the hub (or its host name), device = device id, secret = device key, expiry = life of a token in s.
"""

import json

from cloud.base import COMMAND, FAULT, Platform, members, need, parse, request, secret
from cloud.sign import mac64, quote, unbase64

_METHODS = "$iothub/methods/"


def token(resource: str, key: bytes, expiry: int) -> str:
    """The password. The *encoded* resource is signed."""
    resource = quote(resource)
    signature = mac64("sha256", key, "%s\n%d" % (resource, expiry))
    return "SharedAccessSignature sr=%s&sig=%s&se=%d" % (resource, signature, expiry)


class Azure(Platform):
    """Azure IoT Hub. It closes the connection when the token ends."""

    tls_only = True
    retain_ok = False
    will_ok = False
    max_qos = 1
    keepalive_max = 1177
    publish_interval = 100
    max_payload = 262144
    needs_clock = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        hub = need(cloud, "product", 128)
        self._hub = hub if "." in hub else hub + ".azure-devices.net"
        name = need(cloud, "device", 128)
        self._key = unbase64(secret(cloud))
        self.lifetime = cloud.get("expiry") or 86400
        Platform.__init__(self, cloud, mqtt, device)
        self.client_id = name
        self._topic = "devices/" + name + "/messages/"

    def host(self, cloud: dict) -> str:
        return self._hub

    def credentials(self, now: int | None = None) -> tuple:
        user = self._hub + "/" + self.client_id + "/?api-version=2021-04-12"
        return self.client_id, user, token(self._hub + "/devices/" + self.client_id, self._key, self.expiry(now))

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._topic + "devicebound/#", 1), (_METHODS + "POST/#", 0)]

    def report(self, readings: list, at: int | None = None) -> list:
        time = "}" if at is None else ',"time":%d}' % at
        topic = self._topic + "events/"
        return [(topic, "{" + text + time, None) for text in self._chunks(members(readings), len(time) + 1)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if topic.startswith(self._topic + "devicebound/"):
            kind, name, args, _ = request(payload, "", "")
            return kind, name, args, None
        if not topic.startswith(_METHODS + "POST/"):
            return None
        words = topic.split("/")  # $iothub/methods/POST/{name}/?$rid={rid}
        if len(words) != 5 or not words[4].startswith("?$rid="):
            return FAULT, "no request id", None, None
        args = parse(payload or b"{}")
        if args is None:
            return FAULT, "a JSON object wanted", None, words[4]
        return COMMAND, words[3], args, words[4]

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        if ref is None:
            return None  # cloud-to-device messages have no answer
        if data is None:
            data = {"message": text} if text else {}
        return "%sres/%d/%s" % (_METHODS, 200 if ok else 400, ref), json.dumps(data)

    def explain(self, code: int) -> str:
        if code in (4, 5):
            return "Azure does not accept the signature: wrong device key, hub or device id, or the clock is wrong"
        return Platform.explain(self, code)


create = Azure
