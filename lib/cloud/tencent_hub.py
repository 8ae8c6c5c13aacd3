"""Tencent Cloud IoT Hub: the connection of IoT Explorer, topics free of any protocol.

{product}/{device}/event    readings {"temperature":23.5,...} and replies {"ok":true,"id":...}
{product}/{device}/control  commands {"command":"set","id":...,"relay":true}
"""

from cloud.base import answer, members, request
from cloud.tencent import Tencent


class TencentHub(Tencent):
    """Tencent Cloud IoT Hub."""

    publish_interval = 50  # 20 messages a second and device
    confirms = False

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._path + "/control", 1)]

    def report(self, readings: list, at: int | None = None) -> list:
        time = "}" if at is None else ',"time":%d}' % at
        topic = self._path + "/event"
        return [(topic, "{" + text + time, None) for text in self._chunks(members(readings), len(time) + 1)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        return request(payload, "", self._path + "/event") if topic == self._path + "/control" else None

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        return ref[0], answer(ok, text, data, ref[1])


create = TencentHub
