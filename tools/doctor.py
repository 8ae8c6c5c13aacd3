"""`make doctor`: one look at everything between this PC and a running node, each with what to do if it is wrong.

The board is interrupted for it and restarted at the end; nothing is written to it but the file that keeps the node out.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from rich.console import Console
from rich.text import Text

from tools import onboard
from tools.errors import ToolError
from tools.ports import choose
from tools.provision import read_board
from tools.watcher import Address, parse_address
from tools.wire import Wire

CONNECT = 5.0  # s
GOOD, BAD, ODD = ("✓", "green"), ("✗", "red"), ("!", "yellow")

_LOOK = """\
import os,sys,json,gc
gc.collect()
def _l(p):
 try:return os.listdir(p)
 except OSError:return []
try:
 import vfs
 rom=len(vfs.rom_ioctl(2,0))
except AttributeError:rom=0
s=os.statvfs('/')
print(json.dumps({'platform':sys.platform,'version':sys.version.split('; ')[-1],'rom':rom,'program':_l('/rom'),
 'files':_l('/'),'free':s[0]*s[3],'heap':gc.mem_free()}))
"""


class Doctor:
    """One examination. `faults` counts what is wrong."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.faults = 0

    def _say(self, mark: tuple[str, str], text: str, advice: str = "") -> None:
        self.faults += mark is BAD
        self._console.print(Text.assemble((mark[0] + " ", mark[1]), text), soft_wrap=True)
        if advice:
            self._console.print(Text(f"    {advice}", style="bold"), soft_wrap=True)

    def examine(self, port: str, broker: str) -> None:
        """Everything, in the order in which one thing needs the other."""
        cfg: dict[str, Any] = {}
        try:
            where = choose(port, self._console)
            self._say(GOOD, f"port {where}: there, and you may use it")
            with Wire(where) as wire:
                wire.take(self._console)
                self._say(GOOD, "the board answers")
                wire.restart(onboard.STAY, self._console)
                try:
                    cfg = self._board(wire)
                finally:
                    wire.leave("import machine\nmachine.reset()")
        except ToolError as error:
            first, _, advice = str(error).partition("\n")
            self._say(BAD, first, advice)
        self._broker(cfg, broker)

    def _board(self, wire: Wire) -> dict[str, Any]:
        found = json.loads(wire.run(_LOOK))
        kind = {"esp8266": "an ESP8266", "linux": "a virtual board"}.get(found["platform"])
        if kind is None:
            self._say(BAD, f"the board is an {found['platform']}", "This program is for the ESP8266.")
        else:
            self._say(GOOD, f"it is {kind} with {found['version']}, {found['heap']:,} bytes of heap free")
        if not found["rom"]:
            self._say(BAD, "its firmware has no ROMFS partition", "make flash, or make deploy TARGET=littlefs")
        elif "node" not in found["program"]:
            self._say(BAD, "the program is not on it", "make deploy")
        else:
            self._say(GOOD, f"the program is in ROMFS: {', '.join(sorted(found['program']))}")
        missing = [name for name in ("boot.py", "main.py", "update.py") if name not in found["files"]]
        if missing:
            self._say(BAD, f"missing on LittleFS: {', '.join(missing)}", "make deploy")
        if "staged" in found["files"]:
            self._say(ODD, "a deployment is not in place yet", "Press RST: the board finishes it.")
        self._say(GOOD if found["free"] > 200_000 else ODD, f"{found['free']:,} bytes are free on LittleFS")
        try:
            cfg = read_board(wire)
        except ToolError as error:
            self._say(BAD, str(error), "make provision FRESH=1")
            return {}
        networks, brokers = len(cfg["wifi"]["networks"]), len(cfg["mqtt"]["brokers"])
        if networks:
            self._say(GOOD, f"its settings are valid: {networks} WiFi networks, {brokers} brokers")
        else:
            advice = "Join its access point with a phone, or: make provision"
            self._say(ODD, "its settings name no WiFi network", advice)
        return cfg

    def _broker(self, cfg: dict[str, Any], wish: str) -> None:
        """From here, which says little of the way from the board."""
        address = parse_address(wish) if wish else None
        if address is None and cfg and cfg["mqtt"]["brokers"]:
            first = cfg["mqtt"]["brokers"][0]
            address = Address(first["host"], first.get("port", 8883 if first.get("tls") else 1883))
        if address is None:
            self._say(ODD, "no broker to look for", "BROKER=host[:port] names one.")
            return
        try:
            socket.create_connection((address.host, address.port), CONNECT).close()
            self._say(GOOD, f"the broker {address} can be reached from this PC")
        except OSError as error:
            reason = error.strerror or str(error)
            self._say(
                BAD, f"the broker {address} cannot be reached from this PC: {reason}", "Is it running? A firewall?"
            )


def doctor(port: str, broker: str, console: Console) -> int:
    """Examine; returns how many faults there are."""
    examination = Doctor(console)
    examination.examine(port, broker)
    found = examination.faults
    console.print("all is well" if not found else f"{found} fault{'s' if found > 1 else ''}")
    return found
