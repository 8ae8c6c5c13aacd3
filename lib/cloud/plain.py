"""Any MQTT broker of one's own: mosquitto, EMQX, a bridge. Topics under one base topic:

{base}/status        online / offline, retained; offline is the will
{base}/telemetry     {"temperature":23.5,...,"time":1700000000} or, with `topics`, {base}/{name} 23.5
{base}/cmd/{name}    a command, {base}/cmd one that names itself: own.py
{base}/reply         the answer
"""

from cloud import Platform
from cloud.body import number
from cloud.body import report as json_report

if False:  # for the type checker; compiled to nothing
    from typing import Any


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict, **rules: "Any") -> None:
    """Everything comes from the section mqtt. `rules`: of a platform built on this one."""
    from cloud.base import setup as base_setup

    base_setup(p, cloud, mqtt, device, **rules)
    p.base = mqtt.get("base_topic") or "node/" + (device.get("name") or device["id"])
    p._topic = p.base + "/telemetry"
    if mqtt.get("availability") is not False:
        p.presence = p.base + "/status"


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [(p.base + "/cmd", 1), (p.base + "/cmd/+", 1)]


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    if not p.topics:
        return json_report(p, readings, at)
    found = []
    for name, value, _, precision in readings:
        text = value if isinstance(value, str) else number(value, precision)
        if text is not None:
            found.append((p.base + "/" + name, text, None))
    return found


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    start = p.base + "/cmd"
    if topic != start and not topic.startswith(start + "/"):
        return None
    from cloud.own import request

    return request(payload, topic[len(start) + 1 :], p.base + "/reply")
