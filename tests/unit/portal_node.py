"""A stand-in for the node behind the portal, and a program that serves it: `portal_main(web_port, dns_port, scenario)`.

It keeps real settings (lib/settings) in memory and plays a trial by rules that tests know: the WiFi key "wrong-key" is
wrong, the broker "nowhere.example" is not found, the broker password "bad-password" is refused; all else works.
Runs on CPython and MicroPython.
"""

import asyncio
import sys
import time

import portal
import settings
from portal import networks

STEP = 0.1  # s for each step of a trial
SCAN = 0.3  # s for a scan

# What WLAN.scan() returns: name, BSSID, channel, signal, security, hidden.
AIR = (
    (b"Home", b"\2\0\0\0\0\1", 6, -48, 3, 0),
    (b"Home", b"\2\0\0\0\0\2", 11, -71, 3, 0),
    ("咖啡馆".encode(), b"\2\0\0\0\0\3", 1, -60, 0, 0),
    (b"Neighbour 5", b"\2\0\0\0\0\4", 1, -82, 4, 0),
    (b"", b"\2\0\0\0\0\5", 3, -50, 3, 1),
)
HOSTILE = (
    b"<script>alert(1)</script>",
    b"\"'><img src=x onerror=alert(1)>",
    b"</title><b>&amp;&lt;",
    b"\xff\xfe\x00\x01\r\nSet-Cookie: a=b",
    b"' autofocus onfocus='alert(1)",
    b"[[0]]{{7*7}}@end",
    "\u202egnp.exe".encode(),
    b"%3Cscript%3E&amp;+;=",
    b"x" * 32,
    b"\n@head\n",
)


class Node:
    """The view of portal's docstring."""

    def __init__(self, scenario: str = "fresh") -> None:
        self.settings = settings.defaults()
        self.faults = ()
        self.ap_ssid = "node-1a2b3c"
        self._broken = {"broken": ValueError("a fault of the node"), "full": MemoryError()}.get(scenario)
        self.calls: list = []
        self.errors: list = []
        self.current = self.settings  # what is in force while a candidate failed
        self._online = scenario == "online"
        self._networks = networks.digest(AIR)
        self._progress = None
        self._readings = [("room temperature", "21.4 °C"), ("room humidity", "48 %")]
        self.step = STEP
        self._task = None
        if scenario == "forty":
            self._networks = networks.digest([(b"Network %d" % i, b"", 1, -40 - i, i % 5, 0) for i in range(40)])
        elif scenario == "hostile":
            self._networks = networks.digest([(ssid, b"", 1, -50, 3, 0) for ssid in HOSTILE])
            evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
            self.patch({"device": {"name": "</title><script>x()</script>"}})
            self.patch({"mqtt": {"user": evil}, "wifi": {"networks": [{"ssid": "<u>saved</u>"}]}})
            self._readings = [(evil, evil)]
            self._progress = (portal.FAILED, (("login", portal.FAILED, evil), (evil, portal.WAITING, "")))
        elif scenario in ("web", "online"):
            self.patch({"device": {"web": True, "password": "correct horse"}})
            self.patch({"wifi": {"networks": [{"ssid": "Home", "key": "secret-wifi-key"}]}})
            self.patch({"mqtt": {"user": "me", "password": "secret-mqtt", "brokers": [{"host": "10.0.0.2"}]}})
            self.patch({"cloud": {"secret": "secret-cloud"}})

    def patch(self, changes) -> None:
        self.settings, faults = settings.patch(self.settings, changes)
        assert not faults, faults
        self.current = self.settings

    @property
    def name(self) -> str:
        if self._broken:
            raise self._broken
        return self.settings["device"].get("name") or "node-1a2b3c"

    @property
    def web_password(self) -> str:
        device = self.settings["device"]
        return device.get("password", "") if device["web"] else ""

    def ap_on(self) -> bool:
        return True

    def hosts(self):
        return ("192.168.1.23", "node-1a2b3c", "node-1a2b3c.local")

    def online(self) -> bool:
        return self._online

    def networks(self):
        return self._networks

    def rescan(self) -> None:
        self.calls.append("rescan")
        found = self._networks or networks.digest(AIR)
        self._networks = None
        self._task = asyncio.create_task(self._scan(found))

    async def _scan(self, found) -> None:
        await asyncio.sleep(SCAN)
        self._networks = found

    def status(self):
        yield "network", "Home" if self._online else "-"
        yield "address", "192.168.1.23" if self._online else "-"
        yield "signal", "-48 dBm"
        yield "broker", "connected" if self._online else "disconnected"
        yield from self._readings
        yield "uptime", 93784
        yield "version", "0.1.0"
        yield "memory", "18432 B"
        yield "reset", "power"

    def save(self, patch):
        self.calls.append("save")
        candidate, faults = settings.patch(self.settings, patch)
        if not faults:
            self._progress = (portal.TRYING, [("wifi", 0, ""), ("address", 0, ""), ("broker", 0, ""), ("login", 0, "")])
            self._task = asyncio.create_task(self._trial(candidate))
        return faults

    async def _trial(self, candidate) -> None:
        steps = self._progress[1]
        network = candidate["wifi"]["networks"]
        brokers = candidate["mqtt"]["brokers"]
        faults = ("", "", "", "")
        if network and network[0].get("key") == "wrong-key":
            faults = ("wrong_key", "", "", "")
        elif brokers and brokers[0].get("host") == "nowhere.example":
            faults = ("", "", "broker_not_found", "")
        elif candidate["mqtt"].get("password") == "bad-password":
            faults = ("", "", "", "bad_login")
        for i in range(4):
            await asyncio.sleep(self.step)
            steps[i] = (steps[i][0], portal.TRYING, "")
            await asyncio.sleep(self.step)
            steps[i] = (steps[i][0], portal.FAILED if faults[i] else portal.DONE, faults[i])
            if faults[i]:
                self._progress = (portal.FAILED, steps)
                self.settings = candidate  # what was typed is offered again
                return
        self.settings = self.current = candidate
        self._online = True
        self._progress = (portal.DONE, steps)

    def progress(self):
        return self._progress

    def room(self) -> bool:
        return True

    def told(self) -> None:
        self.calls.append("told")

    def export(self):
        return settings.redact(self.current)

    def restart(self) -> None:
        self.calls.append("restart")

    def factory_reset(self) -> None:
        self.calls.append("factory_reset")

    def fault(self, error) -> None:
        self.errors.append(error)
        if hasattr(sys, "print_exception"):
            sys.print_exception(error)
        else:
            import traceback

            traceback.print_exception(error)


def take_long(peer_of):
    """`peer_of`, which takes the loop's time until the guard of the connections is due, as on a slow chip."""

    def slow(address):
        time.sleep(0.15)
        return peer_of(address)

    return slow


async def serve(web_port: int, dns_port: int, scenario: str, ap: str = "127.0.0.1") -> None:
    """Serve the stand-in until cancelled."""
    if scenario == "slow":
        portal.net.peer_of = take_long(portal.net.peer_of)
    await portal.Portal(Node(scenario), ap, web_port, dns_port).run()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], *sys.argv[4:5]))
