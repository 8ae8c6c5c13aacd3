"""ThingsBoard (own server or thingsboard.cloud): access token as user name, telemetry, RPC, shared attributes.

thingsboard.io, "MQTT Device API". Fields: secret = access token of the device; a server of one's own is named in
mqtt.brokers.
"""

import json

from cloud.base import COMMAND, FAULT, Platform, need, parse


class ThingsBoard(Platform):
    """ThingsBoard."""

    retain_ok = False
    max_qos = 1
    max_payload = 8196  # what the vendor's client assumes

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Platform.__init__(self, cloud, mqtt, device, "thingsboard.cloud")
        self._user = need(cloud, "secret")
        self._password = None
        self._path = "v1/devices/me/"
        self._topic = self._path + "telemetry"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._path + "rpc/request/+", 1), (self._path + "attributes", 1)]

    def _body(self, text: str, ident: str | None, at: int | None) -> str:
        return "{" + text + "}" if at is None else '{"ts":%d000,"values":{%s}}' % (at, text)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        body = parse(payload)
        if topic == self._path + "attributes":
            body.pop("deleted", None)
            return (COMMAND, "set", body, None) if body else None
        start = self._path + "rpc/request/"
        if not topic.startswith(start):
            return None
        ref = topic[len(start) :]
        name = body.get("method")
        if not isinstance(name, str):
            return FAULT, "method wanted", None, ref
        args = body.get("params")
        if not isinstance(args, dict):
            args = {} if args is None else {"value": args}
        return COMMAND, name, args, ref

    def reply(self, ref: str | None, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        if ref is None:
            return None  # a changed attribute wants no answer
        body = data if ok and data is not None else {"ok": ok}
        if text:
            body = {"ok": ok, "text" if ok else "error": text}
        return self._path + "rpc/response/" + ref, json.dumps(body)


create = ThingsBoard
