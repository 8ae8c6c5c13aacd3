"""What a page, a button or new settings ask of the manager. Each function is a method of it: `manager.scan()`."""

import asyncio

from settings.ssid import ssid_bytes

from . import Manager
from .clockwork import fire
from .memory import ap_credentials, use
from .station import _scan, rest

_POLL_S = 0.25
_ASKED_MS = 30000  # so long the station may work under a client that asked


async def run(m: Manager) -> None:
    """Step for ever."""
    while True:
        await asyncio.sleep(m.step(m._clock.ticks_ms()) / 1000)


def scan(m: Manager) -> list:
    """Networks in the air, strongest first, each SSID once: tuples as of `WLAN.scan`. Blocks 2 s. OSError: busy."""
    if m.state == "trying":
        raise OSError("busy")
    connecting = m.state == "connecting"
    if connecting:
        rest(m)
    strongest: dict = {}
    for point in _scan(m):
        if point[0] not in strongest or point[3] > strongest[point[0]][3]:
            strongest[point[0]] = point
    if connecting:
        m.sta.connect()
        m._code = m._rises = 0
    return sorted(strongest.values(), key=lambda point: -point[3])


def start_trial(m: Manager, candidate: dict) -> None:
    """Begin what `try_network` waits for; `manager.trial` gets "ok" or the reason. OSError: busy with another."""
    if m.state == "trying":
        raise OSError("busy")
    m.candidate, m.trial = candidate, None
    fire(m, "try")


async def try_network(m: Manager, candidate: dict) -> tuple:
    """Try a network (an entry of `networks`) while the settings stay as they are: `(ok, reason)`, within 40 s.

    When it works the link stays for two minutes: `apply` settings with it, or `fire("drop")`. OSError: busy.
    """
    start_trial(m, candidate)
    while m.trial is None:
        await asyncio.sleep(_POLL_S)
    return m.trial == "ok", None if m.trial == "ok" else m.trial


def retry(m: Manager) -> None:
    """Try the station now, even under a client on the AP: it asked."""
    m._grace = _ASKED_MS
    fire(m, "retry")


def open_ap(m: Manager, seconds: int = 600) -> None:
    """Open the AP for a while, as a button does."""
    m._open = seconds * 1000
    fire(m, "open")


def info(m: Manager) -> dict:
    """For page and log: state, reason, ssid (bytes), rssi (dBm), address, proven, ap, ap_ssid, ap_address, clients."""
    network = None
    if m.state in ("trying", "trial"):
        network = m.candidate
    elif 0 <= m._index < len(m.cfg["networks"]):
        network = m.cfg["networks"][m._index]
    on = m.ap_state == "ap_on"
    return {
        "state": m.state,
        "reason": m.reason,
        "ssid": ssid_bytes(network) if network else b"",
        "rssi": m.sta.status("rssi") if m.online else None,
        "address": m.sta.ifconfig()[0] if m.online else None,
        "proven": m.proven,
        "ap": on,
        "ap_ssid": ap_credentials(m)[0],
        "ap_address": m.ap.ifconfig()[0],
        "clients": len(m.ap.status("stations")) if on else 0,
    }


def apply(m: Manager, cfg: dict) -> None:
    """New settings. The link stays if its network is in them unchanged."""
    current = m.candidate if m.state == "trial" else None
    if m.state == "up" and 0 <= m._index < len(m.cfg["networks"]):
        current = m.cfg["networks"][m._index]
    use(m, cfg)
    for i, network in enumerate(cfg["networks"]):
        if current is not None and _same(network, current):
            m._index = i
    if m.ap_state == "ap_on" and not m.client:
        from .accesspoint import up

        up(m)
    if m._index >= 0:
        m.candidate = None
        fire(m, "keep")
    else:
        m._grace = _ASKED_MS
        fire(m, "changed")


def _same(a: dict, b: dict) -> bool:
    for name in ("key", "ip", "mask", "gateway", "dns"):
        if (a.get(name) or "") != (b.get(name) or ""):
            return False
    return ssid_bytes(a) == ssid_bytes(b)
