"""The virtual board as `make run` uses it: one access point, settings that name the broker, and how far it got."""

from __future__ import annotations

import re
from typing import Any

from tools.image import Image
from tools.vboard import Board, BoardError
from tools.vboard.board import FAILED
from tools.watcher import Address

SSID, KEY = "virtual-home", "virtual-key"
BROKER_NAME = "broker.test"  # what the node calls the broker; the board's name server knows where that is
PERIOD = 2  # s between readings
ADC_LEVEL = 512  # of 1024, at the analog input

PROMPT = ">>> "
ERROR = re.compile(r"[A-Z]\w*(Error|Exception|Interrupt|Exit)\b")  # the last line of a traceback


class BoardFailure(Exception):
    """The board cannot go on; the text is one line for the user."""


def node_settings(name: str, port: int) -> dict[str, Any]:
    """The node's settings.json: WiFi of the virtual air, broker, two sensors."""
    return {
        "device": {"name": name},
        "wifi": {"mode": "sta", "networks": [{"ssid": SSID, "key": KEY}]},
        "mqtt": {"brokers": [{"host": BROKER_NAME, "port": port}], "base_topic": f"node/{name}"},
        "sensors": [{"type": "sim"}, {"type": "adc"}],
        "telemetry": {"period": PERIOD},
    }


def fresh_settings(name: str, page: int, key: str) -> dict[str, Any]:
    """The same for a node that a person is to set up: no network, no broker; its page at this port of loopback."""
    settings = node_settings(name, 0)
    settings["device"]["web_port"] = page
    settings["wifi"] = {"ap_ssid": name, "ap_key": key, "ap_address": "127.0.0.1"}
    del settings["mqtt"]["brokers"]
    return settings


class BoardRun:
    """A board that boots `image` and finds the broker at `address`."""

    def __init__(self, image: Image, address: Address) -> None:
        self._board = Board(image, names={BROKER_NAME: (address.host, address.port)})
        self._board.air.add(SSID, KEY)
        self._board.set_adc(ADC_LEVEL)

    def start(self) -> None:
        """Power on; returns when boot.py is about to run. Raises BoardFailure."""
        try:
            self._board.power_on()
        except BoardError as error:
            raise BoardFailure(str(error).splitlines()[0].rstrip(":")) from None

    def wait_for_page(self, timeout: float) -> None:
        """Wait until the set-up page can be opened. Raises BoardFailure."""
        try:
            self._board.wait_for("page: up", timeout=timeout)
        except TimeoutError:
            raise BoardFailure("the set-up page did not come up in time") from None

    def stop(self) -> None:
        """Power off; the VM is gone afterwards."""
        self._board.close()

    def describe(self) -> str:
        """What a user may want to know of the board."""
        return f"{self._board.heap_free // 1024} KiB heap, console on {self._board.console_path}"

    def console(self, lines: int) -> list[str]:
        """The last lines of the console that are not empty."""
        return [line for line in self._board.log.splitlines() if line.strip()][-lines:]

    def check(self) -> None:
        """Raises BoardFailure if the board has given up."""
        if self._board.state == FAILED:
            raise BoardFailure("the board does not boot any more")

    def ended(self) -> str:
        """Why the node's program ended, if the console is at the REPL's prompt; else ""."""
        if not self._board.log.endswith(PROMPT):
            return ""
        lines = self._board.log.splitlines()
        return next((line for line in reversed(lines) if ERROR.match(line)), "no word from it")

    def has_wifi(self) -> bool:
        """True while the station has an address."""
        return self._board.silicon.online()[0]
