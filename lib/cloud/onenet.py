"""OneNET Studio (China Mobile), device token version 2018-10-31, "OneJSON" thing model. onenet_legacy.py: old edition.

onenet.hk.chinamobile.com/doc/mqtt (token), cm-heclouds/studio-acc-sdk-java (topics, payloads). Fields: product =
product id, device = device name, secret = device access key (base64), expiry = life of a token in s (0: to 2038).
"""

import json

from cloud import Platform
from cloud.body import messages, parse


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """Product id, device name and access key wanted."""
    from cloud.base import need
    from cloud.base import setup as base_setup
    from cloud.sign import unbase64

    p.retain_ok = False  # nothing is documented about wills and retained messages
    p.publish_interval = 100
    p.confirms = True
    base_setup(p, cloud, mqtt, device, "mqtts.heclouds.com", max_qos=1, keepalive=(30, 1200))
    p._user = need(cloud, "product", 32)
    p.client_id = need(cloud, "device", 64)
    p._key = unbase64(need(cloud, "secret"))
    p._method = (cloud.get("method") or "sha256").replace("hmac", "")
    p._life = cloud.get("expiry") or 0
    p.needs_clock = p._life > 0
    p._path = "$sys/" + p._user + "/" + p.client_id + "/thing/"
    p._topic = p._path + "property/post"
    token("", p._key, 0, p._method)  # refuses an unknown method now


def credentials(p: Platform, now: int | None = None) -> tuple:
    """See base.py."""
    from cloud.sign import expiry

    resource = "products/%s/devices/%s" % (p._user, p.client_id)
    password = token(resource, p._key, expiry(p, p._life, now), p._method)
    return p.client_id, p._user, password


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    found = [(p._topic + "/reply", 1), (p._path + "property/set", 1)]
    for name in commands:
        found.append((p._path + "service/" + name + "/invoke", 1))
    return found


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    return messages(p, readings, at, _member, _body, room=60)


def _member(name: str, value: str, at: int | None) -> str:
    return '%s:{"value":%s%s}' % (name, value, "" if at is None else ',"time":%d000' % at)


def _body(text: str, ident: str | None, at: int | None) -> str:
    return '{"id":"%s","version":"1.0","params":{%s}}' % (ident, text)


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    body = parse(payload)
    ident = body.get("id")
    if topic == p._topic + "/reply":
        return "ack", str(ident), body.get("code") == 200, "%s %s" % (body.get("code"), body.get("msg", ""))
    if not topic.startswith(p._path):
        return None
    words = topic[len(p._path) :].split("/")  # property/set or service/{name}/invoke
    if words[-1] not in ("set", "invoke"):
        return None
    if not isinstance(ident, (int, str)) or not isinstance(body.get("params"), dict):
        return "fault", "not OneJSON", None, (topic, ident)
    return "command", words[1], body["params"], (topic, ident)


def reply(p: Platform, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
    """See base.py."""
    body = {"id": ref[1], "code": 200 if ok else 400, "msg": text or ("success" if ok else "failed")}
    if data is not None:
        body["data"] = data
    return ref[0] + "_reply", json.dumps(body)


def token(resource: str, key: bytes, end: int, method: str) -> str:
    """The password. The *raw* resource is signed, the encoded one is sent. `method`: sha1 or sha256."""
    from cloud.sign import mac64, quote

    signature = mac64(method, key, "%d\n%s\n%s\n2018-10-31" % (end, method, resource))
    return "version=2018-10-31&res=%s&et=%d&method=%s&sign=%s" % (quote(resource), end, method, signature)
