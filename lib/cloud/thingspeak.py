"""ThingSpeak: readings into field1..field8 of a channel. Nothing comes back.

mathworks.com/help/thingspeak/publishtoachannelfeed.html. Fields: product = channel id, mqtt.client_id, mqtt.user,
mqtt.password of the channel's MQTT device, fields = names of the readings for field1, field2, ... with
commas between (blank: in the order in which they are reported).
"""

from cloud import Platform
from cloud.body import number, quote


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """The MQTT device's three values and the channel wanted; QoS 0, no retain, clean session."""
    from cloud.base import need
    from cloud.base import setup as base_setup

    p.retain_ok = False
    p.clean_only = True
    p.publish_interval = 16000  # 15 s in the free plan; messages are not equally long on their way
    for field in ("client_id", "user", "password"):
        need(mqtt, field, 0, "mqtt.")
    base_setup(p, cloud, mqtt, device, "mqtt3.thingspeak.com", max_qos=0)
    p._topic = "channels/" + need(cloud, "product", 16) + "/publish"
    p._fields = [name.strip() for name in (cloud.get("fields") or "").split(",") if name.strip()]
    if len(p._fields) > 8:
        raise ValueError("cloud.fields: a ThingSpeak channel has 8 fields")


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    parts = []
    for place, (name, value, _, precision) in enumerate(readings):
        text = value if isinstance(value, str) else number(value, precision)
        if text is None:
            continue
        field = place
        if p._fields:
            field = p._fields.index(name) if name in p._fields else 8
        if field < 8:
            parts.append("field%d=%s" % (field + 1, quote(text)))
        else:
            p.dropped += 1
    if not parts:
        return []
    if at is not None:
        parts.append("created_at=" + quote(iso8601(at)))
    return [(p._topic, "&".join(parts), None)]


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
