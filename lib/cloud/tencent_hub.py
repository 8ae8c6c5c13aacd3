"""Tencent Cloud IoT Hub: the connection of IoT Explorer, topics free of any protocol.

{product}/{device}/event    readings {"temperature":23.5,...} and answers, see own.py
{product}/{device}/control  commands {"command":"set","id":...,"relay":true}
"""

from cloud import Platform
from cloud.body import report  # noqa: F401  (a method)


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """As for IoT Explorer."""
    from cloud.tencent import setup as tencent_setup

    tencent_setup(p, cloud, mqtt, device)
    p.publish_interval = 50  # 20 messages a second and device
    p.confirms = False
    p._topic = p._path + "/event"


def credentials(p: Platform, now: int | None = None) -> tuple:
    """See base.py."""
    from cloud.tencent import credentials as tencent_credentials

    return tencent_credentials(p, now)


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [(p._path + "/control", 1)]


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    from cloud.own import request

    return request(payload, "", p._topic) if topic == p._path + "/control" else None
