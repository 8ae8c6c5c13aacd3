"""ThingSpeak: readings into field1..field8 of a channel. Nothing comes back.

mathworks.com/help/thingspeak/publishtoachannelfeed.html. Fields: product = channel id, mqtt.client_id, mqtt.user,
mqtt.password of the channel's MQTT device, fields = names of the readings for field1, field2, ... with
commas between (blank: in the order in which they are reported).
"""

from cloud.base import Platform, need, number
from cloud.sign import quote


class ThingSpeak(Platform):
    """ThingSpeak. QoS 0, no retain, clean session; one update each 15 s in the free plan."""

    retain_ok = False
    clean_only = True
    max_qos = 0
    publish_interval = 15000

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        for field in ("client_id", "user", "password"):
            need(mqtt, field, 0, "mqtt.")
        Platform.__init__(self, cloud, mqtt, device, "mqtt3.thingspeak.com")
        self._topic = "channels/" + need(cloud, "product", 16) + "/publish"
        self._fields = [name.strip() for name in (cloud.get("fields") or "").split(",") if name.strip()]
        if len(self._fields) > 8:
            raise ValueError("cloud.fields: a ThingSpeak channel has 8 fields")

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return []

    def decode(self, topic: str, payload: bytes) -> None:
        return None

    def reply(self, ref: None, ok: bool = True, text: str = "", data: dict | None = None) -> None:
        return None

    def report(self, readings: list, at: int | None = None) -> list:
        parts = []
        for place, (name, value, _, precision) in enumerate(readings):
            text = value if isinstance(value, str) else number(value, precision)
            if text is None:
                continue
            field = place
            if self._fields:
                field = self._fields.index(name) if name in self._fields else 8
            if field < 8:
                parts.append("field%d=%s" % (field + 1, quote(text)))
            else:
                self.dropped += 1
        if not parts:
            return []
        if at is not None:
            parts.append("created_at=" + quote(iso8601(at)))
        return [(self._topic, "&".join(parts), None)]


def iso8601(at: int) -> str:
    """2023-11-14T22:13:20Z for Unix time `at` (s). Own calendar arithmetic: the epoch of `time` differs by port."""
    days, rest = at // 86400, at % 86400
    days += 719468  # since 0000-03-01, the proleptic Gregorian calendar in eras of 400 years
    era, day = days // 146097, days % 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month = month + 3 if month < 10 else month - 9
    year += 400 * era + (1 if month < 3 else 0)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, rest // 3600, rest // 60 % 60, rest % 60)


create = ThingSpeak
