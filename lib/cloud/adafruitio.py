"""Adafruit IO: one feed a value, plain values.

adafruit.github.io/Adafruit_IO_Documentation/mqtt.html. Fields: mqtt.user = user name, secret = AIO key,
device = key of a group for the feeds (blank: none). Names become feed keys: lower case, "-" for what a key can't hold.
"""

from cloud.base import COMMAND, FAULT, Platform, need, number
from cloud.own import request


class AdafruitIO(Platform):
    """Adafruit IO. 30 data points a minute in the free plan, for the whole account; QoS 0 and 1; nothing retained."""

    retain_ok = False
    max_qos = 1
    publish_interval = 2000
    max_payload = 1024

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Platform.__init__(self, cloud, mqtt, device, "io.adafruit.com")
        need(mqtt, "user", 64, "mqtt.")
        self._password = need(cloud, "secret")
        self._feeds = self._user + "/feeds/" + (need(cloud, "device", 64) + "." if cloud.get("device") else "")

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        found = [(self._user + "/errors", 0), (self._user + "/throttle", 0), (self._feeds + "command", 1)]
        return found + [(self._feeds + feed(name), 1) for name in outputs]

    def report(self, readings: list, at: int | None = None) -> list:
        found = []
        for name, value, _, precision in readings:
            text = value if isinstance(value, str) else number(value, precision)
            if text is not None:
                if len(text.encode()) > self.max_payload:
                    self.dropped += 1
                else:
                    found.append((self._feeds + feed(name), text, None))
        return found

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if topic == self._user + "/errors" or topic == self._user + "/throttle":
            return FAULT, "Adafruit IO: %s" % payload, None, None
        if not topic.startswith(self._feeds):
            return None
        key = topic[len(self._feeds) :]
        kind, name, args, _ = request(payload, "" if key == "command" else key, None)
        if kind is COMMAND and key != "command":
            name, args = "set", {key: args["value"]} if "value" in args else args
        return kind, name, args, None

    def reply(self, ref: None, ok: bool = True, text: str = "", data: dict | None = None) -> None:
        return None


def feed(name: str) -> str:
    """The feed key for a reading's name."""
    return "".join([c if "a" <= c <= "z" or "0" <= c <= "9" else "-" for c in name.lower()])


create = AdafruitIO
