"""ThingsBoard (own server or thingsboard.cloud): access token as user name, telemetry, RPC, shared attributes.

thingsboard.io, "MQTT Device API". Fields: secret = access token of the device; a server
of one's own is named in mqtt.brokers.
"""

import json

from cloud.base import COMMAND, FAULT, Platform, members, parse, secret

_DEVICE = "v1/devices/me/"


class ThingsBoard(Platform):
    """ThingsBoard."""

    retain_ok = False
    will_ok = False
    max_qos = 1
    max_payload = 8196  # what the vendor's client assumes

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._token = secret(cloud)
        Platform.__init__(self, cloud, mqtt, device)

    def host(self, cloud: dict) -> str:
        return "thingsboard.cloud"

    def credentials(self, now: int | None = None) -> tuple:
        return self.client_id, self._token, None

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(_DEVICE + "rpc/request/+", 1), (_DEVICE + "attributes", 1)]

    def report(self, readings: list, at: int | None = None) -> list:
        form = "{%s}" if at is None else '{"ts":%d000,"values":{%%s}}' % at
        return [(_DEVICE + "telemetry", form % text, None) for text in self._chunks(members(readings), 40)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        body = parse(payload)
        if topic == _DEVICE + "attributes":
            if body is None:
                return FAULT, "attributes wanted", None, None
            body.pop("deleted", None)
            return (COMMAND, "set", body, None) if body else None
        start = _DEVICE + "rpc/request/"
        if not topic.startswith(start):
            return None
        ref = topic[len(start) :]
        name = body and body.get("method")
        if not isinstance(name, str):
            return FAULT, "method wanted", None, ref
        args = body.get("params")
        if not isinstance(args, dict):
            args = {} if args is None else {"value": args}
        return COMMAND, name, args, ref

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        if ref is None:
            return None  # a changed attribute wants no answer
        body = json.dumps(data) if ok and data is not None else '{"ok":%s}' % ("true" if ok else "false")
        if text:
            body = '{"ok":%s,"%s":%s}' % ("true" if ok else "false", "text" if ok else "error", json.dumps(text))
        return _DEVICE + "rpc/response/" + ref, body

    def explain(self, code: int) -> str:
        if code in (4, 5):
            return "ThingsBoard does not know this access token"
        return Platform.explain(self, code)


create = ThingsBoard
