"""A node's WiFi in an air of its own, with a clock that runs as fast as the test wants. For test_wifi_*.py."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0] + "/../../tools/vboard" if "/" in __file__ else "../../tools/vboard")

from radio import Air, Network, Radio, Store
from wifi import Manager

HOME, KEY = "home", "correct horse"
PHONE = b"\x0a\x0b\x0c\x0d\x0e\x0f"


def settings(*networks, mode="auto", **more):
    """Section wifi with these networks: an SSID, or (ssid, key), or a dict."""
    entries = []
    for n in networks:
        if isinstance(n, dict):
            entries.append(n)
        else:
            entries.append({"ssid": n[0], "key": n[1]} if isinstance(n, tuple) else {"ssid": n, "key": KEY})
    cfg = {"mode": mode, "networks": entries, "hostname": "porch", "fallback_after": 180, "ap_channel": 6}
    cfg.update(more)
    return cfg


class Clock:
    """`ticks_ms` that wrap as on the chip, over a time that doesn't."""

    def __init__(self):
        self.now = 5000

    def ms(self):
        return self.now

    def ticks_ms(self):
        return (self.now + 0x3FFF0000) & 0x3FFFFFFF

    def ticks_diff(self, a, b):
        return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000


class Memory:
    def __init__(self):
        self.data = None
        self.saves = 0

    def load(self):
        return self.data

    def save(self, data):
        self.data = bytes(data)
        self.saves += 1


class World:
    """One node; `home` is its router."""

    def __init__(self, cfg=None, router=True, seed=1):
        self.clock = Clock()
        self.air = Air(seed)
        self.flash = Store()
        self.memory = Memory()
        self.home = self.air.add(HOME, KEY) if router else None
        self.gateway_answers = True
        self.probes = 0
        self.log = []  # the last (seconds, event, state, reason)
        self.edges = {}  # (state before, event): how often
        self.radio = None
        self.boot(settings(HOME) if cfg is None else cfg)

    def boot(self, cfg=None):
        """Power on, or reset."""
        if cfg is not None:
            self.cfg = cfg
        if self.radio:
            self.radio.close()
        self.radio = Radio(self.air, self.clock.ms, self.flash, sleep=self._sleep)
        self.node = None
        self.node = Manager(
            self.cfg, "c0ffee123456", Network(self.radio), self.clock, self._event, store=self.memory, probe=self._probe
        )
        self._before = [self.node.state, self.node.ap_state]

    def _sleep(self, ms):
        self.clock.now += ms

    def _event(self, event, state, reason):
        region = 1 if state.startswith("ap_") else 0
        edge = (self._before[region], event)
        self.edges[edge] = self.edges.get(edge, 0) + 1
        self._before[region] = state
        self.log = self.log[-20:]
        self.log.append((self.clock.now // 1000, event, state, reason))

    def _probe(self, gateway, dns):
        self.probes += 1
        return Probe(self)

    def run(self, seconds, until=None, coarse=0):
        """Let time pass, until `until()` is true; `coarse`: ms at least between steps. Returns the seconds passed."""
        start = self.clock.now
        while self.clock.now - start < seconds * 1000 and not (until and until()):
            self.clock.now += max(self.node.step(self.clock.ticks_ms()), coarse)
        return (self.clock.now - start) / 1000

    def until_online(self, seconds=60):
        took = self.run(seconds, lambda: self.node.online)
        assert self.node.online, self.log[-10:]
        return took

    def router(self, up):
        self.air.change(self.home, up=up)

    def reboot_router(self, seconds=60):
        self.router(False)
        self.run(seconds)
        self.router(True)

    def phone_joins(self):
        """A phone on our AP: it tries until it is on."""
        ssid, key = self.node.ap_credentials()
        self.run(60, lambda: self.radio.join(PHONE, ssid, key))
        assert PHONE in [s.mac for s in self.radio.joined()]
        self.run(1)

    def phone_leaves(self):
        self.radio.leave(PHONE)

    @property
    def writes(self):
        return self.flash.written


class Probe:
    def __init__(self, world):
        self.world = world
        self.closed = False

    def poll(self):
        point = self.world.radio.point
        return self.world.gateway_answers and point is not None and point.up

    def close(self):
        self.closed = True
