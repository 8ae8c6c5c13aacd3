"""`make doctor`: one look at everything between this PC and a running node, each with what to do if it is wrong.

The board is interrupted for it and restarted at the end; nothing is written to it but the file that keeps the node out.
"""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.text import Text

from tools import onboard
from tools.broker import BrokerError
from tools.errors import ToolError
from tools.firmware import pinned
from tools.ports import choose
from tools.provision import read_board
from tools.watcher import ANYBODY, Address, Login, parse_address, refusal
from tools.wire import Wire

ROOM = 200_000  # bytes; an update of all of ROMFS is staged on LittleFS
OWN = ("plain", "homeassistant")  # platforms whose broker lets in whoever has the name and the password
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
h=gc.mem_free()
try:
 import node
 n=getattr(node,'__file__','') or 'frozen'
except ImportError:n=''
try:m='slim node' in open('/main.py').read(80)
except OSError:m=False
print(json.dumps({'platform':sys.platform,'version':sys.version.split('; ')[-1],'rom':rom,'slim':m,'program':_l('/rom'),'node':n,
 'release':'.'.join([str(i) for i in sys.implementation[1][:3]]),'lib':_l('/lib'),'files':_l('/'),'free':s[0]*s[3],'heap':h}))
"""


class Doctor:
    """One examination. `faults` counts what is wrong."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.faults = 0
        self.odd = 0

    def _say(self, mark: tuple[str, str], text: str, advice: str = "") -> None:
        self.faults += mark is BAD
        self.odd += mark is ODD
        self._console.print(Text.assemble((mark[0] + " ", mark[1]), text), soft_wrap=True)
        for line in advice.splitlines():
            self._console.print(Text(f"    {line}", style="bold"), soft_wrap=True)

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
                    wire.leave(onboard.RESTART)
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
        wanted = pinned().version
        if found["release"] == wanted:
            self._say(GOOD, f"its MicroPython is {wanted}")
        else:
            self._say(BAD, f"its MicroPython is {found['release']}, this project is tested with {wanted}", "make flash")
        self._program(found)
        missing = [name for name in ("boot.py", "main.py", "update.py") if name not in found["files"]]
        if missing:
            self._say(BAD, f"missing on LittleFS: {', '.join(missing)}", "make deploy")
        if "staged" in found["files"]:
            self._say(ODD, "a deployment is not in place yet", "Press RST: the board finishes it.")
        if found["free"] > ROOM:
            self._say(GOOD, f"{found['free']:,} bytes are free on LittleFS")
        else:
            advice = "An update needs room: remove files (mpremote fs ls, mpremote fs rm), or make deploy WIPE=1"
            self._say(ODD, f"only {found['free']:,} bytes are free on LittleFS", advice)
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

    def _program(self, found: dict[str, Any]) -> None:
        """In ROMFS, frozen, or the slim node on LittleFS."""
        if found["node"] == "frozen" or found["node"].startswith("node/"):
            self._say(GOOD, "the program is frozen into its firmware")
        elif found["node"]:
            self._say(GOOD, f"the program is in ROMFS: {', '.join(sorted(found['program']))}")
        elif found["slim"] and "mqtt" in found["lib"]:
            self._say(GOOD, "the slim node is on LittleFS")
        elif not found["rom"]:
            self._say(BAD, "its firmware has no ROMFS partition", "make flash, or make deploy TARGET=littlefs")
        else:
            self._say(BAD, "the program is not on it", "make deploy")

    def _broker(self, cfg: dict[str, Any], wish: str) -> None:
        """From here, which says little of the way from the board. As the node logs in, where that needs no more than a name."""
        first = cfg["mqtt"]["brokers"][0] if cfg and cfg["mqtt"]["brokers"] else {}
        login = ANYBODY
        if cfg and cfg["cloud"].get("platform", "plain") in OWN:
            login = Login(
                cfg["mqtt"].get("user", ""), cfg["mqtt"].get("password", ""), not wish and bool(first.get("tls"))
            )
        try:
            if wish:
                address = parse_address(wish)
            elif first:
                address = Address(first["host"], first.get("port") or login.port)
            else:
                self._say(ODD, "no broker to look for", "BROKER=host[:port] names one.")
                return
            refused = refusal(address, login)
        except BrokerError as error:
            self._say(BAD, f"from this PC: {error}", "Is it running? Is its name right? A firewall?")
            return
        who = f"user {login.user!r}" if login.user else "a client without a user"
        if not refused:
            self._say(GOOD, f"the broker {address} can be reached from this PC, and lets in {who}")
        elif login is ANYBODY and cfg.get("cloud", {}).get("platform", "plain") not in OWN:
            self._say(GOOD, f"the broker {address} can be reached from this PC")  # only a node of the cloud gets in
        else:
            self._say(
                BAD, f"the broker {address} refuses {who}: {refused}", "make provision with its user and password"
            )


def doctor(port: str, broker: str, console: Console) -> int:
    """Examine; returns how many faults there are."""
    examination = Doctor(console)
    examination.examine(port, broker)
    found = examination.faults
    if found:
        console.print(f"{found} fault{'s' if found > 1 else ''}")
    else:
        console.print("no fault, but see what has a !" if examination.odd else "all is well")
    return found
