"""OneNET Studio (China Mobile), device token version 2018-10-31, "OneJSON" thing model. onenet_legacy.py: old edition.

onenet.hk.chinamobile.com/doc/mqtt (token), cm-heclouds/studio-acc-sdk-java (topics, payloads). Fields: product =
product id, device = device name, secret = device access key (base64), expiry = life of a token in s (0: to 2038).
"""

import json

from cloud.base import ACK, COMMAND, FAULT, Platform, need, parse
from cloud.sign import expiry, mac64, quote, unbase64


class OneNET(Platform):
    """OneNET Studio. Whether it takes wills and retained messages is not documented: none are sent."""

    retain_ok = False
    max_qos = 1
    keepalive_min = 30
    publish_interval = 100
    confirms = True
    _room = 60

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Platform.__init__(self, cloud, mqtt, device, "mqtts.heclouds.com")
        self._user = need(cloud, "product", 32)
        self.client_id = need(cloud, "device", 64)
        self._key = unbase64(need(cloud, "secret"))
        self._method = (cloud.get("method") or "sha256").replace("hmac", "")
        self._life = cloud.get("expiry") or 0
        self.needs_clock = self._life > 0
        self._path = "$sys/" + self._user + "/" + self.client_id + "/thing/"
        self._topic = self._path + "property/post"
        token("", self._key, 0, self._method)  # refuses an unknown method now

    def credentials(self, now: int | None = None) -> tuple:
        resource = "products/" + self._user + "/devices/" + self.client_id
        password = token(resource, self._key, expiry(self, self._life, now), self._method)
        return self.client_id, self._user, password

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        found = [(self._topic + "/reply", 1), (self._path + "property/set", 1)]
        for name in commands:
            found.append((self._path + "service/" + name + "/invoke", 1))
        return found

    def _member(self, name: str, value: str, at: int | None) -> str:
        return '%s:{"value":%s%s}' % (name, value, "" if at is None else ',"time":%d000' % at)

    def _body(self, text: str, ident: str | None, at: int | None) -> str:
        return '{"id":"%s","version":"1.0","params":{%s}}' % (ident, text)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        body = parse(payload)
        ident = body.get("id")
        if topic == self._topic + "/reply":
            return ACK, str(ident), body.get("code") == 200, "%s %s" % (body.get("code"), body.get("msg", ""))
        if not topic.startswith(self._path):
            return None
        words = topic[len(self._path) :].split("/")  # property/set or service/{name}/invoke
        if words[-1] not in ("set", "invoke"):
            return None
        if not isinstance(ident, (int, str)) or not isinstance(body.get("params"), dict):
            return FAULT, "not OneJSON", None, (topic, ident)
        return COMMAND, words[1], body["params"], (topic, ident)

    def reply(self, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
        body = {"id": ref[1], "code": 200 if ok else 400, "msg": text or ("success" if ok else "failed")}
        if data is not None:
            body["data"] = data
        return ref[0] + "_reply", json.dumps(body)


def token(resource: str, key: bytes, end: int, method: str) -> str:
    """The password. The *raw* resource is signed, the encoded one is sent. `method`: sha1 or sha256."""
    signature = mac64(method, key, "%d\n%s\n%s\n2018-10-31" % (end, method, resource))
    return "version=2018-10-31&res=%s&et=%d&method=%s&sign=%s" % (quote(resource), end, method, signature)


create = OneNET
