"""Tencent Cloud IoT Explorer (data template protocol). tencent_hub.py has IoT Hub, which connects alike.

cloud.tencent.com documents 634/32546 (signature), 634/15241 (limits), 1081/34916 (data template). Fields: product =
ProductId, device = DeviceName, secret = device key, region blank (Guangzhou) or us-east, expiry = life of a token in s.
"""

import json
import os

from cloud import Platform
from cloud.body import member, messages, parse


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """ProductId, DeviceName and key wanted."""
    from cloud.base import need
    from cloud.base import setup as base_setup
    from cloud.sign import unbase64

    p.retain_ok = False
    p.connect_interval = 5000
    p.publish_interval = 100
    p.max_payload = 16384
    p.confirms = True
    product = need(cloud, "product", 10)
    name = need(cloud, "device", 48)
    p._key = unbase64(need(cloud, "secret"))
    p._method = "hmac" + (cloud.get("method") or "sha256").replace("hmac", "")
    p._life = cloud.get("expiry") or 0
    p.needs_clock = p._life > 0
    region = cloud.get("region")
    host = product + ("." + region if region else "") + ".iotcloud.tencentdevices.com"
    # of keepalive, three documents give three ranges; this is what they share
    base_setup(p, cloud, mqtt, device, host, max_qos=1, keepalive=(60, 690))
    p.client_id = product + name
    p._path = product + "/" + name
    p._topic = "$thing/up/property/" + p._path
    sign("", p._key, p._method, 0, "")  # refuses an unknown method now


def credentials(p: Platform, now: int | None = None) -> tuple:
    """See base.py."""
    from cloud.sign import expiry

    connid = "%05x" % (int.from_bytes(os.urandom(3), "big") & 0xFFFFF)
    return sign(p.client_id, p._key, p._method, expiry(p, p._life, now), connid)


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [("$thing/down/%s/%s" % (kind, p._path), 1) for kind in ("property", "action")]


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    return messages(p, readings, at, member, _body, room=100)


def _body(text: str, ident: str | None, at: int | None) -> str:
    stamp = "" if at is None else '"timestamp":%d,' % at
    return '{"method":"report","clientToken":"%s",%s"params":{%s}}' % (ident, stamp, text)


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    words = topic.split("/", 3)
    if len(words) < 4 or words[3] != p._path:
        return None
    body = parse(payload)
    token = body.get("clientToken")
    method = body.get("method")
    if method == "report_reply":
        return "ack", str(token), body.get("code") == 0, "%s %s" % (body.get("code"), body.get("status", ""))
    if method not in ("control", "action"):
        return None
    name = "set" if method == "control" else body.get("actionId")
    args = body.get("params")
    ref = (method, token)
    if not isinstance(token, (str, int)) or not isinstance(args, dict) or not isinstance(name, str):
        return "fault", "no data template", None, ref
    return "command", name, args, ref


def reply(p: Platform, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
    """See base.py."""
    body = {"method": ref[0] + "_reply", "clientToken": ref[1], "code": 0 if ok else 1, "status": text}
    topic = p._topic
    if ref[0] == "action":
        topic = "$thing/up/action/" + p._path
        body["response"] = data or {}
    return topic, json.dumps(body)


def sign(client: str, key: bytes, method: str, end: int, connid: str, appid: str = "12010126") -> tuple:
    """(client id, user, password). `end`: Unix time; `connid`: 5 random characters; `appid`: as documented."""
    from cloud.sign import hexmac

    user = "%s;%s;%s;%d" % (client, appid, connid, end)
    return client, user, hexmac(method, key, user) + ";" + method
