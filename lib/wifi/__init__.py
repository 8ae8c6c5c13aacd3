"""WiFi of a node: station, own access point, or both, for years. See docs/wifi.md.

    manager = wifi.Manager(cfg["wifi"], device_id, network)
    asyncio.create_task(manager.run())

Only this file stays in memory. `clockwork.py` looks at the radio and counts time, `table.py` has the states and events;
`requests`, `station`, `accesspoint`, `memory` and `gateway` are the hands. They are loaded when something is going on and
let go again: a node needs them a few times a day, and its RAM all the time.
"""

import sys

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GOT_IP = const(5)  # network.STAT_GOT_IP
_CALM_MS = const(1000)  # between steps while nothing is going on
_FOREVER = const(1 << 28)  # three days: where counters stop
_COLD = const(
    "settings.ssid wifi.table wifi.requests wifi.station wifi.accesspoint wifi.memory wifi.gateway wifi.clockwork"
)


def call(name: str, m: "Manager", *args: object) -> "Any":
    """Call `module.function` of this package, and let all modules go that are not needed between calls."""
    module, function = name.split(".")
    module = "wifi." + module
    modules = sys.modules
    cold = _COLD if "settings" in modules else _COLD + " settings"
    __import__(module)
    try:
        return getattr(modules[module], function)(m, *args)
    finally:
        stays = "" if m.calm or m.lean else "wifi.clockwork"
        for other in () if module == stays else cold.split():
            if other != stays and modules.pop(other, None) is not None:
                package, name = (other + ".").split(".")[:2]
                if hasattr(modules.get(package), name):
                    delattr(modules[package], name)


class Manager:
    """Keeps a node on its WiFi.

    `cfg` is section `wifi` of the settings, `device_id` a short text that names the chip, `network` the port's module,
    `clock` has `ticks_ms()` and `ticks_diff(a, b)` as module `time` of MicroPython. `on_event(event, state, reason)` is
    called after each edge, and with event "failing" when the SDK had no success but goes on. `store` has
    `load() -> bytes | None` and `save(bytes)`: 36 bytes, written only when a credential changes (default: file
    /wifi.dat). `probe(gateway, dns)` starts a look at the gateway (gateway.py).
    What a page or a button asks for stands in requests.py and is called as a method: `manager.scan()`.
    """

    cfg: dict
    state: str  # of the station in the table
    ap_state: str
    online: bool  # the station has an address; whether the broker can be reached over it, `proven` says
    proven: bool
    reason: "str | None"  # of the last failure: no_network wrong_key no_address refused lost dead
    client: bool  # somebody is on our AP
    candidate: "dict | None"
    trial: "str | None"  # outcome of the last try_network: "ok" or the reason
    calm: bool  # nothing to be done but to see that the link stays
    lean = False  # to be set by who needs the heap: the clockwork goes after each of its steps, which takes time
    sta: "Any"
    ap: "Any"
    # The rest is for the modules of this package. Times in ms.
    _clock: "Any"
    _on_event: "Any"
    _store: "Any"
    _network: "Any"
    _device_id: str
    _memory: bytes  # see memory.py
    _last: int  # ticks of the last step
    _spent: int  # in this state of the station
    _due: int  # until event "due", or for the gateway's answer
    _down: int  # without a link
    _quiet: int  # since the last client was seen
    _open: int  # so long the AP is kept open by request
    _grace: int  # so long the station may work under a client: it was asked to
    _index: int  # of the network that is or was last tried
    _fails: bytearray  # of each network, if there are several: failures in a row
    _skip: bytearray  # rounds to sit out
    _code: int  # the SDK's status
    _rises: int  # how often it turned to a failure in this attempt
    _pauses: int  # since the link was up
    _raised: int  # times that the AP came up within a day
    _failures: int  # of MQTT in a row
    _unproven: int  # since the broker was last reached over this link
    _probe_maker: "Any"
    _probe: "Any"  # the look at the gateway that is going on
    _trusted: "bool | None"  # the gateway of this network answers probes; None: not asked on this link

    def __init__(self, cfg, device_id, network, clock=None, on_event=None, *, store=None, probe=None) -> None:
        call("memory.start", self, cfg, device_id, network, clock, on_event, store, probe)

    def step(self, now: int) -> int:
        """Look at everything once. `now` is `clock.ticks_ms()`; returns the ms until the next step is wanted."""
        if not self.calm or self.sta.status() != _GOT_IP:
            return call("clockwork.step", self, now)
        passed = self._clock.ticks_diff(now, self._last)
        self._last = now
        self._spent = min(self._spent + passed, _FOREVER)
        self._unproven = min(self._unproven + passed, _FOREVER)
        return _CALM_MS

    def report_online(self, ok: bool, answered: bool = False) -> None:
        """The MQTT client's view: True when a CONNACK came, False for each failed connect and each lost connection.

        `answered`: the failure itself came over the network (refused, bad password), so the link is alive.
        """
        self.proven = ok
        self.calm = False
        self._failures += 1
        if ok or answered:
            self._failures = self._unproven = 0

    def __getattr__(self, name: str) -> "Any":
        """The requests of requests.py, loaded for one call: `manager.scan()`."""
        if name not in (
            "apply", "scan", "try_network", "start_trial", "retry", "open_ap", "info", "ap_credentials", "fire", "run",
        ):  # fmt: skip
            raise AttributeError(name)
        self.calm = False
        return lambda *args: call("requests." + name, self, *args)
