"""The clockwork: looks at the radio, tells the table (table.py) what happened, counts time.

`step(m, now)` does all of it once and never waits. What an event leads to stands in the table, how it is done in station.py
and accesspoint.py. Times are ms, counted up or down by the time since the last step, so that the chip's ticks may wrap.
Loaded while something is going on: when the link is up and nothing is to be done, `Manager.step` watches it alone.
"""

from . import Manager, call, const

_GOT_IP = const(5)  # network.STAT_GOT_IP; 2, 3, 4 are the failures
_FAST_MS = const(250)  # between steps while something is going on
_SLOW_MS = const(1000)
_FOREVER = const(1 << 28)  # three days: where counters stop
_ATTEMPT_MS = const(30000)  # association and DHCP together
_CLIENT_GONE_MS = const(10000)  # a phone that changes channel or sleeps is not gone
_AP_LINGER_MS = const(30000)  # AP stays on after the station is back; doubled at each further outage within a day
_DAY_MS = const(86400000)
_MQTT_FAILURES = const(5)  # failed connects to the broker until the link is doubted
_PROBE_MS = const(3000)
_BLIND_MS = const(7200000)  # the same where the gateway never answered: after two hours without the broker


def step(m: Manager, now: int) -> int:
    """Look at everything once; returns the ms until the next step is wanted."""
    passed = m._clock.ticks_diff(now, m._last)
    m._last = now
    m._spent = min(m._spent + passed, _FOREVER)
    m._unproven = min(m._unproven + passed, _FOREVER)
    m._due = max(0, m._due - passed)
    m._open = max(0, m._open - passed)
    m._grace = max(0, m._grace - passed)
    event = _look(m)
    if event:
        fire(m, event)
    moved = _look_at_ap(m, passed)
    idle = m.state == "up" and m._probe is None and not m.client
    m.calm = idle and not event and not moved and (m.ap_state == "ap_off" or m.cfg["mode"] == "ap+sta")
    return _SLOW_MS if idle or m.state == "waiting" else _FAST_MS


def fire(m: Manager, event: str) -> bool:
    """Do what the table says about `event` in the states we are in; False: nothing."""
    found = call("table.edge", m, m.state, event)
    if found:
        if m.state == "up" and m._spent >= _DAY_MS:
            m._raised = 0
        m.state = found[0]
        m.online = m.state in ("up", "trial")
        m._spent = 0
    else:
        found = call("table.edge", m, m.ap_state, event)
        if not found:
            return False
        m.ap_state = found[0]
    call(found[1], m)
    if m._on_event:
        m._on_event(event, found[0], m.reason)
    return True


def _look(m: Manager) -> "str | None":
    """The station's event at this moment."""
    state = m.state
    wants = m.cfg["mode"] != "ap" and len(m.cfg["networks"]) > 0
    if state == "off":
        return "start" if wants else None
    if not wants and state not in ("trying", "trial"):
        return "halt"
    if state in ("connecting", "trying"):
        return _look_at_attempt(m)
    if m.online:
        if m.sta.status() != _GOT_IP:
            return "lost"
        if state == "up":
            return _look_beyond(m)
    if state in ("waiting", "trial") and not m._due:
        return "due"
    return None


def _look_at_attempt(m: Manager) -> "str | None":
    """The SDK tries again and again by itself; its failures are counted as they come up."""
    code = m.sta.status()
    if code == _GOT_IP:
        return "address"
    if 2 <= code <= 4 and code != m._code:
        m._rises += 1
        m.reason = ("wrong_key", "no_network", "refused")[code - 2]
    m._code = code
    patience = 100  # the only network: the SDK's own tries are as good as ours
    if m.state == "trying" or len(m.cfg["networks"]) > 1:
        patience = 2
    elif m.ap_state == "ap_on":
        patience = 1
    if m._rises >= patience:
        return "failed"
    if m._spent >= _ATTEMPT_MS or (code == 0 and m._spent >= _SLOW_MS):
        if not m._rises:
            m.reason = "no_address" if m.sta.status("rssi") < 0 else "refused"
        return "failed"
    return None


def _look_beyond(m: Manager) -> "str | None":
    """Associated is not online: when the broker stays away, ask the gateway before the link is blamed."""
    if m._probe:
        if m._probe.poll():
            m._trusted = True
            m._failures = 0
        elif m._due:
            return None
        m._probe.close()
        m._probe = None
        if m._failures < _MQTT_FAILURES:
            return None
        m._failures = 0
        return "dead" if m._trusted or m._unproven >= _BLIND_MS else None
    if m._failures >= _MQTT_FAILURES or (m.proven and m._trusted is None):
        m._trusted = bool(m._trusted)
        m._due = _PROBE_MS
        m._probe = call("gateway.start", m)
    return None


def _look_at_ap(m: Manager, passed: int) -> bool:
    """Who is on our AP, and must it come or go? True if something happened."""
    up = m.online
    on = m.ap_state == "ap_on"
    m._down = 0 if up else min(m._down + passed, _FOREVER)
    m._quiet = 0 if on and m.ap.isconnected() else min(m._quiet + passed, _FOREVER)
    m.client = on and m._quiet < _CLIENT_GONE_MS
    if m.client and not m._grace and m.state in ("waiting", "connecting"):
        fire(m, "client")
    elif not m.client and m.state == "held":
        fire(m, "no_client")
    mode = m.cfg["mode"]
    if mode in ("ap", "ap+sta") or (mode == "auto" and not m.cfg["networks"]):
        return not on and fire(m, "wanted")
    if not on:
        return mode == "auto" and m._down >= m.cfg.get("fallback_after", 180) * 1000 and fire(m, "outage")
    if m.client or m._open:
        return False
    if mode == "sta":
        return fire(m, "unwanted")
    return m.state == "up" and m._spent >= _AP_LINGER_MS << min(m._raised, 7) and fire(m, "settled")
