"""Tencent Cloud IoT Explorer (data template protocol). tencent_hub.py has IoT Hub, which connects alike.

cloud.tencent.com documents 634/32546 (signature), 634/15241 (limits), 1081/34916 (data template). Fields: product =
ProductId, device = DeviceName, secret = device key, region blank (Guangzhou) or us-east, expiry = life of a token in s.
"""

import json
import os

from cloud.base import ACK, COMMAND, FAULT, Platform, need, parse
from cloud.sign import expiry, hexmac, unbase64


class Tencent(Platform):
    """Tencent Cloud IoT Explorer."""

    retain_ok = False
    max_qos = 1
    keepalive_min = 60  # three documents give three ranges; this is what they share
    keepalive_max = 690
    connect_interval = 5000
    publish_interval = 100
    max_payload = 16384
    confirms = True
    _room = 100

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        product = need(cloud, "product", 10)
        name = need(cloud, "device", 48)
        self._key = unbase64(need(cloud, "secret"))
        self._method = cloud.get("method") or "hmacsha256"
        self._life = cloud.get("expiry") or 0
        self.needs_clock = self._life > 0
        region = cloud.get("region")
        host = product + ("." + region if region else "") + ".iotcloud.tencentdevices.com"
        Platform.__init__(self, cloud, mqtt, device, host)
        self.client_id = product + name
        self._path = product + "/" + name
        self._topic = "$thing/up/property/" + self._path
        sign("", self._key, self._method, 0, "")  # refuses an unknown method now

    def credentials(self, now: int | None = None) -> tuple:
        connid = "%05x" % (int.from_bytes(os.urandom(3), "big") & 0xFFFFF)
        return sign(self.client_id, self._key, self._method, expiry(self, self._life, now), connid)

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [("$thing/down/%s/%s" % (kind, self._path), 1) for kind in ("property", "action")]

    def _body(self, text: str, ident: str | None, at: int | None) -> str:
        stamp = "" if at is None else '"timestamp":%d,' % at
        return '{"method":"report","clientToken":"%s",%s"params":{%s}}' % (ident, stamp, text)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        words = topic.split("/", 3)
        if len(words) < 4 or words[3] != self._path:
            return None
        body = parse(payload)
        token = body.get("clientToken")
        method = body.get("method")
        if method == "report_reply":
            return ACK, str(token), body.get("code") == 0, "%s %s" % (body.get("code"), body.get("status", ""))
        if method not in ("control", "action"):
            return None
        name = "set" if method == "control" else body.get("actionId")
        args = body.get("params")
        ref = (method, token)
        if not isinstance(token, (str, int)) or not isinstance(args, dict) or not isinstance(name, str):
            return FAULT, "no data template", None, ref
        return COMMAND, name, args, ref

    def reply(self, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
        body = {"method": ref[0] + "_reply", "clientToken": ref[1], "code": 0 if ok else 1, "status": text}
        topic = self._topic
        if ref[0] == "action":
            topic = "$thing/up/action/" + self._path
            body["response"] = data or {}
        return topic, json.dumps(body)


def sign(client: str, key: bytes, method: str, end: int, connid: str, appid: str = "12010126") -> tuple:  # noqa: PLR0917
    """(client id, user, password). `end`: Unix time; `connid`: 5 random characters; `appid`: as documented."""
    user = "%s;%s;%s;%d" % (client, appid, connid, end)
    return client, user, hexmac(method, key, user) + ";" + method


create = Tencent
