"""Azure IoT Hub with a shared access signature. TLS only: from an ESP8266 use a bridge (docs/bridge.md).

learn.microsoft.com, "Communicate with an IoT hub using MQTT"; the signature as azure-iot-device makes it. Fields:
product = name of the hub (or its host name), device = device id, secret = device key, expiry = life of a token in s.
"""

import json

from cloud import Platform
from cloud.body import parse, report  # noqa: F401  (report is a method)


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """Hub, device and key wanted. Azure closes the connection when the token ends."""
    from cloud.base import need
    from cloud.base import setup as base_setup
    from cloud.sign import unbase64

    p.retain_ok = False
    p.publish_interval = 100  # payload up to 256 KB
    p.needs_clock = True
    p._hub = need(cloud, "product", 128)
    if "." not in p._hub:
        p._hub += ".azure-devices.net"
    base_setup(p, cloud, mqtt, device, p._hub, tls_only=True, max_qos=1, keepalive=(0, 1177))
    p.client_id = need(cloud, "device", 128)
    p._key = unbase64(need(cloud, "secret"))
    p._life = cloud.get("expiry") or 86400
    p._path = "devices/" + p.client_id + "/messages/"
    p._topic = p._path + "events/"


def credentials(p: Platform, now: int | None = None) -> tuple:
    """See base.py."""
    from cloud.sign import expiry

    user = p._hub + "/" + p.client_id + "/?api-version=2021-04-12"
    resource = p._hub + "/devices/" + p.client_id
    return p.client_id, user, token(resource, p._key, expiry(p, p._life, now))


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [(p._path + "devicebound/#", 1), ("$iothub/methods/POST/#", 0)]


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    if topic.startswith(p._path):
        from cloud.own import request

        kind, name, args, _ = request(payload, "", None)
        return kind, name, args, None
    words = topic.split("/")  # $iothub/methods/POST/{name}/?$rid={rid}
    if len(words) != 5 or words[1] != "methods":
        return None
    args = parse(payload)
    if not args and payload not in (b"", b"{}", b"null"):
        return "fault", "a JSON object wanted", None, words[4]
    return "command", words[3], args, words[4]


def reply(p: Platform, ref: str | None, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
    """See base.py."""
    if ref is None:
        return None  # cloud-to-device messages have no answer
    if data is None:
        data = {"message": text} if text else {}
    return "$iothub/methods/res/%d/%s" % (200 if ok else 400, ref), json.dumps(data)


def token(resource: str, key: bytes, end: int) -> str:
    """The password. The *encoded* resource is signed."""
    from cloud.sign import mac64, quote

    resource = quote(resource)
    signature = mac64("sha256", key, "%s\n%d" % (resource, end))
    return "SharedAccessSignature sr=%s&sig=%s&se=%d" % (resource, signature, end)
