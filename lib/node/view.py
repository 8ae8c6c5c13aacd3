"""What the page asks of the node (lib/portal says what each means); setup.View brings these in for one call each."""

import gc

from . import VERSION, call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .setup import View

_WAITING, _TRYING, _FAILED, _DONE = 0, 1, 2, 3  # as lib/portal has them
_STEPS = ("wifi", "address", "broker", "login", "save")
_RESETS = ("power", "watchdog", "crash", "watchdog", "soft", "deepsleep", "hard")  # by the SDK's reset cause


def settings_now(view: "View") -> dict:
    """See lib/portal, `settings`: the current ones, and over them what was asked for and did not work. Only what a page
    asks for is in it: the rest would cost heap while the page is drawn."""
    import settings

    found = settings.load("/")[0]
    cfg = {section: found[section] for section in ("wifi", "mqtt", "cloud", "device")}
    settings.release()
    if view.held:
        for section, values in (call("pending.read").get("patch") or {}).items():
            if isinstance(values, dict) and isinstance(cfg.get(section), dict):
                cfg[section].update(values)
    return cfg


def hosts(view: "View") -> tuple:
    """See lib/portal."""
    wifi = view.node.wifi
    hostname = view.node.cfg["wifi"].get("hostname")
    found = (wifi.sta.ifconfig()[0],)
    return found + (hostname.lower(), hostname.lower() + ".local") if hostname else found


def online(view: "View") -> bool:
    """See lib/portal."""
    node = view.node
    return node.attempt[0] == _DONE if node.attempt else bool(node.link and node.link.client.connected)


def status(view: "View") -> list:
    """See lib/portal."""
    import machine

    node = view.node
    sta = node.wifi.sta
    online = node.wifi.online
    try:
        ssid = sta.config("ssid") if online else "-"
    except UnicodeError:  # not text
        ssid = "?"
    cause = machine.reset_cause()
    gc.collect()
    rows = [
        ("network", ssid),
        ("address", sta.ifconfig()[0] if online else "-"),
        ("signal", "%d dBm" % sta.status("rssi") if online else "-"),
        ("uptime", node.uptime()),
        ("version", VERSION),
        ("memory", gc.mem_free()),
        ("reset", _RESETS[cause] if cause < len(_RESETS) else "crash"),
    ]
    if not node.attempt:
        said = node.link.said if node.link else node.said or ("paused" if node.mute == "page" else "-")
        rows.append(("broker", "connected" if node.link and node.link.client.connected else said or "disconnected"))
    for name, value, unit, _ in node.latest:
        rows.append((name, "%s %s" % (value, unit) if unit else str(value)))
    return rows


def save(view: "View", patch: dict) -> list:
    """See lib/portal. The settings are checked and tried after a restart (pending.py)."""
    try:
        call("pending.store", patch)
    except OSError as e:
        return ["save: %s" % e]
    view.held = {"state": "new"}
    view.ending = True
    return []


def progress(view: "View") -> "tuple | None":
    """See lib/portal: of the trial that runs, else of the last one that failed."""
    attempt = view.node.attempt
    if attempt:
        return attempt[0], attempt[1]
    state = view.held.get("state")
    if state == "new":
        return _TRYING, [(name, _WAITING, "") for name in _STEPS]
    if state != "failed":
        return None
    steps = []
    failed = view.held.get("step")
    done = _DONE
    for name in _STEPS:
        if name == failed:
            steps.append((name, _FAILED, view.held.get("reason") or ""))
            done = _WAITING
        else:
            steps.append((name, done, ""))
    return _FAILED, steps


def told(view: "View") -> None:
    """See lib/portal."""
    attempt = view.node.attempt
    if attempt and attempt[0] != _TRYING:
        attempt[2] = True


def rescan(view: "View") -> None:
    """See lib/portal."""
    view.wanted = True


def export(view: "View") -> dict:
    """See lib/portal."""
    import settings

    return settings.redact(settings.load("/")[0])


def restart(view: "View") -> None:
    """See lib/portal."""
    view.ending = True


def factory_reset(view: "View") -> None:
    """See lib/portal."""
    view.erase = view.ending = True


def look(view: "View") -> list:
    """The networks in the air, for the page. Blocks 2 s. OSError: the radio is busy."""
    import sys

    import portal
    import portal.networks

    found = portal.networks.digest(view.node.wifi.scan())
    del sys.modules["portal.networks"], portal.networks
    return found
