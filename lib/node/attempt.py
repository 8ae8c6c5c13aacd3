"""The trial of new settings, at a start with them: the network, the address, the broker, the login, then they are kept.

    wifi -> address   the network, if it is a new one; the station may work although a phone is on the access point
    broker -> login   the node's own connection (link.py)
    save              the settings on trial become the current ones

Meanwhile a few lines on each step stand in for the page, as MQTT needs its heap (meanwhile.py). Afterwards MQTT goes,
a page shows the outcome, and the node restarts, with the new settings and no access point, or with the old ones and the
reason on its page (pending.py). `node.attempt` is [state, steps, told] as lib/portal shows it; `told` is set when a page
has shown the outcome.
"""

import asyncio
import errno
import gc
import sys

import machine
import settings
from micropython import const

from . import call
from .log import INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .node import Node

_LOOK_MS = const(200)
_WIFI_LOOKS = const(300)  # 60 s
_BROKER_LOOKS = const(225)  # 45 s
_TELL_LOOKS = const(75)  # 15 s for the page to show the outcome, before the restart takes the phone's network away
_READ_LOOKS = const(10)  # 2 s for the page's last bytes
_GRACE_LOOKS = const(50)  # 10 s that the access point stays after a success was shown: phones close their sheet
_OPEN_S = const(600)

_STEPS = ("wifi", "address", "broker", "login", "save")
_WAITING = const(0)  # as lib/portal has them
_TRYING = const(1)
_FAILED = const(2)
_DONE = const(3)
_ENDING = const(4)

_REFUSED = ("", "unavailable", "client_id", "unavailable", "bad_login", "not_authorised")  # by CONNACK code
_SILENT = (errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ECONNABORTED)


def start(node: "Node", fresh: bool) -> None:
    """Begin. fresh: the first network of the settings is one that the old ones do not have."""
    import portal.warm

    portal.warm.up()  # MQTT leaves no room in one piece for the table of names to grow, when the page comes after it
    del portal
    for name in list(sys.modules):
        if name.split(".")[0] == "portal":
            del sys.modules[name]
    attempt: list = [_TRYING, [[name, _WAITING, ""] for name in _STEPS], False]
    node.attempt = attempt
    node.mute = "wifi"  # no MQTT before the network is settled
    node.wifi.open_ap(_OPEN_S)
    if fresh:
        node.wifi.start_trial(node.cfg["wifi"]["networks"][0])
    asyncio.create_task(_run(node, attempt, fresh))


async def _run(node: "Node", attempt: list, fresh: bool) -> None:
    stand_in = asyncio.create_task(call("meanwhile.serve", node, attempt[1]))
    try:
        reason = await _tried(node, attempt[1], fresh)
    except Exception as e:  # noqa: BLE001  whatever it is: it ends the trial, and the page says so
        gc.collect()
        reason = "%s: %s" % (type(e).__name__, e)
    stand_in.cancel()
    node.mute = "restart"  # no connection to a broker from now on: the heap is the page's
    await node.stop()
    try:
        _settle(node, attempt[1], reason)
    except MemoryError:
        machine.reset()  # the next start finds the trial cut off, or the new settings in use
    settings.release()
    gc.collect()
    attempt[0] = _ENDING if reason else _DONE
    await _shown(attempt, _TELL_LOOKS, _READ_LOOKS if reason else _GRACE_LOOKS)
    if not reason and node.cfg["wifi"]["mode"] in ("auto", "sta"):
        node.wifi.fire("close")
    machine.reset()


def _settle(node: "Node", steps: list, reason: str) -> None:
    """Keep the settings on trial, or drop them for that reason."""
    if reason:
        for step in steps:
            if step[1] == _TRYING:
                step[1], step[2] = _FAILED, reason
                node.log(WARNING, "new settings: %s: %s" % (step[0], reason))
                call("pending.failed", step[0], reason)
    else:
        call("pending.kept")
        _begin(steps, "")
        node.log(INFO, "new settings: in use")


async def _shown(attempt: list, looks: int, more: int) -> None:
    """Return when the outcome has been shown and `more` looks have passed, or nobody asked for it in `looks`."""
    while looks and not attempt[2]:
        await asyncio.sleep_ms(_LOOK_MS)
        looks -= 1
    if attempt[2]:
        await asyncio.sleep_ms(_LOOK_MS * more)


def _begin(steps: list, name: str) -> None:
    """Step `name` is being tried; those before it are done."""
    for step in steps:
        if step[0] == name:
            step[1] = _TRYING
            return
        step[1] = _DONE


async def _tried(node: "Node", steps: list, fresh: bool) -> str:
    """Try the settings and keep them; returns "" or why not."""
    wifi = node.wifi
    _begin(steps, "wifi")
    reason = "no_network"
    for _ in range(_WIFI_LOOKS if node.cfg["wifi"]["networks"] else 0):
        await asyncio.sleep_ms(_LOOK_MS)
        if wifi.online or wifi.trial:
            break
        if wifi.state == "held":
            wifi.retry()  # whoever is on the access point has asked for it
    if not wifi.online:
        reason = wifi.trial or wifi.reason or reason
        if reason == "no_address":
            _begin(steps, "address")
        return reason
    if fresh:
        wifi.apply(node.cfg["wifi"])
    _begin(steps, "broker")
    gc.collect()
    node.mute = ""
    seen = None
    failures = 0
    for _ in range(_BROKER_LOOKS):
        await asyncio.sleep_ms(_LOOK_MS)
        link = node.link
        if node.mute:
            if "mqtt.brokers" not in node.mute:
                return node.mute
            break  # a node without a broker yet is a beginning
        if link is None:
            if not wifi.online:
                return "lost"
            continue
        client = link.client
        if client.connected:
            break
        reason = client.reason
        if reason is not None and reason is not seen:
            seen = reason
            failures += 1
            if failures >= len(link.platform.brokers):
                return _why(steps, reason, client.ssl, link.platform)
    else:
        if link is None:
            return "no_answer"
        return _why(steps, seen, False, link.platform) if seen else link.said or "no_answer"
    _begin(steps, "save")
    return ""


def _why(steps: list, reason: Exception, tls: object, platform) -> str:
    """The reason of a failed connection in the page's words, or a cloud's own, with the step that it belongs to begun."""
    code = getattr(reason, "code", None)  # of the CONNACK
    text = str(reason)
    if code is not None or not isinstance(reason, OSError) or "CONNACK" in text:
        _begin(steps, "login")
        if code is None:
            return "no_answer" if "CONNACK" in text else text
        if platform.kind not in ("plain", "homeassistant"):
            return platform.explain(code)
        return _REFUSED[code] if code < len(_REFUSED) else text
    number = reason.errno
    if number in _SILENT:
        return "no_answer"
    return "tls" if tls and number and number < -2 else "broker_not_found"
