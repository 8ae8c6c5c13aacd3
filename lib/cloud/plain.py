"""Any MQTT broker of one's own: mosquitto, EMQX, a bridge. Topics under one base topic:

{base}/status        online / offline, retained; offline is the will
{base}/telemetry     {"temperature":23.5,...,"time":1700000000} or, with `topics`, {base}/{name} 23.5
{base}/cmd/{name}    a command, {base}/cmd one that names itself: own.py
{base}/reply         the answer
"""

from cloud.base import Platform, number
from cloud.own import answer, request


class Plain(Platform):
    """A broker of one's own."""

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Platform.__init__(self, cloud, mqtt, device)
        self.base = mqtt.get("base_topic") or device["id"]
        self._topic = self.base + "/telemetry"
        if mqtt.get("availability") is not False:
            self.presence = self.base + "/status"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self.base + "/cmd", 1), (self.base + "/cmd/+", 1)]

    def report(self, readings: list, at: int | None = None) -> list:
        if not self.topics:
            return Platform.report(self, readings, at)
        found = []
        for name, value, _, precision in readings:
            text = value if isinstance(value, str) else number(value, precision)
            if text is not None:
                found.append((self.base + "/" + name, text, None))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        start = self.base + "/cmd"
        if topic != start and not topic.startswith(start + "/"):
            return None
        return request(payload, topic[len(start) + 1 :], self.base + "/reply")

    reply = staticmethod(answer)


create = Plain
