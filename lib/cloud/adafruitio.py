"""Adafruit IO: one feed a value, plain values.

adafruit.github.io/Adafruit_IO_Documentation/mqtt.html. Fields: mqtt.user = user name, secret = AIO key,
device = key of a group for the feeds (blank: none). Names become feed keys: lower case, "-" for what a key can't hold.
"""

from cloud.base import COMMAND, FAULT, Platform, need, number, request, secret


class AdafruitIO(Platform):
    """Adafruit IO. 30 data points a minute in the free plan, for the whole account; QoS 0 and 1; nothing retained."""

    retain_ok = False
    will_ok = False
    max_qos = 1
    publish_interval = 2000
    max_payload = 1024

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self._user = need(mqtt, "user", 64, "mqtt")
        self._secret = secret(cloud)
        Platform.__init__(self, cloud, mqtt, device)
        self._feeds = self._user + "/feeds/" + (need(cloud, "device", 64) + "." if cloud.get("device") else "")

    def host(self, cloud: dict) -> str:
        return "io.adafruit.com"

    def credentials(self, now: int | None = None) -> tuple:
        return self.client_id, self._user, self._secret

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
            try:
                return FAULT, "Adafruit IO: " + str(payload, "utf-8"), None, None
            except ValueError:
                return FAULT, "Adafruit IO complains", None, None
        if not topic.startswith(self._feeds):
            return None
        key = topic[len(self._feeds) :]
        if key == "command":
            kind, name, args, _ = request(payload, "", "")
            return kind, name, args, None
        kind, name, args, _ = request(payload, key, "")
        return (COMMAND, "set", {key: args["value"]}, None) if args and "value" in args else (FAULT, name, None, None)

    def explain(self, code: int) -> str:
        if code in (4, 5):
            return "Adafruit IO does not know this user name with this key"
        return Platform.explain(self, code)


def feed(name: str) -> str:
    """The feed key for a reading's name."""
    return "".join([c if "a" <= c <= "z" or "0" <= c <= "9" else "-" for c in name.lower()])


create = AdafruitIO
