"""The interface that every platform has, and the defaults: a broker without rules of its own.

A platform turns readings into messages, messages into commands and acknowledgements, and knows its broker's limits.
The node reads the limits and keeps them; docs/clouds.md has what each platform sets and where that is documented.

Heap counts here: a method or a name costs some 80 and 30 bytes on a 64-bit VM even when the code stays in flash.
"""

import json

# What decode() returns: a 4-tuple that starts with one of these.
COMMAND = "command"  # (COMMAND, name, arguments, ref): do it, then send reply(ref, ...); "set" has {output: value}
ACK = "ack"  # (ACK, report id, ok, text): the platform has taken, or refused, a report
FAULT = "fault"  # (FAULT, text, None, ref): a message that makes no sense, or a complaint; answer it if ref is not None
ANNOUNCE = "announce"  # (ANNOUNCE, None, None, None): send birth and announce() again


class Platform:
    """One broker as the node sees it. Everything public may be read at any time, and has:

    brokers: [(host, port, tls)], to be tried in turn. client_id. keepalive: s. qos, retain: for readings.

    subscriptions(outputs, commands) -> [(filter, qos)]; the names that the node knows, for platforms without wildcards.
    decode(topic, payload) -> (COMMAND | ACK | FAULT | ANNOUNCE, ...), None if the message is not for the node.
    reply(ref, ok=True, text="", data=None) -> (topic, payload) that answers a command; None where there are no answers.
    """

    port = 1883
    tls_only = False
    presence = None  # topic for "online" (birth) and "offline" (will), retained; None where wills are not taken
    retain_ok = True  # may PUBLISH carry the retain flag?
    clean_only = False  # must the clean session flag be set?
    max_qos = 2
    keepalive_min = 0  # s
    keepalive_max = 1200  # s
    connect_interval = 0  # ms that must lie between two CONNECTs
    publish_interval = 0  # ms that must lie between two PUBLISHes, on average
    max_payload = 65535  # bytes; more than a node can hold where the platform has no limit
    confirms = False  # does the platform answer each report with an ACK?
    needs_clock = False  # must the time be known before credentials()?
    renew_at = None  # Unix time at which to reconnect, so that credentials() makes a new token; None: never
    discovery = False  # is there announce(items), which describes the readings to the platform?
    topics = False  # to be set by the node: one topic a value instead of one JSON message, where topics are free
    dropped = 0  # readings that no message of this platform can hold
    _point = False  # must floats keep a decimal point?
    _room = 40  # bytes of a message that are not readings

    def __init__(self, cloud: dict, mqtt: dict, device: dict, host: str = "") -> None:
        """`host`: the platform's own, for when `mqtt.brokers` names none (a server of one's own, a bridge)."""
        self.client_id = mqtt.get("client_id") or device["id"]
        self._user = mqtt.get("user") or None
        self._password = mqtt.get("password") or None
        self.brokers = []
        for b in mqtt.get("brokers") or ({"host": host, "tls": cloud.get("tls")},):
            tls = self.tls_only or bool(b.get("tls"))
            self.brokers.append((b["host"], b.get("port") or (8883 if tls else self.port), tls))
        if not self.brokers[0][0]:
            raise ValueError("mqtt.brokers: missing")
        self.qos = min(mqtt.get("qos") or 0, self.max_qos)
        self.retain = bool(mqtt.get("retain")) and self.retain_ok
        self.keepalive = min(max(mqtt.get("keepalive") or 0, self.keepalive_min), self.keepalive_max)
        self._topic = ""  # of reports
        self._id = 0

    def credentials(self, now: int | None = None) -> tuple:
        """(client id, user or None, password or None) for a CONNECT at Unix time `now`, which may be None unless
        `needs_clock`. To be asked for each CONNECT: tokens end. Raises ValueError("clock: ...") without a clock."""
        return self.client_id, self._user, self._password

    def report(self, readings: list, at: int | None = None) -> list:
        """[(topic, payload, id)] for readings [(name, value, unit, precision)] taken at Unix time `at` (None: now).

        `id` is the one that the platform's ACK will name, None where there are none (`confirms`).
        Readings without a value (None, NaN, infinite) are left out; what fits in no message is counted in `dropped`.
        """
        room = self.max_payload - self._room
        texts = []
        size = room
        for name, value, _, precision in readings:
            text = number(value, precision, self._point)
            if text is None:
                continue
            text = self._member(json.dumps(name), text, at)
            length = len(text.encode()) + 1
            if length > room:
                self.dropped += 1
            elif size + length > room:
                texts.append(text)
                size = length
            else:
                texts[-1] += "," + text
                size += length
        found = []
        for text in texts:
            self._id = (self._id + 1) & 0x3FFFFFFF
            ident = str(self._id) if self.confirms else None
            found.append((self._topic, self._body(text, ident, at), ident))
        return found

    def _member(self, name: str, value: str, at: int | None) -> str:
        """One reading in the JSON of a report; `name` is quoted."""
        return name + ":" + value

    def _body(self, text: str, ident: str | None, at: int | None) -> str | bytes:
        """The payload of a report from its members."""
        return "{" + text + ("}" if at is None else ',"time":%d}' % at)


def need(section: dict, field: str, limit: int = 0, name: str = "cloud.") -> str:
    """The text of a field that must be there, without blanks around it. With a `limit`: an identity of at most so many
    characters, none of which could change a topic, a user name or a signature."""
    value = (section.get(field) or "").strip()
    if not value:
        raise ValueError(name + field + ": missing")
    if limit:
        if len(value) > limit:
            raise ValueError("%s%s: longer than %d" % (name, field, limit))
        for c in value:
            if c < "!" or c in "/+#|;&,?\"'\\\x7f":
                raise ValueError("%s%s: %r in it" % (name, field, c))
    return value


def number(value: object, precision: int | None = None, point: bool = False) -> str | None:
    """JSON text of a reading's value; None if it has none (None, NaN, infinite).

    `precision`: decimals of a float. `point`: floats keep a decimal point (10.0, not 10).
    """
    if not isinstance(value, float):
        return None if value is None else json.dumps(value)
    if value - value != 0:  # NaN and the infinities
        return None
    text = json.dumps(value) if precision is None else "%.*f" % (precision, value)
    if point and "." not in text:
        text = text.replace("e", ".0e") if "e" in text else text + ".0"
    return text


def parse(payload: bytes) -> dict:
    """The JSON object in a payload; an empty one if there is none."""
    try:
        value = json.loads(str(payload, "utf-8"))
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        value = None
    return value if isinstance(value, dict) else {}
