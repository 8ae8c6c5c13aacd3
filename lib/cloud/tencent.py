"""Tencent Cloud IoT Explorer (data template protocol). tencent_hub.py has IoT Hub, which connects alike.

cloud.tencent.com documents 634/32546 (signature), 634/15241 (limits), 1081/34916 (data template). Fields: product =
ProductId, device = DeviceName, secret = device key, region blank (Guangzhou) or us-east, expiry = life of a token in s.
"""

import binascii
import json
import os

from cloud.base import ACK, COMMAND, FAULT, FOREVER, Platform, members, need, parse, secret
from cloud.sign import hexmac, unbase64


def sign(
    client: str,
    key: bytes,
    *,
    method: str = "hmacsha256",
    expiry: int = FOREVER,
    connid: str | None = None,
    appid: str = "12010126",
) -> tuple:
    """(client id, user, password). `connid`: 5 characters, random if None; `appid`: the documents' constant."""
    connid = connid or binascii.hexlify(os.urandom(3)).decode()[:5]
    user = "%s;%s;%s;%d" % (client, appid, connid, expiry)
    return client, user, hexmac(method, key, user) + ";" + method


class Tencent(Platform):
    """Tencent Cloud IoT Explorer."""

    will_ok = False
    retain_ok = False
    max_qos = 1
    keepalive_min = 60  # three documents give three ranges; this is what they share
    keepalive_max = 690
    connect_interval = 5000
    publish_interval = 100
    max_payload = 16384
    confirms = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._product = need(cloud, "product", 10)
        self._name = need(cloud, "device", 48)
        self._key = unbase64(secret(cloud))
        self._method = cloud.get("method") or "hmacsha256"
        self.lifetime = cloud.get("expiry") or 0
        self.needs_clock = self.lifetime > 0
        Platform.__init__(self, cloud, mqtt, device)
        self.client_id = self._product + self._name
        self._path = self._product + "/" + self._name
        hexmac(self._method, self._key, "")  # refuse an unknown method now

    def host(self, cloud: dict) -> str:
        region = need(cloud, "region", 32) + "." if cloud.get("region") else ""
        return self._product + "." + region + "iotcloud.tencentdevices.com"

    def credentials(self, now: int | None = None) -> tuple:
        return sign(self.client_id, self._key, method=self._method, expiry=self.expiry(now))

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [("$thing/down/property/" + self._path, 1), ("$thing/down/action/" + self._path, 1)]

    def report(self, readings: list, at: int | None = None) -> list:
        stamp = "" if at is None else '"timestamp":%d,' % at
        found = []
        for text in self._chunks(members(readings), 100):
            ident = self._next()
            body = '{"method":"report","clientToken":"%s",%s"params":{%s}}' % (ident, stamp, text)
            found.append(("$thing/up/property/" + self._path, body, ident))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if not (topic.startswith("$thing/down/") and topic.endswith("/" + self._path)):
            return None
        body = parse(payload)
        token = body and body.get("clientToken")
        if not isinstance(token, (str, int)):
            return FAULT, "no data template message", None, None
        method = body.get("method")
        if method == "report_reply":
            return ACK, str(token), body.get("code") == 0, "%s %s" % (body.get("code"), body.get("status", ""))
        if method not in ("control", "action"):
            return None
        ref = (method, token)
        args = body.get("params")
        name = "set" if method == "control" else body.get("actionId")
        if not isinstance(args, dict) or not isinstance(name, str):
            return FAULT, "params wanted", None, ref
        return COMMAND, name, args, ref

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        kind = "property" if ref[0] == "control" else "action"
        body = '{"method":"%s_reply","clientToken":%s,"code":%d,"status":%s' % (
            ref[0],
            json.dumps(ref[1]),
            0 if ok else 1,
            json.dumps(text),
        )
        if kind == "action":
            body += ',"response":' + json.dumps(data or {})
        return "$thing/up/%s/%s" % (kind, self._path), body + "}"

    def explain(self, code: int) -> str:
        if code == 2:
            return "Tencent refuses the client id: check ProductId and DeviceName"
        if code in (4, 5):
            text = "Tencent does not accept user name and signature: wrong device key, product, device or region"
            return text + (", or the clock is wrong" if self.lifetime else "")
        return Platform.explain(self, code)


create = Tencent
