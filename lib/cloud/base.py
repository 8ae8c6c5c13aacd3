"""The interface that every platform has, and the defaults: a broker without rules of its own.

A platform turns readings into messages, messages into commands and acknowledgements, and knows its broker's limits.
The node reads the limits and keeps them; see docs/clouds.md for what each platform sets and where that is documented.
"""

import json

COMMAND = "command"  # (COMMAND, name, arguments, ref): do it, then send reply(ref, ...); "set" has {output: value}
ACK = "ack"  # (ACK, report id, ok, text): the platform has taken, or refused, a report
FAULT = "fault"  # (FAULT, text, None, ref): a message that makes no sense, or the platform's complaint; ref may be None
ANNOUNCE = "announce"  # (ANNOUNCE, None, None, None): send birth() and announce() again

FOREVER = 2147483647  # Unix time in 2038: the expiry that 32-bit vendor SDKs send for "always valid"
_BAD = "/+#|;&,?\"'\\ \x7f"  # never part of an identity: they would change topics, user names or signatures


class Platform:
    """One broker as the node sees it. Everything public here may be read at any time.

    brokers: [(host, port, tls)], tried in turn. keepalive: s. qos: for readings.
    """

    port = 1883
    tls_port = 8883
    tls_only = False
    will_ok = True  # may CONNECT carry a will?
    retain_ok = True  # may PUBLISH carry the retain flag?
    clean_only = False  # must the clean session flag be set?
    max_qos = 2
    keepalive_min = 0  # s
    keepalive_max = 65535  # s
    connect_interval = 0  # ms that must lie between two CONNECTs
    publish_interval = 0  # ms that must lie between two PUBLISHes, on average
    max_payload = 0  # bytes; 0: no limit that an ESP8266 can reach
    confirms = False  # does the platform answer each report with an ACK?
    needs_clock = False  # must the time be known before credentials()?
    cert = None  # files of client certificate and key, DER, for a TLS broker
    key = None
    lifetime = 0  # s that a token is valid; 0: for ever
    expires = None  # Unix time at which the token last made ends
    dropped = 0  # readings that no message of this platform can hold
    topics = False  # to be set: one topic a value instead of one JSON message, where topics are free

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        self.client_id = mqtt.get("client_id") or device["id"]
        self.brokers = []
        for b in mqtt.get("brokers") or ({"host": self.host(cloud), "tls": cloud.get("tls")},):
            tls = self.tls_only or bool(b.get("tls"))
            self.brokers.append((b["host"], b.get("port") or (self.tls_port if tls else self.port), tls))
        self.qos = min(mqtt.get("qos") or 0, self.max_qos)
        self.retain = bool(mqtt.get("retain")) and self.retain_ok
        self.keepalive = min(max(mqtt.get("keepalive") or 0, self.keepalive_min), self.keepalive_max)
        self._serial = 0

    def host(self, cloud: dict) -> str:
        """Host name of the platform, for when `mqtt.brokers` names none (a bridge, a server of one's own)."""
        raise ValueError("mqtt.brokers: missing, this platform has no host of its own")

    def credentials(self, now: int | None = None) -> tuple:
        """(client id, user or None, password or None) for a CONNECT at Unix time `now`, which may be None unless
        `needs_clock`. To be asked again for each CONNECT: tokens end. Raises ValueError("clock...") without a clock."""
        return self.client_id, None, None

    def expiry(self, now: int | None) -> int:
        """Unix time at which a token made now ends; kept in `expires` if it is one to be renewed."""
        if not self.lifetime:
            return FOREVER
        if now is None:
            raise ValueError("clock: the time must be known before a token can be made")
        self.expires = now + self.lifetime
        return self.expires

    def stale(self, now: int | None) -> bool:
        """Is it time to reconnect with a new token? True for the last tenth of its life (at least 30 s)."""
        return self.expires is not None and now is not None and now > self.expires - max(30, self.lifetime // 10)

    def will(self) -> tuple | None:
        """(topic, payload, qos, retain) of the will, or None."""
        return None

    def birth(self) -> list:
        """[(topic, payload, retain)] to publish after each CONNACK."""
        return []

    def announce(self, items: list) -> list:
        """[(topic, payload, retain)] that describe the readings to the platform; `items` as for Home Assistant."""
        return []

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        """[(filter, qos)]; `outputs` and `commands` are the names the node knows, for platforms without wildcards."""
        return []

    def report(self, readings: list, at: int | None = None) -> list:
        """[(topic, payload, id)] for readings [(name, value, unit, precision)] taken at Unix time `at` (None: now).

        `id` is the one that the platform's ACK will name, None where there are none (`confirms`).
        Readings without a value are left out; one that can't fit in any message is counted in `dropped`.
        """
        raise NotImplementedError

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        """A received message as a 4-tuple (COMMAND | ACK | FAULT | ANNOUNCE, ...), None if it is not for the node."""
        return None

    def reply(self, ref: object, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
        """(topic, payload) that answers the command with this `ref`; None where the platform has no answers."""
        return None

    def explain(self, code: int) -> str:
        """Why the broker refused the connection: CONNACK return code [MQTT-3.2.2.3] in the platform's terms."""
        if code == 1:
            return "the broker does not speak MQTT 3.1.1"
        if code == 2:
            return "client id refused"
        if code == 3:
            return "the broker is not available; trying again"
        if code == 4:
            return "wrong user name or password"
        if code == 5:
            return "not authorised"
        return "refused with code %d" % code

    def _next(self) -> str:
        """The next message id: unique for a session of the node, decimal."""
        self._serial = (self._serial + 1) & 0x3FFFFFFF
        return str(self._serial)

    def _chunks(self, parts: list, overhead: int = 0) -> list:
        """JSON members joined by commas into as few texts as `max_payload` allows, less `overhead` bytes each."""
        room = (self.max_payload or 65535) - overhead
        texts = []
        size = room
        for part in parts:
            need_bytes = len(part.encode()) + 1
            if need_bytes > room:
                self.dropped += 1
            elif size + need_bytes > room:
                texts.append(part)
                size = need_bytes
            else:
                texts[-1] += "," + part
                size += need_bytes
        return texts


def need(section: dict, field: str, limit: int, name: str = "cloud") -> str:
    """The text of a field that must be there, have at most `limit` characters and none that breaks topics."""
    value = section.get(field) or ""
    if not value:
        raise ValueError("%s.%s: missing" % (name, field))
    if len(value) > limit:
        raise ValueError("%s.%s: %d characters at most" % (name, field, limit))
    for c in value:
        if c < "!" or c in _BAD:
            raise ValueError("%s.%s: %r may not be in it" % (name, field, c))
    return value


def secret(section: dict) -> str:
    """The secret, as typed, without blanks around it."""
    value = (section.get("secret") or "").strip()
    if not value:
        raise ValueError("cloud.secret: missing")
    return value


def number(value: object, precision: int | None = None, point: bool = False) -> str | None:
    """JSON text of a reading's value; None if it has none (None, NaN, infinite).

    `precision`: decimals of a float. `point`: floats keep a decimal point (10.0, not 10).
    """
    if value is None or not isinstance(value, float):
        return None if value is None else json.dumps(value)
    if value - value != 0:  # NaN and the infinities
        return None
    text = json.dumps(value) if precision is None else "%.{}f".format(precision) % value
    if point and "." not in text:
        head = text.split("e")
        text = head[0] + ".0" + ("e" + head[1] if len(head) > 1 else "")
    return text


def members(readings: list, point: bool = False, form: str = "%s:%s") -> list:
    """Each reading that has a value as a JSON member, `"name":value`."""
    found = []
    for name, value, _, precision in readings:
        text = number(value, precision, point)
        if text is not None:
            found.append(form % (json.dumps(name), text))
    return found


def parse(payload: bytes) -> dict | None:
    """The JSON object in a payload, None if there is none."""
    try:
        value = json.loads(str(payload, "utf-8"))
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        return None
    return value if isinstance(value, dict) else None


def answer(ok: bool, text: str, data: dict | None, ident: object = None) -> str:
    """The reply of platforms that leave its shape to us: {"id":…, "ok":…, "error":…, "data":…}."""
    found = '{"ok":%s' % ("true" if ok else "false")
    if ident is not None:
        found += ',"id":' + json.dumps(ident)
    if text:
        found += ',"%s":%s' % ("text" if ok else "error", json.dumps(text))
    if data is not None:
        found += ',"data":' + json.dumps(data)
    return found + "}"


def request(payload: bytes, name: str, topic: str) -> tuple:
    """A command of our own shape: {"command": name, "id": …, …arguments} or `name` from the topic and arguments or a
    bare value ({"value": …}) as payload. `topic` is where the reply goes."""
    args = parse(payload)
    ident = None
    if args is None:
        try:
            text = str(payload, "utf-8")
            value = json.loads(text) if text else None
        except RuntimeError:
            return FAULT, "nested too deep", None, (topic, None)
        except ValueError:
            try:
                value = str(payload, "utf-8")
            except ValueError:
                return FAULT, "not UTF-8", None, (topic, None)
        args = {} if value is None else {"value": value}
        if not name and isinstance(value, str):
            name = value
            args = {}
    ident = args.pop("id", None)
    if not isinstance(ident, (int, str)):
        ident = None
    name = args.pop("command", None) or name
    if not isinstance(name, str) or not name:
        return FAULT, "no command named", None, (topic, ident)
    return COMMAND, name, args, (topic, ident)
