"""ThingsBoard (own server or thingsboard.cloud): access token as user name, telemetry, RPC, shared attributes.

thingsboard.io, "MQTT Device API". Fields: secret = access token of the device; a server of one's own is named in
mqtt.brokers.
"""

import json

from cloud import Platform
from cloud.body import member, messages, parse


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """The access token is wanted."""
    from cloud.base import need
    from cloud.base import setup as base_setup

    p.retain_ok = False
    p.max_payload = 8196  # what the vendor's client assumes
    base_setup(p, cloud, mqtt, device, "thingsboard.cloud", max_qos=1)
    p._user = need(cloud, "secret")
    p._password = None
    p._path = "v1/devices/me/"
    p._topic = p._path + "telemetry"


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [(p._path + "rpc/request/+", 1), (p._path + "attributes", 1)]


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    return messages(p, readings, at, member, _body)


def _body(text: str, ident: str | None, at: int | None) -> str:
    return "{" + text + "}" if at is None else '{"ts":%d000,"values":{%s}}' % (at, text)


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    body = parse(payload)
    if topic == p._path + "attributes":
        body.pop("deleted", None)
        return ("command", "set", body, None) if body else None
    start = p._path + "rpc/request/"
    if not topic.startswith(start):
        return None
    ref = topic[len(start) :]
    name = body.get("method")
    if not isinstance(name, str):
        return "fault", "method wanted", None, ref
    args = body.get("params")
    if not isinstance(args, dict):
        args = {} if args is None else {"value": args}
    return "command", name, args, ref


def reply(p: Platform, ref: str | None, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
    """See base.py."""
    if ref is None:
        return None  # a changed attribute wants no answer
    body = data if ok and data is not None else {"ok": ok}
    if text:
        body = {"ok": ok, "text" if ok else "error": text}
    return p._path + "rpc/response/" + ref, json.dumps(body)
