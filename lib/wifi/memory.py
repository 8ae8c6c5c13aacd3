"""What the manager remembers over a power cut: a secret, and a fingerprint of what the SDK has in its own flash.

36 bytes: secret (16), fingerprint of the station's credential (8), of the AP's configuration (8), check sum (4). The
SDK gives no key back (`WLAN.config` has no getter), so only the fingerprint can tell that nothing has to be written.
"""

import hashlib
import os

from . import Manager

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like something else


FILE = "/wifi.dat"


def load(path: str) -> bytes:
    """What the file holds; b"" at the first boot."""
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError:
        return b""


def save(data: bytes, path: str) -> None:
    """New file, close, rename."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def _digest(*parts: bytes) -> bytes:
    h = hashlib.sha256()
    for part in parts:
        h.update(bytes((len(part),)))
        h.update(part)
    return h.digest()


def start(m: Manager, cfg: dict, device_id, network, clock, on_event, store, probe) -> None:
    """Give the manager its attributes, load or make the memory, set the interfaces, put MicroPython's own AP away."""
    if clock is None:
        import time as clock
    m._store = store
    m._clock = clock
    m._on_event = on_event
    m._probe_maker = probe
    m._probe = None
    m._network = network
    m._device_id = device_id
    m.sta = network.WLAN(network.STA_IF)
    m.ap = network.WLAN(network.AP_IF)
    m.state = "off"
    m.ap_state = "ap_off"
    m.reason = m.candidate = m.trial = None
    m.online = m.proven = m.client = m.calm = False
    m._last = clock.ticks_ms()
    m._spent = m._due = m._down = m._open = m._grace = m._unproven = 0
    m._quiet = 1 << 28
    m._code = m._rises = m._pauses = m._raised = m._failures = 0
    m._trusted = None
    data = (store.load() or b"") if store else load(FILE)
    if len(data) == 36 and _digest(data[:32])[:4] == data[32:]:
        m._memory = data[:32]
    else:
        m._memory = os.urandom(16) + bytes(16)
        _save(m)
    if not m.sta.active():
        m.sta.active(True)
    m.sta.disconnect()  # the SDK connects by itself at boot, with MicroPython's hostname
    use(m, cfg)
    if m.ap.active():
        from .accesspoint import up, wanted_at_boot

        if wanted_at_boot(m):
            m.ap_state = "ap_on"
            up(m)
        else:
            m.ap.active(False)


def use(m: Manager, cfg: dict) -> None:
    """Take settings over. A `tx_power` costs a flash write: the port writes the whole configuration with it."""
    m.cfg = cfg
    m._fails = m._skip = bytearray()
    if len(cfg["networks"]) > 1:
        m._fails, m._skip = bytearray(len(cfg["networks"])), bytearray(len(cfg["networks"]))
    m._index = -1
    m._network.hostname(cfg.get("hostname") or _default_name(m))
    if cfg.get("country"):
        m._network.country(cfg["country"])
    if cfg.get("tx_power") is not None:
        m.sta.config(txpower=cfg["tx_power"])


def _save(m: Manager) -> None:
    data = m._memory + _digest(m._memory)[:4]
    if m._store:
        m._store.save(data)
    else:
        save(data, FILE)


def fingerprint(m: Manager, *parts: bytes) -> bytes:
    """8 bytes that stand for a configuration; salted by the device's secret."""
    return _digest(m._memory[:16], *parts)[:8]


def remember(m: Manager, place: int, value: bytes) -> None:
    """Store a fingerprint: `place` 16 station, 24 AP."""
    m._memory = m._memory[:place] + value + m._memory[place + 8 :]
    _save(m)


def ap_credentials(m: Manager) -> tuple:
    """`(ssid, key)` of our AP; key "" means open. The default key is 12 signs (59 bits) from secret and id."""
    identity = m._device_id if isinstance(m._device_id, bytes) else m._device_id.encode()
    ssid = m.cfg.get("ap_ssid") or _default_name(m)
    if m.cfg.get("ap_open"):
        return ssid, ""
    key = m.cfg.get("ap_key") or ""
    if not key:
        digest = _digest(m._memory[:16], identity, b"ap key")
        number = 0
        for byte in digest[:16]:
            number = number * 256 + byte
        key = ""
        while len(key) < 12:
            key += _ALPHABET[number % len(_ALPHABET)]
            number //= len(_ALPHABET)
    return ssid, key


def _default_name(m: Manager) -> str:
    """`node-` and the end of the device's id: the name of a node that has none, for the router and for our AP."""
    name = m._device_id
    if isinstance(name, bytes):
        name = "".join(["%02x" % b for b in name])
    return "node-" + name[-6:]
