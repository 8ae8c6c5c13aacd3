"""What the station does at an edge of the table: choose a network, join it, rest, wait, try a candidate.

Loaded for one action at a time (`call` in __init__.py). The flash rule lives in `_join`: the SDK gets a credential only when it
has another one, else a bare `connect()` uses what it has.
"""

from settings.ssid import ssid_bytes

from . import Manager
from .memory import fingerprint, remember

_STRONGER = 10  # dB by which another network must beat the one that the SDK has stored: a change costs a flash write
_TRIAL_MS = 120000
_CALM_MS = 300000  # after that much outage the pauses grow
_FEW_MS = 5000
_LONG_MS = 30000


def _mark(m: Manager, network: dict) -> bytes:
    return fingerprint(m, ssid_bytes(network), (network.get("key") or "").encode())


def _stored(m: Manager, network: dict) -> bool:
    """Does the SDK have this very credential? It tells its SSID (and drags the key along after one of 32 bytes)."""
    if m._memory[16:24] != _mark(m, network):
        return False
    ssid = ssid_bytes(network)
    try:
        has = m.sta.config("ssid").encode()
    except UnicodeError:  # not text: then the wanted one isn't either
        return not _is_text(ssid)
    return has == ssid or (len(ssid) == 32 and has[:32] == ssid)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeError:
        return False
    return True


def ready(m: Manager) -> None:
    """Next attempt at once."""
    rest(m)
    m._due = 0


def rest(m: Manager) -> None:
    """Stop the SDK's own attempts."""
    m.sta.disconnect()


def join_next(m: Manager) -> None:
    """Start the attempt whose turn it is."""
    networks = m.cfg["networks"]
    index = 0 if len(networks) == 1 else _choose(m)
    if index < 0:
        m.reason = "no_network"
        m.fire("failed")
    else:
        m._index = index
        _join(m, networks[index])


def _choose(m: Manager) -> int:
    """Index of the network to try, or -1: of those in the air the one that failed least, and of these the strongest.

    One that failed sits out 2, 4, 8 … rounds, unless the SDK has it stored: a change of network is a flash write.
    """
    found = _scan(m)
    best, best_rank, stored = -1, None, -1
    for i, network in enumerate(m.cfg["networks"]):
        has = _stored(m, network)
        if has:
            stored = i
        rssi = _rssi_of(network, found)
        if rssi is None:
            continue
        if m._skip[i] and not has:
            m._skip[i] -= 1
            continue
        rank = (m._fails[i], -rssi - (_STRONGER if has else 0))
        if best_rank is None or rank < best_rank:
            best, best_rank = i, rank
    return best if best >= 0 else stored


def _rssi_of(network: dict, found: list) -> "int | None":
    """Signal in dBm of the strongest AP that may be this network; -100 for a hidden one that may be there."""
    ssid, best = ssid_bytes(network), None
    for name, _, _, rssi, auth, hidden in found:
        if name == ssid and (auth or not network.get("key")):  # an open twin does not get our traffic
            best = rssi if best is None else max(best, rssi)
        elif network.get("hidden") and (hidden or not name.strip(b"\0")):
            best = -100 if best is None else best
    return best


def _scan(m: Manager) -> list:
    try:
        return m.sta.scan()
    except OSError:  # "scan failed": the radio was busy
        return []


def _join(m: Manager, network: dict) -> None:
    m._code = m._rises = 0
    try:
        m.sta.disconnect()
        _address(m, network)
        if _stored(m, network):
            m.sta.connect()
        else:
            m._trusted = None
            m.sta.connect(ssid_bytes(network), network.get("key") or "")
            remember(m, 16, _mark(m, network))
    except OSError:  # the SDK refuses
        m.reason = "refused"
        m.fire("failed")


def _address(m: Manager, network: dict) -> None:
    if network.get("ip"):
        gateway = network["gateway"]
        m.sta.ifconfig((network["ip"], network.get("mask") or "255.255.255.0", gateway, network.get("dns") or gateway))
    elif not m.sta.ipconfig("dhcp4"):
        m.sta.ifconfig("dhcp")


def arrived(m: Manager) -> None:
    """The link has an address."""
    m.reason = None
    m._pauses = m._failures = m._unproven = 0
    m.proven = False
    m._trusted = m._trusted or None
    for i in range(len(m._fails)):
        m._fails[i] = m._skip[i] = 0


def back_off(m: Manager) -> None:
    """Pause: 1, 2, 4, 5 s while the outage is young, then up to 30 s; 10 s at least when a phone may want our AP."""
    rest(m)
    i = m._index
    if 0 <= i < len(m._fails):
        m._fails[i] = min(m._fails[i] + 1, 250)
        m._skip[i] = min(1 << min(m._fails[i], 8), 255)
    m._pauses = min(m._pauses + 1, 10)
    calm = m._down >= _CALM_MS or m.ap_state == "ap_on"
    pause = 1000 << (m._pauses - 1)
    m._due = min(pause, _LONG_MS if calm else _FEW_MS)
    if m.ap_state == "ap_on":
        m._due = max(m._due, 2 * _FEW_MS)


def lost(m: Manager) -> None:
    """The AP is gone. The SDK looks for it by itself at once; nothing is quicker."""
    m.reason = "lost"
    m._code = m._rises = 0
    _forget_probe(m)


def relink(m: Manager) -> None:
    """Associated but dead: down and up."""
    m.reason = "dead"
    _forget_probe(m)
    m._code = m._rises = 0
    m.sta.disconnect()
    m.sta.connect()


def _forget_probe(m: Manager) -> None:
    m.proven = False
    if m._probe:
        m._probe.close()
        m._probe = None


def join_candidate(m: Manager) -> None:
    """The portal's try: the settings stay."""
    _forget_probe(m)
    m._grace = _TRIAL_MS
    if m.candidate is not None:
        _join(m, m.candidate)


def candidate_works(m: Manager) -> None:
    """Keep the link for two minutes."""
    m.reason = None
    m.trial = "ok"
    m._due = m._grace = _TRIAL_MS


def candidate_failed(m: Manager) -> None:
    """Say why, and give the old network a chance even under the client that asked."""
    m.trial = m.reason or "refused"
    drop_candidate(m)


def drop_candidate(m: Manager) -> None:
    """Back to the networks of the settings."""
    if m.trial is None:
        m.trial = "dropped"
    m.candidate = None
    m._grace = 30000
    ready(m)
