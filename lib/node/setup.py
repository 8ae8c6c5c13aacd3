"""The node as the portal sees it. Loaded while the portal is up; what it does on request is in view.py."""

import asyncio
import sys

import machine
import portal
from micropython import const

from . import call
from .log import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .node import Node

_LOOK_MS = const(500)
_LEFT = const(120)  # looks without a visitor, 60 s: then the node goes back to its work
_SOON_MS = const(50)
_ANSWER_LOOKS = const(4)  # before a restart, for the page's answer to leave, once nobody is connected


class View:
    """What portal.Portal asks for; see its docstring for each name."""

    def __init__(self, node: "Node"):
        device = node.cfg["device"]
        self.node = node
        self.name = node.name
        self.ap_ssid = node.wifi.ap_credentials()[0]
        self.web_password = device.get("password") or "" if device.get("web") else ""
        self.held = call("pending.read")  # of new settings that are not in use
        self.held.pop("patch", None)
        self.faults = self.held.get("faults") or ()
        self.scan: "list | None" = None
        self.wanted = True  # a scan
        self.ending = self.held.get("state") == "new"  # restart soon; the page before this one may have been cut off
        self.erase = False

    def networks(self) -> "list | None":
        """See lib/portal."""
        return None if self.wanted else self.scan

    def ap_on(self) -> bool:
        """See lib/portal."""
        return self.node.wifi.ap_state == "ap_on"

    def room(self) -> bool:
        """See lib/portal: a page needs the heap that MQTT has."""
        return self.node.link is None

    def fault(self, error: Exception) -> None:
        """See lib/portal."""
        self.node.log(ERROR, "portal: %s: %s" % (type(error).__name__, error))

    def __getattr__(self, name: str) -> "Any":
        """The functions of view.py, loaded for one call."""
        if name == "settings":
            return call("view.settings_now", self)
        if name not in (
            "hosts",
            "online",
            "status",
            "save",
            "progress",
            "told",
            "rescan",
            "export",
            "restart",
            "factory_reset",
        ):
            raise AttributeError(name)
        return lambda *args: call("view." + name, self, *args)


async def _work(view: View, box: portal.Portal) -> None:
    """Scans that were asked for, and the end that was asked for."""
    node = view.node
    quiet = idle = 0
    while box.slots is None:
        await asyncio.sleep_ms(_SOON_MS)
    if view.ap_on():
        print(
            "page: join %s, key %s" % (view.ap_ssid, node.wifi.ap_credentials()[1] or "none")
        )  # here only: no log has it
    node.log(INFO, "page: up on port %d" % box.port)
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        idle = 0 if box.seen else idle + 1
        box.seen = False
        if idle > _LEFT and node.mute == "page":
            call("ending.restart", node, "the page was left")
        if view.ending:
            quiet = 0 if box.busy() else quiet + 1
            if quiet < _ANSWER_LOOKS:
                continue
            if view.erase:
                node.log(WARNING, "factory reset")
                await node.stop()
                call("ending.erase", node)
            await node.stop()
            machine.reset()
        if view.wanted and not (node.attempt or box.busy()):
            try:
                view.scan = call("view.look", view)
            except OSError:
                continue  # busy: at the next turn
            view.wanted = False


async def serve(node: "Node") -> None:
    """The portal on this node, until cancelled."""
    cfg = node.cfg
    view = View(node)
    box = portal.Portal(view, cfg["wifi"].get("ap_address") or "192.168.4.1", cfg["device"].get("web_port") or 80)
    work = asyncio.create_task(_work(view, box))
    try:
        await box.run()
    finally:
        work.cancel()
        for name in list(sys.modules):
            if name == "portal" or name.startswith("portal.") or name == "node.setup":
                del sys.modules[name]
