"""OneNET Studio (China Mobile), device token version 2018-10-31, "OneJSON" thing model. onenet_legacy.py: old edition.

onenet.hk.chinamobile.com/doc/mqtt (token), cm-heclouds/studio-acc-sdk-java (topics, payloads). Fields: product =
product id, device = device name, secret = device access key (base64), expiry = life of a token in s (0: to 2038).
"""

import json

from cloud.base import ACK, COMMAND, FAULT, FOREVER, Platform, members, need, parse, secret
from cloud.sign import mac64, quote, unbase64


def token(resource: str, key: bytes, expiry: int = FOREVER, method: str = "sha256") -> str:
    """The password. The *raw* resource is signed, the encoded one is sent."""
    signature = mac64(method, key, "%d\n%s\n%s\n2018-10-31" % (expiry, method, resource))
    return "version=2018-10-31&res=%s&et=%d&method=%s&sign=%s" % (quote(resource), expiry, method, signature)


class OneNET(Platform):
    """OneNET Studio. Whether it takes wills and retained messages is not documented: none are sent."""

    will_ok = False
    retain_ok = False
    max_qos = 1
    keepalive_min = 30
    keepalive_max = 1200
    publish_interval = 100
    max_payload = 65535
    confirms = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._product = need(cloud, "product", 32)
        name = need(cloud, "device", 64)
        self._key = unbase64(secret(cloud))
        method = cloud.get("method") or "sha256"
        self._method = method[4:] if method.startswith("hmac") else method
        self.lifetime = cloud.get("expiry") or 0
        self.needs_clock = self.lifetime > 0
        Platform.__init__(self, cloud, mqtt, device)
        self.client_id = name
        self._sys = "$sys/" + self._product + "/" + name + "/thing/"
        mac64(self._method, self._key, "")  # refuse an unknown method now

    def host(self, cloud: dict) -> str:
        return "mqtts.heclouds.com"

    def credentials(self, now: int | None = None) -> tuple:
        resource = "products/" + self._product + "/devices/" + self.client_id
        return self.client_id, self._product, token(resource, self._key, self.expiry(now), self._method)

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        found = [(self._sys + "property/post/reply", 1), (self._sys + "property/set", 1)]
        return found + [(self._sys + "service/" + name + "/invoke", 1) for name in commands]

    def report(self, readings: list, at: int | None = None) -> list:
        form = '%s:{"value":%s}' if at is None else '%%s:{"value":%%s,"time":%d000}' % at
        found = []
        for text in self._chunks(members(readings, False, form), 60):
            ident = self._next()
            body = '{"id":"%s","version":"1.0","params":{%s}}' % (ident, text)
            found.append((self._sys + "property/post", body, ident))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if not topic.startswith(self._sys):
            return None
        topic = topic[len(self._sys) :]
        body = parse(payload)
        if body is None or not isinstance(body.get("id"), (str, int)):
            return FAULT, "not a OneJSON message", None, None
        if topic == "property/post/reply":
            return ACK, str(body["id"]), body.get("code") == 200, "%s %s" % (body.get("code"), body.get("msg", ""))
        ref = (topic, body["id"])
        if topic == "property/set":
            name = "set"
        elif topic.startswith("service/") and topic.endswith("/invoke"):
            name = topic[8:-7]
        else:
            return None
        args = body.get("params")
        if not isinstance(args, dict):
            return FAULT, "params wanted", None, ref
        return COMMAND, name, args, ref

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        text = text or ("success" if ok else "failed")
        body = '{"id":%s,"code":%d,"msg":%s' % (json.dumps(ref[1]), 200 if ok else 400, json.dumps(text))
        if data is not None:
            body += ',"data":' + json.dumps(data)
        return self._sys + ref[0] + "_reply", body + "}"

    def explain(self, code: int) -> str:
        if code in (4, 5):
            text = "OneNET does not accept the token: wrong access key, product id or device name"
            return text + (", or the clock is wrong" if self.lifetime else "")
        return Platform.explain(self, code)


create = OneNET
