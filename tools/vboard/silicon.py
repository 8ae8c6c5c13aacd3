"""Host side of the silicon: RTC memory, clock, pins, ADC, watchdog and radio, and the RPC by which the VM reaches them.

The stand-ins in device/ send one JSON line a call (device/vb_rpc.py has the format). What survives which kind of
restart is decided here: `reset` clears what a reset clears, a power cut makes a new `Silicon`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from . import radio as radio_module
from .clock import Clock

RTC_MEMORY = 492  # bytes; machine.RTC().memory()
EPOCH_2000 = 946684800  # Unix time of the chip's epoch
WDT_TIMEOUT = 3.2  # s; the port's watchdog bites after 1.6 to 3.2 s without food

# Reset causes of the SDK, user_interface.h: enum rst_reason.
POWER_ON, HW_WDT, EXCEPTION, SOFT_WDT, SOFT_RESTART, DEEP_SLEEP_AWAKE, EXT_RESET = range(7)


class NoAnswer(Exception):
    """The call ends the VM's run: it gets no answer, as code after machine.reset() never runs."""


class SharedAir(radio_module.Air):
    """The air, for threads: a test changes it while the node's calls go on."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.lock = threading.RLock()

    def add(self, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return super().add(*args, **kwargs)

    def remove(self, point: Any) -> None:
        with self.lock:
            super().remove(point)

    def change(self, point: Any, **fields: Any) -> None:
        with self.lock:
            super().change(point, **fields)


class Pins:
    """GPIO levels. `outside` is what the circuit around the chip puts on a pin, `driven` what the chip does."""

    def __init__(self) -> None:
        self.mode: dict[int, int] = {}
        self.pull: dict[int, int] = {}
        self.driven: dict[int, int] = {}
        self.outside: dict[int, int] = {}

    def reset(self) -> None:
        self.mode.clear()
        self.pull.clear()
        self.driven.clear()

    def setup(self, pin: int, mode: int, pull: int, value: int | None) -> None:
        if mode != -1:
            self.mode[pin] = mode
        if pull is not None and pull != -1:
            self.pull[pin] = pull
        if value is not None:
            self.drive(pin, value)

    def drive(self, pin: int, value: int) -> None:
        self.driven[pin] = 1 if value else 0

    def level(self, pin: int) -> int:
        """What a reading of the pin gives: driven if it is an output, else the outside, else the pull-up."""
        if self.mode.get(pin) == 1:
            return self.driven.get(pin, 0)
        return self.outside.get(pin, self.pull.get(pin, 0))


class Silicon:
    """Everything on the chip but the CPU, since the last power on."""

    def __init__(self, air: SharedAir, store: radio_module.Store, speed: float, clock: Clock) -> None:
        self.air = air
        self.store = store
        self.speed = speed
        self.clock = clock
        self.rtc_memory = b""
        self._written = b""  # of a new content that is still coming
        self.clock_offset = -int(clock.unix())  # the chip's time() is Unix time plus this; 0 at power on
        self._owed = 0.0
        self.reset_cause = POWER_ON
        self.pins = Pins()
        self.adc: dict[int, int] = {0: 0, 1: 3300}
        self.frequency = 80_000_000
        self.wdt_deadline: float | None = None
        self.targets: dict[str, Any] = {}
        self._start_radio()

    def _start_radio(self) -> None:
        def sleep(ms: int) -> None:  # a scan takes its time; the air goes on meanwhile
            self.air.lock.release()
            self.clock.sleep(ms / 1000 / self.speed)
            self.air.lock.acquire()

        with self.air.lock:
            clock = lambda: int(self.clock.now() * 1000 * self.speed)  # noqa: E731
            self.radio = radio_module.Radio(self.air, clock, self.store, sleep)
            self.network = radio_module.Network(self.radio)
            self.wlans = {"sta": self.radio.wlan(0), "ap": self.radio.wlan(1)}

    def reset(self, cause: int) -> None:
        """What any reset of the chip does, deep sleep's wake included. RTC memory and clock stay."""
        self.reset_cause = cause
        self.wdt_deadline = None
        self.pins.reset()
        self.frequency = 80_000_000
        with self.air.lock:
            self.radio.close()
        self._start_radio()

    def overslept(self, seconds: float) -> None:
        """Deep sleep took longer than asked for; the port adds to its clock what was asked for."""
        self._owed += seconds
        whole = int(self._owed)
        self._owed -= whole
        self.clock_offset -= whole

    def close(self) -> None:
        with self.air.lock:
            self.radio.close()

    def online(self) -> tuple[bool, bool]:
        """(the station has an address, the access point is really there)."""
        with self.air.lock:
            up = self.radio.status() == radio_module.GOT_IP
            point = self.radio.point
            return up, up and point is not None and point.up

    def own_addresses(self) -> set[str]:
        with self.air.lock:
            return {self.radio.address()[0], self.radio.ap_address[0]}

    def call(self, target: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """One call from the VM. Raises what the chip would raise."""
        if target in ("sta", "ap", "network"):
            holder = self.network if target == "network" else self.wlans[target]
            with self.air.lock:
                return getattr(holder, name)(*args, **kwargs)
        if target == "pins":
            return getattr(self.pins, name)(*args)
        if target == "adc":
            if args[0] not in self.adc:
                raise ValueError("invalid ADC")
            return self.adc[args[0]]
        if target == "rtc":
            return self._rtc(name, args)
        if target == "wdt":
            self.wdt_deadline = self.clock.now() + WDT_TIMEOUT
            return None
        return getattr(self.targets[target], name)(*args, **kwargs)

    def _rtc(self, name: str, args: list[Any]) -> Any:
        if name == "offset":
            return self.clock_offset
        if name == "set_offset":
            self.clock_offset = args[0]
        elif name == "size":
            return len(self.rtc_memory)
        elif name == "read":
            return self.rtc_memory[args[0] : args[0] + args[1]]
        elif name == "clear":
            self._written = b""
        elif name == "append":
            self._written += args[0]
        elif name == "commit":
            self.rtc_memory = self._written[:RTC_MEMORY]
        return None


def pack(value: Any) -> Any:
    """For the VM: JSON has no bytes and no tuples."""
    if isinstance(value, (bytes, bytearray)):
        return {"b": value.hex()}
    if isinstance(value, tuple):
        return {"t": [pack(v) for v in value]}
    if isinstance(value, list):
        return [pack(v) for v in value]
    return value


def unpack(value: Any) -> Any:
    """From the VM: JSON has no bytes."""
    if isinstance(value, dict) and "b" in value:
        return bytes.fromhex(value["b"])
    if isinstance(value, list):
        return [unpack(v) for v in value]
    return value


CHIP_ERRORS = (OSError, ValueError, TypeError, AttributeError, KeyError)


def serve(channel: socket.socket, call: Callable[[str, str, list[Any], dict[str, Any]], Any]) -> None:
    """Answer the VM's calls until it ends. Runs in a thread of its own, one a VM."""
    with channel, channel.makefile("rb") as lines:
        try:
            for line in lines:
                number, target, name, args, kwargs = json.loads(line)
                try:
                    answer = [number, pack(call(target, name, unpack(args), {k: unpack(v) for k, v in kwargs.items()}))]
                except NoAnswer:
                    continue
                except CHIP_ERRORS as error:
                    answer = [number, type(error).__name__, [a for a in error.args if isinstance(a, (int, str))]]
                if number:
                    channel.sendall(json.dumps(answer).encode() + b"\n")
        except (ConnectionError, ValueError):  # killed in the middle of a line
            return
