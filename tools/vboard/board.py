"""The virtual board: power, reset, sleep, console, silicon and link around one VM at a time.

    with Board(image, names={"broker.local": ("127.0.0.1", 1883)}) as board:
        board.air.add("home", "secret")
        board.power_on()
        board.wait_for("connected", timeout=30)

All methods may be called from any thread; the work is done in the board's own (so that a VM dies with the board).
"""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tools import image as image_module

from . import radio, silicon
from .clock import Clock
from .console import Console
from .link import Link
from .process import VM
from .registers import Registers, Resolver

HEAP = 76 * 1024  # bytes; 38 KiB of the chip, where every object is half the size
HEAP_FREE = 75_808  # bytes; gc.mem_free() of a fresh VM with that heap
ROM_TABLES = 1.02  # the allocator's tables for what the ROMFS partition takes
STANDIN_ROOM = 96 * 1024  # bytes; for the stand-ins. What they leave is occupied (device/start.py).
MAX_FAILED_BOOTS = 3
JOB_TIMEOUT = 20  # s
DNS_TIMEOUT = 5.0  # s that a name server's silence blocks the node

OFF, ON, ASLEEP, FAILED = "off", "on", "asleep", "failed"


class BoardError(Exception):
    """The board cannot do that; the text says why."""


class Board:
    """A board with `image` in its flash (a path or a built `Image`; the file is written to as the node runs).

    names: host name or address -> (host, port) of the real server, for the node's connections; a port of None keeps
    the node's. Other addresses are reached as they are, other names are unknown to the virtual name server.
    services: host name -> function that answers a UDP datagram (None: no answer), for NTP.
    speed: how much faster than real the radio is and deep sleep passes. warp: let the time pass that the node waits
    (clock.py; events of the simulation: `board.clock.at`). heap_free: what the node finds free.
    """

    def __init__(
        self,
        image: image_module.Image | Path,
        *,
        names: Mapping[str, tuple[str, int | None]] | None = None,
        services: Mapping[str, Callable[[bytes], bytes | None]] | None = None,
        speed: float = 1.0,
        warp: bool = False,
        heap_free: int = HEAP_FREE,
        chip_id: bytes = b"\x12\x34\x56",
        dns_timeout: float = DNS_TIMEOUT,
    ) -> None:
        self.flash = (image.path if isinstance(image, image_module.Image) else Path(image)).resolve()
        self.names = dict(names or {})
        self.services = dict(services or {})
        self.targets: dict[str, Any] = {}  # more for the VM's vb_rpc.call(target, method, ...): parts of a test
        self.clock = Clock(warp)
        self.sleep_error = 0.0  # deep sleep lasts longer by that share: the RTC's oscillator is a poor one
        self.speed = speed
        self.heap_free = heap_free
        self.dns_timeout = dns_timeout
        self.air = silicon.SharedAir()
        self.store = radio.Store(chip_id)  # the SDK's own flash sectors: they outlive a power cut
        self.link = Link()
        self.console = Console()
        self.silicon = self._new_silicon()
        self.boots = 0  # VMs started, soft resets included
        self.awake_seconds = 0.0  # of the board's clock, in all cycles that ended in deep sleep
        self.resets: list[int] = []  # causes of all starts but soft resets
        self.heap_report: dict[str, int] = {}
        self.boot_seconds = 0.0  # of the last boot: from process start to boot.py
        self._state = OFF
        self._vm: VM | None = None
        self._wake_at = 0.0
        self.cut = 0
        self._failed_boots = 0
        self._knock_ms = 0  # between two SIGALRMs for the VM's timers; 0: it has none
        self._knock_at = 0.0
        self._woke = 0.0
        self._spawned = 0.0
        self._booted = False
        self._connecting = threading.Lock()
        self._changed = threading.Condition()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_w, False)
        self._closing = False
        self._thread = threading.Thread(target=self._main, name="vboard", daemon=True)
        self._thread.start()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what a person does to a board

    def power_on(self, *, cut_after: int = 0, timeout: float = 20) -> None:
        """Give it power; returns when boot.py is about to run. `cut_after`: power fails in the nth flash write."""

        def start() -> None:
            if self._state in (OFF, FAILED):
                self.silicon = self._new_silicon()
                self.cut, self._failed_boots = cut_after, 0
                self.resets.append(silicon.POWER_ON)
                self._spawn()

        boots = self.boots
        self._do(start)
        with self._changed:
            self._changed.wait_for(lambda: (self.boots > boots and self._booted) or self._state == FAILED, timeout)
            if self._state == FAILED or not self._booted:
                raise BoardError(f"the board does not boot; its console:\n{self.log[-2000:]}")

    def power_off(self) -> None:
        """Cut the power: the VM is gone in the middle of whatever it did. Returns when it is."""
        self._do(self._power_off)

    def reset(self, cause: int = silicon.EXT_RESET) -> None:
        """The reset button."""
        self._do(lambda: self._reset(cause))

    def close(self) -> None:
        """Power off and give everything back. Leaves the flash image."""
        if self._closing:
            return
        self._closing = True
        self._nudge()
        self._thread.join()
        self.link.close()
        os.close(self._wake_r)
        os.close(self._wake_w)
        os.close(self.console.master)

    # -- what a person sees

    @property
    def console_path(self) -> str:
        """The serial port: for mpremote, ampy and terminal programs."""
        return self.console.path

    @property
    def log(self) -> str:
        """The console's output so far (the last 256 KiB)."""
        return self.console.log

    @property
    def state(self) -> str:
        """OFF, ON, ASLEEP (deep sleep) or FAILED (several starts in a row ended before boot.py)."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The VM's process, if there is one."""
        vm = self._vm
        return vm.pid if vm else None

    def mark(self) -> int:
        """The present end of the log, for `wait_for(..., since=)`."""
        return self.console.mark()

    def wait_for(self, text: str, timeout: float = 20, since: int = 0) -> str:
        """Wait for `text` on the console, after `since`. Returns the log from there; raises TimeoutError."""
        return self.console.wait_for(text, timeout, since)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 20) -> None:
        """Wait until `condition()` of the board holds; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not within {timeout} s; state {self._state}; console:\n{self.log[-2000:]}")
                self._changed.wait(0.02)

    def type(self, text: str | bytes) -> None:
        """Type on the console."""
        data = text.encode() if isinstance(text, str) else text
        self._do(lambda: self.console.type(data))

    # -- the circuit around the chip

    def set_adc(self, value: int, channel: int = 0) -> None:
        """What ADC(0) reads: 0..1024 for 0..1 V at the chip's pin."""
        self.silicon.adc[channel] = value

    def set_pin(self, pin: int, level: int | None) -> None:
        """Put a level on a pin from outside; None: let go."""
        if level is None:
            self.silicon.pins.outside.pop(pin, None)
        else:
            self.silicon.pins.outside[pin] = level

    def pin(self, pin: int) -> int:
        """The level of a pin."""
        return self.silicon.pins.level(pin)

    def listening_port(self, port: int) -> int:
        """The real port, on 127.0.0.1, behind a `port` that the node listens on."""
        return self.link.inbound(port)

    # -- inside

    def _new_silicon(self) -> silicon.Silicon:
        old = getattr(self, "silicon", None)
        made = silicon.Silicon(self.air, self.store, self.speed, self.clock)
        if old is not None:
            old.close()
            made.pins.outside, made.adc = old.pins.outside, old.adc
        made.targets = {"board": Registers(self), "link": Resolver(self), **self.targets}
        return made

    def _do(self, job: Callable[[], None]) -> None:
        """Have the board's thread do it, and wait until it has. What it raises is raised here."""
        if self._closing:
            raise BoardError("the board is closed")
        done: Future[None] = Future()

        def run() -> None:
            try:
                job()
                done.set_result(None)
            except (OSError, BoardError) as error:
                done.set_exception(error)

        self._post(run)
        done.result(JOB_TIMEOUT)

    def _post(self, job: Callable[[], None]) -> None:
        """Have the board's thread do it."""
        self._jobs.put(job)
        self._nudge()

    def _nudge(self) -> None:
        if self._closing and not self._thread.is_alive():
            return
        try:
            os.write(self._wake_w, b"x")
        except BlockingIOError:  # nudged enough
            pass

    # -- for the VM's calls (registers.py)

    def booted(self) -> None:
        """boot.py is about to run."""
        self.boot_seconds = time.monotonic() - self._spawned
        self.console.booted()
        with self._changed:
            self._booted = True
            self._changed.notify_all()

    def soft_restart(self) -> None:
        """machine.reset()."""
        self._post(lambda: self._reset(silicon.SOFT_RESTART))

    def connect_link(self) -> tuple[bool, bool]:
        """Let the link know whether the radio has one: (the station has an address, the access point is really there)."""
        with self._connecting:
            up, real = self.silicon.online()
            self.link.station(up and self._state == ON, real)
        return up, real

    def knock(self, ms: int) -> None:
        """The VM has armed a machine.Timer."""
        self._knock_ms = ms

    def sleep(self, ms: int) -> None:
        """machine.deepsleep(ms); 0: until somebody presses reset."""
        self._post(lambda: self._sleep(ms))

    def power_cut(self) -> None:
        """The flash write has come in which power fails."""
        self._post(self._power_off)

    # -- the board's thread

    def _set_state(self, state: str) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _main(self) -> None:
        try:
            while not self._closing:
                self._turn()
        finally:
            self._end_vm()
            self.silicon.close()

    def _turn(self) -> None:
        listener = self.console.listener()
        sources = [self._wake_r]
        if listener and self.console.wants_input():
            sources.append(self.console.master)
        if self._vm is not None:
            sources.append(self._vm.fd)
        ready, _, _ = select.select(sources, [], [], 0.005 if self.console.pending() else 0.03)
        if self._wake_r in ready:
            os.read(self._wake_r, 1024)
        while not self._jobs.empty():
            self._jobs.get()()
        if self.console.master in ready:
            self.console.read_listener()
        if self._vm is not None and self._vm.fd in ready:
            self._read_vm(self._vm, listener)
        self.console.work()
        self._watch()

    def _read_vm(self, vm: VM, listener: bool) -> None:
        try:
            data = os.read(vm.fd, 4096)
        except BlockingIOError:
            return
        except OSError:  # the last one who had it open is gone: the VM has ended
            data = b""
        if data:
            self.console.from_vm(data, listener)
        elif vm is self._vm:
            self._vm_ended(listener)

    def _vm_ended(self, listener: bool) -> None:
        """By itself: a soft reset. Before boot.py: something is wrong with the image or the VM."""
        booted = self._booted
        self._end_vm(cut=False)
        self._failed_boots = 0 if booted else self._failed_boots + 1
        if self._failed_boots >= MAX_FAILED_BOOTS:
            self._set_state(FAILED)
            return
        self.console.say("MPY: soft reboot\r\n", listener)
        self._spawn()

    def _watch(self) -> None:
        now = self.clock.now()
        self.connect_link()
        if self._state == ASLEEP and self.clock.warp and self._wake_at < float("inf"):
            self.clock.advance(self._wake_at - now)
            now = self._wake_at
        if self._state == ASLEEP and now >= self._wake_at:
            self._start_after(silicon.DEEP_SLEEP_AWAKE)
        if self._knock_ms and self._vm is not None and time.monotonic() >= self._knock_at:
            self._knock_at = time.monotonic() + self._knock_ms / 1000
            self._vm.alarm()
        deadline = self.silicon.wdt_deadline
        if self._state == ON and deadline is not None and now > deadline:
            self._reset(silicon.SOFT_WDT)

    def _spawn(self) -> None:
        self._booted = False
        self._knock_ms = 0
        self._woke = self.clock.now()
        self._spawned = time.monotonic()
        self.flash.stat()  # a missing file is told to whoever switches on
        heap = int(self.heap_free + image_module.ROMFS_SIZE * ROM_TABLES + STANDIN_ROOM)
        self._vm = vm = VM(self.flash, heap)
        self.boots += 1
        self.console.attach(vm)
        threading.Thread(
            target=silicon.serve, args=(vm.channel, self._caller(vm)), name="vboard-silicon", daemon=True
        ).start()
        self._set_state(ON)

    def _caller(self, vm: VM) -> Callable[[str, str, list[Any], dict[str, Any]], Any]:
        def call(target: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
            if self._vm is not vm:
                raise silicon.NoAnswer
            return self.silicon.call(target, name, args, kwargs)

        return call

    def _end_vm(self, cut: bool = True) -> None:
        """`cut`: without the FINs that the kernel sends for a process that ends."""
        if self._vm is not None:
            vm, self._vm = self._vm, None
            if cut:
                self.link.node_gone()
            vm.kill()
            for data in vm.remains():
                self.console.from_vm(data, self.console.listener())
            self.console.detach()
            vm.close()

    def _power_off(self) -> None:
        self._end_vm()
        self.console.power_off()
        with self.air.lock:
            self.silicon.radio.stop()
        self._set_state(OFF)

    def _reset(self, cause: int) -> None:
        if self._state in (ON, ASLEEP):
            self._end_vm()
            self.console.power_off()
            self._start_after(cause)

    def _start_after(self, cause: int) -> None:
        self.silicon.reset(cause)
        self.resets.append(cause)
        self._spawn()

    def _sleep(self, ms: int) -> None:
        self._end_vm()
        self.console.power_off()
        self.silicon.wdt_deadline = None
        with self.air.lock:
            self.silicon.radio.stop()
        self.awake_seconds += self.clock.now() - self._woke
        seconds = ms * (1 + self.sleep_error) / 1000 / self.speed
        self._wake_at = self.clock.now() + seconds if ms else float("inf")
        self.silicon.overslept(ms * self.sleep_error / 1000)
        self._set_state(ASLEEP)
