"""Serial ports: which of them may have a board, and which one the user means."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.prompt import IntPrompt
from serial.tools import list_ports

from tools.errors import ToolError

# USB vendor and product of the bridges that ESP8266 boards have, and what they are called
BRIDGES = {
    (0x10C4, 0xEA60): "CP2102 (NodeMCU)",
    (0x1A86, 0x7523): "CH340 (D1 mini, NodeMCU v3)",
    (0x1A86, 0x55D4): "CH9102",
    (0x0403, 0x6001): "FT232",
    (0x0403, 0x6015): "FT231X",
    (0x067B, 0x2303): "PL2303",
}
GROUP_HELP = "sudo usermod -aG dialout $USER, then log in again (Arch: group uucp)"
# Linux makes a port with these modules; brltty (for Braille displays) takes the CH340's away on some Ubuntu releases
MODULES = {0x10C4: "cp210x", 0x1A86: "ch341", 0x0403: "ftdi_sio", 0x067B: "pl2303"}
USB_DEVICES = Path("/sys/bus/usb/devices")
NONE_HELP = (
    "no board found: no USB serial port is there. Is the board plugged in? Does the cable carry data (many only charge)?\n"
    "Windows and macOS may need the driver of the board's CP2102 or CH340. With an adapter of your own: PORT=/dev/..."
)


@dataclass(frozen=True)
class Port:
    """A USB serial port. board: what bridge it is, "" if it is none that boards have."""

    device: str
    board: str
    serial: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.device, self.board or "unknown USB serial device", self.serial) if part)


def ports() -> list[Port]:
    """All USB serial ports, those with a bridge that boards have first."""
    found = [
        Port(p.device, BRIDGES.get((p.vid, p.pid), ""), p.serial_number or "")
        for p in list_ports.comports()  # type: ignore[attr-defined,no-untyped-call]
        if p.vid is not None
    ]
    return sorted(found, key=lambda p: (not p.board, p.device))


def without_driver(devices: Path = USB_DEVICES) -> list[str]:
    """Boards that are plugged in although there is no port for them, with what to do. Linux only; else empty."""
    found = []
    for folder in sorted(devices.glob("*")):
        try:
            vendor, product = (int((folder / name).read_text(), 16) for name in ("idVendor", "idProduct"))
        except (OSError, ValueError):
            continue  # a hub's interface, or gone in this moment
        name = BRIDGES.get((vendor, product))
        if name and not any(folder.glob("*/tty*")):
            found.append(
                f"a {name} is plugged in, but there is no port for it: sudo modprobe {MODULES[vendor]}"
                + ("; on Ubuntu: sudo apt remove brltty, then plug it in again" if vendor == 0x1A86 else "")
            )
    return found


def none_there() -> ToolError:
    """What to say when there is no port."""
    return ToolError(
        "\n".join(["no board found: a driver is missing", *missing]) if (missing := without_driver()) else NONE_HELP
    )


def choose(wish: str, console: Console) -> str:
    """The port to use: `wish`, or the only board, or the user's choice. Raises ToolError, also if it may not be used."""
    if wish:
        check(wish)
        return wish
    found = ports()
    found = [p for p in found if p.board] or found
    if not found:
        raise none_there()
    if len(found) > 1:
        return _ask(found, console)
    console.print(f"using {found[0]}", soft_wrap=True)
    check(found[0].device)
    return found[0].device


def _ask(found: list[Port], console: Console) -> str:
    listing = "\n".join(f"  {number}  {port}" for number, port in enumerate(found, 1))
    if not sys.stdin.isatty():
        raise ToolError(f"there are several boards; say which one with PORT=\n{listing}")
    console.print(f"there are several boards:\n{listing}", soft_wrap=True)
    number = IntPrompt.ask("which one", console=console, choices=[str(n) for n in range(1, len(found) + 1)])
    check(found[number - 1].device)
    return found[number - 1].device


def check(device: str) -> None:
    """Raises ToolError if the port is missing or may not be used."""
    if os.name != "posix" or "://" in device:
        return
    if not os.path.exists(device):
        there = ", ".join(p.device for p in ports()) or "none"
        raise ToolError(f"there is no port {device}; USB serial ports that are there: {there}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise ToolError(f"you may not use {device}. On Linux: {GROUP_HELP}")


def show(console: Console) -> None:
    """The command: list them. Raises ToolError if there is none."""
    found = ports()
    if not found:
        raise none_there()
    for port in found:
        console.print(str(port), soft_wrap=True)
