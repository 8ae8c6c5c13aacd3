"""Azure IoT Hub with a shared access signature. TLS only: from an ESP8266 use a bridge (docs/bridge.md).

learn.microsoft.com, "Communicate with an IoT hub using MQTT"; the signature as azure-iot-device makes it. Fields:
product = name of the hub (or its host name), device = device id, secret = device key, expiry = life of a token in s.
"""

import json

from cloud.base import COMMAND, FAULT, Platform, need, parse
from cloud.own import request
from cloud.sign import expiry, mac64, quote, unbase64


class Azure(Platform):
    """Azure IoT Hub. It closes the connection when the token ends."""

    tls_only = True
    retain_ok = False
    max_qos = 1
    keepalive_max = 1177
    publish_interval = 100  # payload up to 256 KB
    needs_clock = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._hub = need(cloud, "product", 128)
        if "." not in self._hub:
            self._hub += ".azure-devices.net"
        Platform.__init__(self, cloud, mqtt, device, self._hub)
        self.client_id = need(cloud, "device", 128)
        self._key = unbase64(need(cloud, "secret"))
        self._life = cloud.get("expiry") or 86400
        self._path = "devices/" + self.client_id + "/messages/"
        self._topic = self._path + "events/"

    def credentials(self, now: int | None = None) -> tuple:
        user = self._hub + "/" + self.client_id + "/?api-version=2021-04-12"
        resource = self._hub + "/devices/" + self.client_id
        return self.client_id, user, token(resource, self._key, expiry(self, self._life, now))

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._path + "devicebound/#", 1), ("$iothub/methods/POST/#", 0)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if topic.startswith(self._path):
            kind, name, args, _ = request(payload, "", None)
            return kind, name, args, None
        words = topic.split("/")  # $iothub/methods/POST/{name}/?$rid={rid}
        if len(words) != 5 or words[1] != "methods":
            return None
        args = parse(payload)
        if not args and payload not in (b"", b"{}", b"null"):
            return FAULT, "a JSON object wanted", None, words[4]
        return COMMAND, words[3], args, words[4]

    def reply(self, ref: str | None, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        if ref is None:
            return None  # cloud-to-device messages have no answer
        if data is None:
            data = {"message": text} if text else {}
        return "$iothub/methods/res/%d/%s" % (200 if ok else 400, ref), json.dumps(data)


def token(resource: str, key: bytes, end: int) -> str:
    """The password. The *encoded* resource is signed."""
    resource = quote(resource)
    signature = mac64("sha256", key, "%s\n%d" % (resource, end))
    return "SharedAccessSignature sr=%s&sig=%s&se=%d" % (resource, signature, end)


create = Azure
