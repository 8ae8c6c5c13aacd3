"""Cloud platforms: from the identity in the settings to what the MQTT client must present, send and understand.

    platform = cloud.create(cfg["cloud"], cfg["mqtt"], {"id": "esp-a1b2c3", "name": "Kitchen"})
    client_id, user, password = platform.credentials(unix_time)  # for each CONNECT
    for topic, payload, ident in platform.report(readings, taken_at): ...
    kind, name, args, ref = platform.decode(topic, payload)  # then platform.reply(ref, ok, text)
    cloud.release()  # until the next of these nothing but data is in RAM

Only this file stays in memory. A platform is data; what it does is in functions of its module (aliyun.py, ...) and,
where the module has none of its own, of base.py, which documents them. They are brought in when used. body.py:
payloads, sign.py: signatures, own.py: commands and answers where the platform leaves their shape to us, why.py: refusals
in words. Nothing here does I/O or knows a clock: times are handed in.
"""

import sys

if False:  # for the type checker; compiled to nothing
    from typing import Any, Callable

MODULES = (
    "base body own sign why plain homeassistant aliyun tencent tencent_hub onenet onenet_legacy thingsboard adafruitio "
    "thingspeak azure aws emqx hivemq"
)


class Platform:
    """One broker as the node sees it: its limits, and as methods the functions of its module.

    brokers: [(host, port, tls)], to be tried in turn. client_id. keepalive: s. qos, retain: for readings. Some have
    base: the base topic, or cert, key: files of the client certificate (DER).
    """

    # topic for "online" (birth) and "offline" (will), retained; None where wills are not taken
    presence: "str | None" = None
    retain_ok = True  # may PUBLISH carry the retain flag?
    clean_only = False  # must the clean session flag be set?
    connect_interval = 0  # ms that must lie between two CONNECTs
    publish_interval = 0  # ms that must lie between two PUBLISHes, on average
    max_payload = 65535  # bytes; more than a node can hold where the platform has no limit
    confirms = False  # does the platform answer each report with an "ack"?
    needs_clock = False  # must the time be known before credentials()?
    # Unix time at which to reconnect, so that credentials() makes a new token; None: never
    renew_at: "int | None" = None
    topics = False  # to be set by the node: one topic a value instead of one JSON message, where topics are free
    dropped = 0  # readings that no message of this platform can hold

    # what setup() fills in
    client_id: str
    brokers: list
    keepalive: int
    qos: int
    retain: bool
    base: str
    cert: str
    key: str
    _user: "str | None"
    _password: "str | None"
    _id: int  # of the last message
    _topic: str  # where readings go
    _path: str  # what the topics begin with
    _key: bytes
    _method: str  # of signing
    _life: int  # of a token, s
    _hub: str
    _device: dict
    _prefix: str
    _feeds: str
    _fields: list

    def __init__(self, kind: str) -> None:
        self.kind = kind  # the module

    if False:  # for the type checker: what __getattr__ finds; base.py documents it

        def credentials(self, now: "int | None" = None) -> tuple: ...
        def will(self) -> "tuple | None": ...
        def birth(self) -> list: ...
        def announce(self, items: list) -> list: ...
        def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list: ...
        def report(self, readings: list, at: "int | None" = None) -> list: ...
        def decode(self, topic: str, payload: bytes) -> "tuple | None": ...
        def reply(self, ref: "Any", ok: bool = True, text: str = "", data: "dict | None" = None) -> "tuple | None": ...
        def explain(self, code: int) -> str: ...

    def __getattr__(self, name: str) -> "Callable[..., object]":
        """A function of the platform's module or of base.py, as a method."""
        if not name.startswith("_"):
            for home in (self.kind, "base"):
                function = getattr(__import__("cloud." + home, None, None, ("x",)), name, None)
                if function:
                    return lambda *args: function(self, *args)
        raise AttributeError(name)


def create(cloud: dict, mqtt: dict, device: dict) -> Platform:
    """The platform named by `cloud["platform"]` (blank: `plain`), ready to use.

    `cloud` and `mqtt` are the sections of the settings; `device` has `id` (unique, [a-z0-9-]) and may have `name`.
    Raises ValueError with the name of the field and what was wanted.
    """
    kind = cloud.get("platform") or "plain"
    if kind == "plain" and mqtt.get("discovery"):
        kind = "homeassistant"
    elif cloud.get("edition") in ("hub", "legacy"):
        kind += "_" + cloud["edition"]
    if kind not in MODULES.split()[5:]:  # without the helpers
        raise ValueError("cloud.platform: there is no " + kind)
    platform = Platform(kind)
    __import__("cloud." + kind, None, None, ("x",)).setup(platform, cloud, mqtt, device)
    release()
    return platform


def release() -> None:
    """Let go of all modules but this one; they come back when they are used."""
    package = sys.modules["cloud"]
    for name in MODULES.split():  # no list of all that is loaded: its 512 bytes in a row are hard to find
        if sys.modules.pop("cloud." + name, None) and hasattr(package, name):
            delattr(package, name)
