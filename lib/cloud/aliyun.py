"""Alibaba Cloud (Aliyun) IoT Platform, public and Enterprise instances, MQTT 3.1.1.

Identity and limits: help.aliyun.com documents 73742, 147356, 30540; payloads (Alink JSON): 89301; the signature as the
vendor's C and Python SDKs make it. Fields: product = ProductKey, device = DeviceName, secret = DeviceSecret,
instance = instance id (blank: public instance, by region).
"""

import json

from cloud.base import ACK, COMMAND, FAULT, Platform, members, need, parse, secret
from cloud.sign import hexmac


def sign(
    product: str,
    device: str,
    key: str,
    *,
    method: str = "hmacsha256",
    mode: int = 3,
    cid: str | None = None,
    timestamp: str | None = None,
    extra: str = "",
) -> tuple:
    """(client id, user, password). `mode` 3: TCP, 2: TLS. `cid`: free part of the client id, the device name if None.
    `timestamp` is left out if None; the platform does not check it. `extra`: more "k=v," pairs, unsigned."""
    cid = cid or device
    stamp = "" if timestamp is None else "timestamp" + timestamp
    client = "%s|securemode=%d,signmethod=%s,%s%s" % (cid, mode, method, extra, stamp and "timestamp=" + timestamp)
    content = "clientId" + cid + "deviceName" + device + "productKey" + product + stamp
    return client.rstrip(",") + "|", device + "&" + product, hexmac(method, key.encode(), content)


class Aliyun(Platform):
    """Aliyun IoT Platform. A second connection with the same identity kicks out the first."""

    will_ok = False
    retain_ok = False
    max_qos = 1
    keepalive_min = 30
    keepalive_max = 1200
    publish_interval = 100  # 10 QoS 1 messages a second and device
    max_payload = 262144
    confirms = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._product = need(cloud, "product", 32)
        self._name = need(cloud, "device", 32)
        self._secret = secret(cloud)
        self._method = cloud.get("method") or "hmacsha256"
        Platform.__init__(self, cloud, mqtt, device)
        self._sys = "/sys/" + self._product + "/" + self._name + "/thing/"
        self.client_id = self.credentials()[0]

    def host(self, cloud: dict) -> str:
        if cloud.get("instance"):
            return need(cloud, "instance", 64) + ".mqtt.iothub.aliyuncs.com"
        region = need(cloud, "region", 32) if cloud.get("region") else "cn-shanghai"
        return self._product + ".iot-as-mqtt." + region + ".aliyuncs.com"

    def credentials(self, now: int | None = None) -> tuple:
        mode = 2 if self.brokers[0][2] else 3
        return sign(self._product, self._name, self._secret, method=self._method, mode=mode)

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        found = [(self._sys + "event/property/post_reply", 1), (self._sys + "service/property/set", 1)]
        return found + [(self._sys + "service/" + name, 1) for name in commands]

    def report(self, readings: list, at: int | None = None) -> list:
        form = "%s:%s"
        if at is not None:
            form = '%%s:{"value":%%s,"time":%d000}' % at
        found = []
        for text in self._chunks(members(readings, True, form), 100):
            ident = self._next()
            body = '{"id":"%s","version":"1.0","params":{%s},"method":"thing.event.property.post"}' % (ident, text)
            found.append((self._sys + "event/property/post", body, ident))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if not topic.startswith(self._sys):
            return None
        topic = topic[len(self._sys) :]
        body = parse(payload)
        if body is None or not isinstance(body.get("id"), (str, int)):
            return FAULT, "not an Alink message", None, None
        if topic == "event/property/post_reply":
            text = "%s %s" % (body.get("code"), body.get("message", ""))
            return ACK, str(body["id"]), body.get("code") == 200, text
        if not topic.startswith("service/"):
            return None
        ref = (topic, body["id"])
        args = body.get("params")
        if not isinstance(args, dict):
            return FAULT, "params wanted", None, ref
        name = topic[8:]
        return COMMAND, "set" if name == "property/set" else name, args, ref

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        body = '{"id":%s,"code":%d,"data":%s' % (json.dumps(ref[1]), 200 if ok else 100000, json.dumps(data or {}))
        if text:
            body += ',"message":' + json.dumps(text)
        return self._sys + ref[0] + "_reply", body + "}"

    def explain(self, code: int) -> str:
        if code == 2:
            return "Aliyun finds the client id malformed: check DeviceName (64 characters at most)"
        if code == 4:
            return "Aliyun finds user name or password malformed: check ProductKey and DeviceName"
        if code == 5:
            return (
                "Aliyun does not accept the signature: wrong DeviceSecret, or the device is of another instance or "
                "region than " + self.brokers[0][0]
            )
        return Platform.explain(self, code)


create = Aliyun
