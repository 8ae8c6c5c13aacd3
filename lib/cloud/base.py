"""What every platform does unless its module does it otherwise, and what the modules share.

Functions that take a platform `p` first are its methods: `platform.report(readings)` calls `report(p, readings)` of the
platform's module, or the one here. They are loaded when used: see __init__.py.

decode() gives a 4-tuple that starts with one of
    "command"   ("command", name, arguments, ref): do it, then send reply(ref, ...); "set" has {output: value}
    "ack"       ("ack", report id, ok, text): the platform has taken, or refused, a report
    "fault"     ("fault", text, None, ref): a message that makes no sense, or a complaint; answered if ref is not None
    "announce"  ("announce", None, None, None): send birth() and announce() again
"""

from cloud import Platform

if False:  # for the type checker; compiled to nothing
    from typing import Any


def setup(
    p: Platform,
    cloud: dict,
    mqtt: dict,
    device: dict,
    host: str = "",
    *,
    port: int = 1883,
    tls_only: bool = False,
    max_qos: int = 2,
    keepalive: tuple = (0, 1200),
) -> None:
    """Fill in what all platforms have. `host`: the platform's own, for when `mqtt.brokers` names none (a server of
    one's own, a bridge). `keepalive`: least and most, s. Raises ValueError if there is no host."""
    p.client_id = mqtt.get("client_id") or device["id"]
    p._user = mqtt.get("user") or None
    p._password = mqtt.get("password") or None
    p.brokers = []
    for b in mqtt.get("brokers") or ({"host": host, "tls": cloud.get("tls")},):
        tls = tls_only or bool(b.get("tls"))
        p.brokers.append((b["host"], b.get("port") or (8883 if tls else port), tls))
    if not p.brokers[0][0]:
        raise ValueError("mqtt.brokers: missing")
    p.qos = min(mqtt.get("qos") or 0, max_qos)
    p.retain = bool(mqtt.get("retain")) and p.retain_ok
    p.keepalive = min(max(mqtt.get("keepalive") or 0, keepalive[0]), keepalive[1])
    p._id = 0


def credentials(p: Platform, now: int | None = None) -> tuple:
    """(client id, user or None, password or None) for a CONNECT at Unix time `now`, which may be None unless
    `needs_clock`. To be asked for each CONNECT: tokens end. Raises ValueError("clock: ...") without a clock."""
    return p.client_id, p._user, p._password


def will(p: Platform) -> tuple | None:
    """(topic, payload, qos, retain) of the will, or None."""
    return (p.presence, "offline", 1, p.retain_ok) if p.presence else None


def birth(p: Platform) -> list:
    """[(topic, payload, retain)] to publish after each CONNACK."""
    return [(p.presence, "online", p.retain_ok)] if p.presence else []


def announce(p: Platform, items: list) -> list:
    """[(topic, pieces of the payload, retain)] that describe the readings to the platform; see homeassistant.py."""
    return []


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """[(filter, qos)]; `outputs` and `commands`: names that the node knows, for platforms without wildcards."""
    return []


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """A received message as a 4-tuple, see above; None if it is not for the node."""
    return None


def reply(p: Platform, ref: "Any", ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
    """(topic, payload) that answers the command with this `ref`; None where there are no answers."""
    if ref is None:
        return None
    from cloud.own import reply as own_reply

    return own_reply(p, ref, ok, text, data)


def explain(p: Platform, code: int) -> str:
    """Why the broker refused: CONNACK return code [MQTT-3.2.2.3] in the platform's terms."""
    from cloud.why import explain as why

    return why(p.kind.split("_")[0], code, p.brokers[0][0], p.renew_at is not None)


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
