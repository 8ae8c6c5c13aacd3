"""Alibaba Cloud (Aliyun) IoT Platform, public and Enterprise instances, MQTT 3.1.1.

Identity and limits: help.aliyun.com documents 73742, 147356, 30540; payloads (Alink JSON): 89301; the signature as the
vendor's C and Python SDKs make it. Fields: product = ProductKey, device = DeviceName, secret = DeviceSecret,
instance = instance id (blank: public instance, by region).
"""

import json

from cloud.base import ACK, COMMAND, FAULT, Platform, need, parse
from cloud.sign import hexmac


class Aliyun(Platform):
    """Aliyun IoT Platform. A second connection with the same identity kicks out the first."""

    retain_ok = False
    max_qos = 1
    keepalive_min = 30
    publish_interval = 100  # 10 QoS 1 messages a second and device; payload up to 256 KB
    confirms = True
    _point = True  # document 89301: a float or double has a decimal place
    _room = 100

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        product = need(cloud, "product", 32)
        name = need(cloud, "device", 32)
        if cloud.get("instance"):
            host = need(cloud, "instance", 64) + ".mqtt.iothub"
        else:
            host = product + ".iot-as-mqtt." + (cloud.get("region") or "cn-shanghai")
        Platform.__init__(self, cloud, mqtt, device, host + ".aliyuncs.com")
        self._path = "/sys/" + product + "/" + name + "/thing/"
        self._topic = self._path + "event/property/post"
        self.client_id, self._user, self._password = sign(
            product, name, need(cloud, "secret"), cloud.get("method") or "hmacsha256", 2 if self.brokers[0][2] else 3
        )

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        found = [(self._topic + "_reply", 1)]
        for name in ("property/set",) + tuple(commands):
            found.append((self._path + "service/" + name, 1))
        return found

    def _member(self, name: str, value: str, at: int | None) -> str:
        return name + ":" + value if at is None else '%s:{"value":%s,"time":%d000}' % (name, value, at)

    def _body(self, text: str, ident: str | None, at: int | None) -> str:
        return '{"id":"%s","version":"1.0","params":{%s},"method":"thing.event.property.post"}' % (ident, text)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        body = parse(payload)
        ident = body.get("id")
        if topic == self._topic + "_reply":
            return ACK, str(ident), body.get("code") == 200, "%s %s" % (body.get("code"), body.get("message", ""))
        start = self._path + "service/"
        if not topic.startswith(start):
            return None
        if not isinstance(ident, (int, str)) or not isinstance(body.get("params"), dict):
            return FAULT, "not Alink JSON", None, (topic, ident)
        name = topic[len(start) :]
        return COMMAND, "set" if name == "property/set" else name, body["params"], (topic, ident)

    def reply(self, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple:
        body = {"id": ref[1], "code": 200 if ok else 100000, "data": data or {}, "message": text}
        return ref[0] + "_reply", json.dumps(body)


def sign(  # noqa: PLR0917
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
    cid = cid or device
    client = "%s|securemode=%d,signmethod=%s" % (cid, mode, method)
    content = "clientId" + cid + "deviceName" + device + "productKey" + product
    if extra:
        client += "," + extra
    if stamp:
        client += ",timestamp=" + stamp
        content += "timestamp" + stamp
    return client + "|", device + "&" + product, hexmac(method, secret.encode(), content)


create = Aliyun
