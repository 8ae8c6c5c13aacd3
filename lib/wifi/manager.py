"""The clockwork: looks at the radio, tells the table (table.py) what happened, counts time.

`step(now)` does all of it once and never waits; `run()` only calls it. What an event leads to stands in the table, how
it is done in station.py and accesspoint.py. Times are ms, counted up or down by the time since the last step, so that
the chip's ticks may wrap.
"""

import asyncio
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


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


def call(name: str, *args: object) -> "Any":
    """Call `module.function` of this package, and let all modules go that are not needed between calls."""
    module, function = name.split(".")
    __import__("wifi." + module)
    modules = sys.modules
    try:
        return getattr(modules["wifi." + module], function)(*args)
    finally:
        for module in ("table", "requests", "station", "accesspoint", "memory", "gateway"):
            if modules.pop("wifi." + module, None) is not None and hasattr(modules["wifi"], module):
                delattr(modules["wifi"], module)


class Manager:
    """Keeps a node on its WiFi.

    `cfg` is section `wifi` of the settings, `device_id` a short text that names the chip, `network` the port's module,
    `clock` has `ticks_ms()` and `ticks_diff(a, b)` as module `time` of MicroPython. `on_event(event, state, reason)` is
    called after each edge. `store` has `load() -> bytes | None` and `save(bytes)`: 36 bytes, written only when a
    credential changes (default: file /wifi.dat). `probe(gateway, dns)` starts a look at the gateway (gateway.py).
    What a page or a button asks for stands in requests.py and is called as a method: `manager.scan()`.
    """

    def __init__(self, cfg, device_id, network, clock=None, on_event=None, *, store=None, probe=None) -> None:
        if clock is None:
            import time as clock
        self.cfg = cfg
        self.device_id = device_id
        self.network = network
        self.sta = network.WLAN(network.STA_IF)
        self.ap = network.WLAN(network.AP_IF)
        self.state = "off"
        self.ap_state = "ap_off"
        self.reason: str | None = None  # of the last failure: no_network wrong_key no_address refused lost dead
        self.candidate: dict | None = None
        self.trial: str | None = None  # outcome of the last try_network: "ok" or the reason
        self.proven = False  # the broker was reached over this link
        self.client = False  # somebody is on our AP
        self._clock = clock
        self._on_event = on_event
        self._store = store
        self._probe_maker = probe
        self._probe: "Any" = None
        self._memory = b""
        self._last = clock.ticks_ms()
        self._index = -1  # of the network that is or was last tried
        self._fails = self._skip = bytearray()  # of each network: failures in a row, rounds to sit out
        self._spent = 0  # in this state of the station
        self._due = 0  # until event "due"
        self._down = 0  # without a link
        self._quiet = _FOREVER  # since the last client was seen
        self._open = 0  # AP is kept open by request
        self._grace = 0  # the station may work under a client: it was asked to
        self._code = self._rises = self._pauses = self._raised = 0
        self._failures = 0  # of MQTT in a row
        self._unproven = 0  # since the broker was last reached over this link
        self._probing = 0  # time left for the gateway's answer
        self._asked = False  # the gateway was asked once on this link
        self._trusted = False  # the gateway of this network answers probes
        call("memory.start", self)

    @property
    def online(self) -> bool:
        """The station has an address. Whether the broker can be reached over it, `proven` says."""
        return self.state in ("up", "trial")

    async def run(self) -> None:
        """Step for ever."""
        while True:
            await asyncio.sleep(self.step(self._clock.ticks_ms()) / 1000)

    def step(self, now: int) -> int:
        """Look at everything once. `now` is `clock.ticks_ms()`; returns the ms until the next step is wanted."""
        passed = self._clock.ticks_diff(now, self._last)
        self._last = now
        self._spent = min(self._spent + passed, _FOREVER)
        self._unproven = min(self._unproven + passed, _FOREVER)
        for name in ("_due", "_open", "_grace", "_probing"):
            setattr(self, name, max(0, getattr(self, name) - passed))
        event = self._look()
        if event:
            self.fire(event)
        self._look_at_ap(passed)
        busy = self.state != "waiting" and not (self.state == "up" and self._probe is None and not self.client)
        return _FAST_MS if busy else _SLOW_MS

    def fire(self, event: str) -> bool:
        """Do what the table says about `event` in the states we are in; False: nothing."""
        found = call("table.edge", self.state, event)
        if found:
            self.state = found[0]
            self._spent = 0
        else:
            found = call("table.edge", self.ap_state, event)
            if not found:
                return False
            self.ap_state = found[0]
        call(found[1], self)
        if self._on_event:
            self._on_event(event, found[0], self.reason)
        return True

    def _look(self) -> "str | None":
        """The station's event at this moment."""
        state = self.state
        wants = self.cfg["mode"] != "ap" and len(self.cfg["networks"]) > 0
        if state == "off":
            return "start" if wants else None
        if not wants and state not in ("trying", "trial"):
            return "halt"
        if state in ("connecting", "trying"):
            return self._look_at_attempt()
        if self.online:
            if self.sta.status() != _GOT_IP:
                return "lost"
            if state == "up":
                return self._look_beyond()
        if state in ("waiting", "trial") and not self._due:
            return "due"
        return None

    def _look_at_attempt(self) -> "str | None":
        """The SDK tries again and again by itself; its failures are counted as they come up."""
        code = self.sta.status()
        if code == _GOT_IP:
            return "address"
        if 2 <= code <= 4 and code != self._code:
            self._rises += 1
            self.reason = ("wrong_key", "no_network", "refused")[code - 2]
        self._code = code
        patience = 100  # the only network: the SDK's own tries are as good as ours
        if self.state == "trying" or len(self.cfg["networks"]) > 1:
            patience = 2
        elif self.ap_state == "ap_on":
            patience = 1
        if self._rises >= patience:
            return "failed"
        if self._spent >= _ATTEMPT_MS or (code == 0 and self._spent >= _SLOW_MS):
            if not self._rises:
                self.reason = "no_address" if self.sta.status("rssi") < 0 else "refused"
            return "failed"
        return None

    def _look_beyond(self) -> "str | None":
        """Associated is not online: when the broker stays away, ask the gateway before the link is blamed."""
        if self._probe:
            if self._probe.poll():
                self._trusted = True
                self._failures = 0
            elif self._probing:
                return None
            self._probe.close()
            self._probe = None
            if self._failures < _MQTT_FAILURES:
                return None
            self._failures = 0
            return "dead" if self._trusted or self._unproven >= _BLIND_MS else None
        if self._failures >= _MQTT_FAILURES or (self.proven and not self._trusted and not self._asked):
            self._asked = True
            self._probing = _PROBE_MS
            self._probe = call("gateway.start", self)
        return None

    def _look_at_ap(self, passed: int) -> None:
        up = self.online
        on = self.ap_state == "ap_on"
        self._down = 0 if up else min(self._down + passed, _FOREVER)
        self._quiet = 0 if on and self.ap.isconnected() else min(self._quiet + passed, _FOREVER)
        self.client = on and self._quiet < _CLIENT_GONE_MS
        if self.client and not self._grace and self.state in ("waiting", "connecting"):
            self.fire("client")
        elif not self.client and self.state == "held":
            self.fire("no_client")
        if self._raised and up and self._spent >= _DAY_MS:
            self._raised = 0
        mode = self.cfg["mode"]
        if mode in ("ap", "ap+sta") or (mode == "auto" and not self.cfg["networks"]):
            if not on:
                self.fire("wanted")
        elif not on:
            if mode == "auto" and self._down >= self.cfg.get("fallback_after", 180) * 1000:
                self.fire("outage")
        elif self.client or self._open:
            return
        elif mode == "sta":
            self.fire("unwanted")
        elif self.state == "up" and self._spent >= _AP_LINGER_MS << min(self._raised, 7):
            self.fire("settled")

    def report_online(self, ok: bool, answered: bool = False) -> None:
        """The MQTT client's view: True when a CONNACK came, False for each failed connect and each lost connection.

        `answered`: the failure itself came over the network (refused, bad password), so the link is alive.
        """
        self.proven = ok
        if ok or answered:
            self._failures = 0
            self._unproven = 0
        else:
            self._failures += 1

    def __getattr__(self, name: str) -> "Any":
        """The requests of requests.py, loaded for one call: `manager.scan()`."""
        if name not in ("apply", "scan", "try_network", "start_trial", "retry", "open_ap", "info", "ap_credentials"):
            raise AttributeError(name)
        return lambda *args: call("requests." + name, self, *args)
