"""A login to the broker with new settings, for the trial: connect, be accepted, and leave again."""

import errno

from mqtt import Client, ConnectRefused, MQTTError

from . import call

_REFUSED = ("", "unavailable", "client_id", "unavailable", "bad_login", "not_authorised")  # by CONNACK code


async def login(node, cfg: dict, begin, timeout: float) -> str:
    """Try the brokers of `cfg`, first to last. Returns "" or a reason of the portal's; begin(name): the step that is on."""
    try:
        platform = call("connect.make_platform", node, cfg)
    except ValueError as e:
        return "" if "mqtt.brokers" in str(e) else str(e)  # a node without a broker yet is a beginning
    reason = ""
    for host, port, tls in platform.brokers:
        try:
            reason = await _once(platform, node.unix(), host, port, tls, begin, timeout)
        except ValueError as e:
            reason = str(e)
        if not reason:
            return ""
    return reason


async def _once(platform, now: "int | None", host: str, port: int, tls: bool, begin, timeout: float) -> str:
    client_id, user, password = platform.credentials(now)
    client = Client(
        client_id,
        host,
        port,
        user=user,
        password=password,
        keepalive=platform.keepalive,
        ssl=True if tls else None,
        reconnect=False,
    )
    try:
        await client.connect(timeout)
    except ConnectRefused as e:
        begin("login")
        return _REFUSED[e.code] if platform.kind in ("plain", "homeassistant") else platform.explain(e.code)
    except MQTTError as e:
        begin("login")
        return str(e)
    except OSError as e:
        text = str(e)
        if "CONNACK" in text:
            begin("login")
            return "no_answer"
        if e.errno in (errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ECONNABORTED):
            return "no_answer"
        return "tls" if tls and e.errno and e.errno < -2 else "broker_not_found"
    begin("login")
    await client.disconnect()
    return ""
