"""OneNET's old multi-protocol edition: data points on $dp, commands on $creq (which need no subscription). No TLS.

cm-heclouds/MQTT, device access protocol 4 (MQTT). Fields: product = product id, device = numeric device id, secret =
auth info. A CONNECT it does not like may be dropped without a word.
"""

from cloud import Platform
from cloud.body import messages


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """Product id, device id and auth info wanted."""
    from cloud.base import need
    from cloud.base import setup as base_setup

    p.retain_ok = False
    if cloud.get("tls"):
        raise ValueError("cloud.tls: the old edition of OneNET has no TLS")
    base_setup(p, cloud, mqtt, device, "183.230.40.39", port=6002, max_qos=1)
    p.client_id = need(cloud, "device", 64)
    p._user = need(cloud, "product", 32)
    p._password = need(cloud, "secret")
    p._topic = "$dp"


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """Payload type 1: 0x01, length (2 bytes, big endian), JSON data streams."""
    return messages(p, readings, at, _member, _body)


def _member(name: str, value: str, at: int | None) -> str:
    return '{"id":%s,"datapoints":[{"value":%s}]}' % (name, value)


def _body(text: str, ident: str | None, at: int | None) -> bytes:
    body = ('{"datastreams":[' + text + "]}").encode()
    return bytes((1, len(body) >> 8, len(body) & 255)) + body


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    from cloud.own import request

    return request(payload, "", "$crsp/" + topic[6:]) if topic.startswith("$creq/") else None
