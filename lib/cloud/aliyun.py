"""Alibaba Cloud (Aliyun) IoT Platform, public and Enterprise instances, MQTT 3.1.1.

Identity and limits: help.aliyun.com documents 73742, 147356, 30540; payloads (Alink JSON): 89301; the signature as the
vendor's C and Python SDKs make it. Fields: product = ProductKey, device = DeviceName, secret = DeviceSecret,
instance = instance id (blank: public instance, by region).
"""

import json

from cloud import Platform
from cloud.body import messages, parse


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """A second connection with the same identity kicks out the first."""
    from cloud.base import need
    from cloud.base import setup as base_setup

    p.retain_ok = False
    p.publish_interval = 100  # 10 QoS 1 messages a second and device; payload up to 256 KB
    p.confirms = True
    product = need(cloud, "product", 32)
    name = need(cloud, "device", 32)
    if cloud.get("instance"):
        host = need(cloud, "instance", 64) + ".mqtt.iothub"
    else:
        host = product + ".iot-as-mqtt." + (cloud.get("region") or "cn-shanghai")
    base_setup(p, cloud, mqtt, device, host + ".aliyuncs.com", max_qos=1, keepalive=(30, 1200))
    p._path = "/sys/" + product + "/" + name + "/thing/"
    p._topic = p._path + "event/property/post"
    p.client_id, p._user, p._password = sign(
        product,
        name,
        need(cloud, "secret"),
        "hmac" + (cloud.get("method") or "sha256").replace("hmac", ""),
        2 if p.brokers[0][2] else 3,
    )


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    found = [(p._topic + "_reply", 1)]
    for name in ("property/set",) + tuple(commands):
        found.append((p._path + "service/" + name, 1))
    return found


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    # document 89301: a float or double has a decimal place
    return messages(p, readings, at, _member, _body, point=True, room=100)


def _member(name: str, value: str, at: int | None) -> str:
    return name + ":" + value if at is None else '%s:{"value":%s,"time":%d000}' % (name, value, at)


def _body(text: str, ident: str | None, at: int | None) -> str:
    return '{"id":"%s","version":"1.0","params":{%s},"method":"thing.event.property.post"}' % (ident, text)


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    body = parse(payload)
    ident = body.get("id")
    if topic == p._topic + "_reply":
        return "ack", str(ident), body.get("code") == 200, "%s %s" % (body.get("code"), body.get("message", ""))
    start = p._path + "service/"
    if not topic.startswith(start):
        return None
    if not isinstance(ident, (int, str)) or not isinstance(body.get("params"), dict):
        return "fault", "not Alink JSON", None, (topic, ident)
    name = topic[len(start) :]
    return "command", "set" if name == "property/set" else name, body["params"], (topic, ident)


def reply(p: Platform, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
    """See base.py."""
    body = {"id": ref[1], "code": 200 if ok else 100000, "data": data or {}, "message": text}
    return ref[0] + "_reply", json.dumps(body)


def sign(
    product: str,
    device: str,
    secret: str,
    method: str,
    mode: int,
    cid: str = "",
    stamp: str = "",
    extra: str = "",
) -> tuple:
    """(client id, user, password). `mode` 3: TCP, 2: TLS. `cid`: free part of the client id, blank for the device name.
    `stamp`: ms, as text; the platform does not check it, nor want it. `extra`: more "k=v," pairs, unsigned."""
    from cloud.sign import hexmac

    cid = cid or device
    client = "%s|securemode=%d,signmethod=%s" % (cid, mode, method)
    content = "clientId" + cid + "deviceName" + device + "productKey" + product
    if extra:
        client += "," + extra
    if stamp:
        client += ",timestamp=" + stamp
        content += "timestamp" + stamp
    return client + "|", device + "&" + product, hexmac(method, secret.encode(), content)
