"""The node as the portal sees it (the view of lib/portal), and the trial of new settings. Loaded while the portal is up.

A trial changes nothing until it has succeeded:

    wifi -> address   the network, if it is a new one, is joined while the old settings stay (wifi.try_network)
    broker -> login   a connection of its own to the broker with the new identity, ended at once
    save              the settings are stored; WiFi and MQTT go on with them, everything else with a restart
"""

import asyncio
import gc
import sys

import machine
import portal
import settings
from micropython import const
from portal import networks

from . import VERSION, call
from .log import ERROR, INFO, WARNING

_ANSWER_MS = const(1500)  # for the page's answer to leave before the radio changes its channel
_LOGIN_S = const(10)
_SCAN_FRESH_MS = const(500)

_STEPS = ("wifi", "address", "broker", "login", "save")
_RESETS = ("power", "watchdog", "crash", "watchdog", "soft", "deepsleep", "hard")  # by the SDK's reset cause

_WIFI_REASONS = ("no_network", "wrong_key", "no_address")
_LIVE = ("wifi", "mqtt", "cloud")  # sections that a running node can take over without a restart


class View:
    """What portal.Portal asks for; see its docstring for each name."""

    def __init__(self, node):
        self._node = node
        self._current = settings.load("/")[0]  # all of them; the node itself keeps what it uses
        self._scan: "list | None" = None
        self._task: "asyncio.Task | None" = None
        self._candidate: "dict | None" = None
        self._state = portal.WAITING
        self._steps: list = []
        self._wanted = True  # a scan
        self._restart_at = False
        self._erase = False

    @property
    def name(self) -> str:
        return self._node.name

    @property
    def ap_ssid(self) -> str:
        return self._node.wifi.ap_credentials()[0]

    @property
    def web_password(self) -> str:
        device = self._node.cfg["device"]
        return device.get("password") or "" if device.get("web") else ""

    @property
    def settings(self) -> dict:
        return self._candidate or self._current

    def hosts(self) -> tuple:
        wifi = self._node.wifi
        hostname = self._node.cfg["wifi"].get("hostname")
        found = (wifi.sta.ifconfig()[0],)
        return found + (hostname.lower(), hostname.lower() + ".local") if hostname else found

    def online(self) -> bool:
        link = self._node.link
        return bool(link and link.client.connected) and self._state != portal.TRYING

    def networks(self) -> "list | None":
        return None if self._wanted else self._scan

    def rescan(self) -> None:
        self._wanted = True

    def status(self) -> list:
        node = self._node
        info = node.wifi.info()
        client = node.link.client if node.link else None
        rows = [
            ("network", _shown(info["ssid"])),
            ("address", info["address"] or "-"),
            ("signal", "%d dBm" % info["rssi"] if info["rssi"] else "-"),
            (
                "broker",
                "-" if client is None else "connected" if client.connected else node.link.said or "disconnected",
            ),
            ("uptime", node.uptime()),
            ("version", VERSION),
            ("memory", gc.mem_free()),
            ("reset", _RESETS[machine.reset_cause()] if machine.reset_cause() < len(_RESETS) else "crash"),
        ]
        for name, value, unit, _ in node.latest:
            rows.append((name, "%s %s" % (value, unit) if unit else str(value)))
        return rows

    def save(self, patch: dict) -> list:
        merged, faults = settings.patch(self._current, patch)
        settings.release()
        if not faults:
            self._candidate = merged
            self._state = portal.TRYING
            self._steps = [[name, portal.WAITING, ""] for name in _STEPS]
            self._task = asyncio.create_task(self._try(merged))
        return faults

    def progress(self) -> "tuple | None":
        return (self._state, self._steps) if self._steps else None

    def export(self) -> dict:
        return settings.redact(self._current)

    def restart(self) -> None:
        self._restart_at = True

    def factory_reset(self) -> None:
        self._erase = self._restart_at = True

    def fault(self, error: Exception) -> None:
        self._node.log(ERROR, "portal: %s: %s" % (type(error).__name__, error))

    # --- what the view does by itself

    async def run(self) -> None:
        """Scans that were asked for, and the end that was asked for."""
        node = self._node
        while True:
            await asyncio.sleep_ms(_SCAN_FRESH_MS)
            if self._wanted and self._state != portal.TRYING:
                try:
                    self._scan = networks.digest(node.wifi.scan())
                except OSError:
                    continue  # busy: at the next turn
                self._wanted = False
            if self._restart_at:
                await asyncio.sleep_ms(_ANSWER_MS)
                if self._erase:
                    settings.reset("/")
                    node.log(WARNING, "factory reset")
                await node.stop()
                machine.reset()

    async def _try(self, new: dict) -> None:
        await asyncio.sleep_ms(_ANSWER_MS)
        try:
            reason = await self._tried(new)
        except Exception as e:  # noqa: BLE001  (whatever it is: it ends the trial, and the page says so)
            self.fault(e)
            reason = "%s: %s" % (type(e).__name__, e)
        if not reason:
            return
        for step in self._steps:
            if step[1] == portal.TRYING:
                step[1] = portal.FAILED
                step[2] = reason
        self._state = portal.FAILED
        self._node.log(WARNING, "new settings: %s" % reason)
        if self._node.wifi.state == "trial":
            self._node.wifi.fire("drop")
        self._node.trial = False

    def _begin(self, name: str) -> None:
        """Step `name` is being tried; those before it are done."""
        for step in self._steps:
            if step[0] == name:
                step[1] = portal.TRYING
                return
            step[1] = portal.DONE

    async def _tried(self, new: dict) -> str:
        """Try the new settings and take them over; returns "" or why not."""
        node = self._node
        self._begin("wifi")
        node.trial = True
        await call("connect.offline", node, True)
        network = _new_network(new, node.cfg, node.wifi)
        if network is not None:
            ok, reason = await node.wifi.try_network(network)
            if not ok:
                if reason == "no_address":
                    self._begin("address")
                return reason if reason in _WIFI_REASONS else "wifi_failed"
        if not node.wifi.online:
            return "wifi_failed"
        self._begin("broker")
        reason = await call("login.login", node, new, self._begin, _LOGIN_S)
        if reason:
            return reason
        self._begin("save")
        old = self._current
        settings.save(new, "/")
        self._current = new
        settings.release()
        node.cfg = {name: new[name] for name in node.cfg}
        node.wifi.apply(new["wifi"])
        node.name = new["device"].get("name") or node.id
        node.mute = node.trial = False
        self._begin("")
        self._state = portal.DONE
        self._candidate = None
        node.log(INFO, "new settings are in use")
        for section, values in new.items():
            if section not in _LIVE and values != old.get(section):
                node.log(INFO, "%s: changed, restarting in a minute" % section)
                await asyncio.sleep(60)
                self._restart_at = True
                break
        return ""


def _new_network(new: dict, old: dict, wifi) -> "dict | None":
    """The network to be tried: one that is new or changed, else the first where none is joined."""
    for network in new["wifi"]["networks"]:
        if network not in old["wifi"]["networks"]:
            return network
    networks = new["wifi"]["networks"]
    return None if wifi.online or not networks else networks[0]


async def serve(node) -> None:
    """The portal on this node, until cancelled."""
    view = View(node)
    helper = asyncio.create_task(view.run())
    wifi = node.cfg["wifi"]
    try:
        await portal.Portal(
            view, wifi.get("ap_address") or "192.168.4.1", node.cfg["device"].get("web_port") or 80
        ).run()
    finally:
        helper.cancel()
        for name in list(sys.modules):
            if name == "portal" or name.startswith("portal.") or name == "node.setup":
                del sys.modules[name]


def _shown(ssid: bytes) -> str:
    return ssid.decode() if networks.readable(ssid) else "".join(chr(c) if 32 <= c < 127 else "?" for c in ssid)
