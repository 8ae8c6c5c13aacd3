"""Any MQTT broker of one's own: mosquitto, EMQX, a bridge. Topics under one base topic:

{base}/status        online / offline, retained; offline is the will
{base}/telemetry     {"temperature":23.5,...,"time":1700000000}, or, with `topics`, {base}/{name} 23.5
{base}/cmd/{name}    a command; payload: nothing, a value, or {"id": ..., arguments}
    {base}/cmd           the same as {"command": name, "id": ..., arguments}
{base}/reply         {"ok":true,"id":...} or {"ok":false,"error":"..."}
"""

from cloud.base import Platform, answer, members, number, request


class Plain(Platform):
    """A broker of one's own."""

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Platform.__init__(self, cloud, mqtt, device)
        self._user = mqtt.get("user") or None
        self._password = mqtt.get("password") or None
        self.base = mqtt.get("base_topic") or device["id"]
        self._will = self.will_ok and mqtt.get("availability") is not False

    def credentials(self, now: int | None = None) -> tuple:
        return self.client_id, self._user, self._password

    def will(self) -> tuple | None:
        return (self.base + "/status", "offline", min(1, self.max_qos), self.retain_ok) if self._will else None

    def birth(self) -> list:
        return [(self.base + "/status", "online", self.retain_ok)] if self._will else []

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self.base + "/cmd", 1), (self.base + "/cmd/+", 1)]

    def report(self, readings: list, at: int | None = None) -> list:
        if self.topics:
            found = []
            for name, value, _, precision in readings:
                text = value if isinstance(value, str) else number(value, precision)
                if text is not None:
                    found.append((self.base + "/" + name, text, None))
            return found
        time = "}" if at is None else ',"time":%d}' % at
        topic = self.base + "/telemetry"
        return [(topic, "{" + text + time, None) for text in self._chunks(members(readings), len(time) + 1)]

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        start = self.base + "/cmd"
        if topic != start and not topic.startswith(start + "/"):
            return None
        return request(payload, topic[len(start) + 1 :], self.base + "/reply")

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        return ref[0], answer(ok, text, data, ref[1])


create = Plain
