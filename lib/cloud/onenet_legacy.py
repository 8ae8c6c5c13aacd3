"""OneNET's old multi-protocol edition: data points on $dp, commands on $creq. No signature, no TLS.

cm-heclouds/MQTT, device access protocol 4 (MQTT). Fields: product = product id, device = numeric device id, secret =
auth info. A CONNECT it does not like may be dropped without a word.
"""

from cloud.base import Platform, need
from cloud.own import answer, request


class OneNETLegacy(Platform):
    """OneNET, old edition. Payload: type 1, 0x01 + length (2 bytes, big endian) + JSON data streams."""

    port = 6002
    retain_ok = False
    max_qos = 1

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        if cloud.get("tls"):
            raise ValueError("cloud.tls: the old edition of OneNET has no TLS")
        Platform.__init__(self, cloud, mqtt, device, "183.230.40.39")
        self.client_id = need(cloud, "device", 64)
        self._user = need(cloud, "product", 32)
        self._password = need(cloud, "secret")
        self._topic = "$dp"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return []  # commands come without

    def _member(self, name: str, value: str, at: int | None) -> str:
        return '{"id":%s,"datapoints":[{"value":%s}]}' % (name, value)

    def _body(self, text: str, ident: str | None, at: int | None) -> bytes:
        body = ('{"datastreams":[' + text + "]}").encode()
        return bytes((1, len(body) >> 8, len(body) & 255)) + body

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        return request(payload, "", "$crsp/" + topic[6:]) if topic.startswith("$creq/") else None

    reply = staticmethod(answer)


create = OneNETLegacy
