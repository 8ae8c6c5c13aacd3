"""Adafruit IO: one feed a value, plain values.

adafruit.github.io/Adafruit_IO_Documentation/mqtt.html. Fields: mqtt.user = user name, secret = AIO key,
device = key of a group for the feeds (blank: none). Names become feed keys: lower case, "-" for what a key can't hold.
"""

from cloud import Platform
from cloud.body import number


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """User name and key wanted; QoS 0 and 1, nothing is retained."""
    from cloud.base import need
    from cloud.base import setup as base_setup

    p.retain_ok = False
    p.publish_interval = 2000  # 30 data points a minute in the free plan, for the whole account
    p.max_payload = 1024
    base_setup(p, cloud, mqtt, device, "io.adafruit.com", max_qos=1)
    need(mqtt, "user", 64, "mqtt.")
    p._password = need(cloud, "secret")
    p._feeds = "%s/feeds/%s" % (p._user, need(cloud, "device", 64) + "." if cloud.get("device") else "")


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    found = [("%s/errors" % p._user, 0), ("%s/throttle" % p._user, 0), (p._feeds + "command", 1)]
    return found + [(p._feeds + feed(name), 1) for name in outputs]


def report(p: Platform, readings: list, at: int | None = None) -> list:
    """See base.py."""
    found = []
    for name, value, _, precision in readings:
        text = value if isinstance(value, str) else number(value, precision)
        if text is not None:
            if len(text.encode()) > p.max_payload:
                p.dropped += 1
            else:
                found.append((p._feeds + feed(name), text, None))
    return found


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    if topic in ("%s/errors" % p._user, "%s/throttle" % p._user):
        try:
            text = str(payload, "utf-8")
        except ValueError:
            text = "a message that is not UTF-8"
        return "fault", "Adafruit IO: " + text, None, None
    if not topic.startswith(p._feeds):
        return None
    from cloud.own import request

    key = topic[len(p._feeds) :]
    kind, name, args, _ = request(payload, "" if key == "command" else key, None)
    if kind == "command" and key != "command":
        name, args = "set", {key: args["value"]} if "value" in args else args
    return kind, name, args, None


def feed(name: str) -> str:
    """The feed key for a reading's name."""
    return "".join([c if "a" <= c <= "z" or "0" <= c <= "9" else "-" for c in name.lower()])
