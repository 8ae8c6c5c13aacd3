"""OneNET's old multi-protocol edition: data points on $dp, commands on $creq. No signature, no TLS.

cm-heclouds/MQTT, device access protocol 4 (MQTT). Fields: product = product id, device = numeric device id, secret =
auth info. A CONNECT it does not like may be dropped without a word.
"""

import json

from cloud.base import Platform, answer, need, number, request, secret


class OneNETLegacy(Platform):
    """OneNET, old edition. Payload: type 1, 0x01 + length (2 bytes, big endian) + JSON data streams."""

    port = 6002
    will_ok = False
    retain_ok = False
    max_qos = 1
    max_payload = 65535

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._product = need(cloud, "product", 32)
        self._secret = secret(cloud)
        Platform.__init__(self, cloud, mqtt, device)
        self.client_id = need(cloud, "device", 64)

    def host(self, cloud: dict) -> str:
        if cloud.get("tls"):
            raise ValueError("cloud.tls: the old edition of OneNET has no TLS")
        return "183.230.40.39"

    def credentials(self, now: int | None = None) -> tuple:
        return self.client_id, self._product, self._secret

    def report(self, readings: list, at: int | None = None) -> list:
        parts = []
        for name, value, _, precision in readings:
            text = number(value, precision)
            if text is not None:
                parts.append('{"id":%s,"datapoints":[{"value":%s}]}' % (json.dumps(name), text))
        found = []
        for text in self._chunks(parts, 22):
            body = ('{"datastreams":[' + text + "]}").encode()
            found.append(("$dp", bytes((1, len(body) >> 8, len(body) & 255)) + body, None))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if not topic.startswith("$creq/"):
            return None
        return request(payload, "", "$crsp/" + topic[6:])

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        return ref[0], answer(ok, text, data, ref[1])

    def explain(self, code: int) -> str:
        if code == 2:
            return "OneNET refuses the device id"
        if code in (4, 5):
            return "OneNET refuses product id and auth info"
        return Platform.explain(self, code)


create = OneNETLegacy
