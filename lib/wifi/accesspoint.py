"""Our own access point: switching it on with the right name and key, and off.

Flash is written by `active()` when it changes something, and by `config()` always: both are called only when needed.
"""

from . import Manager
from .memory import ap_credentials, fingerprint, remember

_OPEN, _WPA2 = 0, 3  # network.AUTH_OPEN, AUTH_WPA2_PSK


def _configuration(m: Manager) -> tuple:
    ssid, key = ap_credentials(m)
    channel = m.cfg.get("ap_channel", 6)
    mark = fingerprint(m, ssid.encode(), key.encode(), bytes((channel,)))
    return ssid, key, channel, mark


def up(m: Manager) -> None:
    """Switch the AP on. Name, key and channel go to the SDK only when they differ from what it has."""
    if not m.ap.active():
        m.ap.active(True)
    ssid, key, channel, mark = _configuration(m)
    if m._memory[24:32] != mark:
        if key:
            m.ap.config(ssid=ssid, key=key, security=_WPA2, channel=channel, hidden=False)
        else:
            m.ap.config(ssid=ssid, security=_OPEN, channel=channel, hidden=False)
        remember(m, 24, mark)
    address = m.cfg.get("ap_address") or "192.168.4.1"
    now = m.ap.ifconfig()
    if now[0] != address:
        m.ap.ifconfig((address, "255.255.255.0", address, now[3]))  # the DNS server is one for both interfaces
    m._raised += 1
    m._quiet = 1 << 28


def down(m: Manager) -> None:
    """Switch the AP off."""
    m.ap.active(False)


def wanted_at_boot(m: Manager) -> bool:
    """An AP that was on before the reset stays on if it is ours and the mode may want it: two flash writes saved."""
    mode = m.cfg["mode"]
    if mode in ("ap", "ap+sta") or (mode == "auto" and not m.cfg["networks"]):
        return True
    return mode == "auto" and m._memory[24:32] == _configuration(m)[3]
