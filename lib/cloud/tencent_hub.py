"""Tencent Cloud IoT Hub: the connection of IoT Explorer, topics free of any protocol.

{product}/{device}/event    readings {"temperature":23.5,...} and answers, see own.py
{product}/{device}/control  commands {"command":"set","id":...,"relay":true}
"""

from cloud.base import Platform
from cloud.own import answer, request
from cloud.tencent import Tencent


class TencentHub(Tencent):
    """Tencent Cloud IoT Hub."""

    publish_interval = 50  # 20 messages a second and device
    confirms = False

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Tencent.__init__(self, cloud, mqtt, device)
        self._topic = self._path + "/event"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._path + "/control", 1)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        return request(payload, "", self._topic) if topic == self._path + "/control" else None

    _body = Platform._body
    reply = staticmethod(answer)


create = TencentHub
