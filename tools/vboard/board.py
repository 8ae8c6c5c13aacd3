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
from pathlib import Path
from typing import Any

from tools import image as image_module

from . import radio, silicon
from .console import Console
from .link import Link
from .process import VM

HEAP = 76 * 1024  # bytes; 38 KiB of the chip, where every object is half the size
HEAP_FREE = 75_808  # bytes; gc.mem_free() of a fresh VM with that heap
ROM_TABLES = 1.02  # the allocator's tables for what the ROMFS takes
STANDIN_ROOM = 96 * 1024  # bytes; for the stand-ins. What they leave is occupied (device/start.py).
MAX_FAILED_BOOTS = 3
DNS_TIMEOUT = 5.0  # s that a name server's silence blocks the node

OFF, ON, ASLEEP, FAILED = "off", "on", "asleep", "failed"


class BoardError(Exception):
    """The board cannot do that; the text says why."""


class Board:
    """A board with `image` in its flash (a path or a built `Image`; the file is written to as the node runs).

    names: host name or address -> (host, port) of the real server, for the node's connections; a port of None keeps
    the node's. Other addresses are reached as they are, other names are unknown to the virtual name server.
    speed: how much faster than real the radio is and deep sleep passes. heap_free: what the node finds free.
    """

    def __init__(
        self,
        image: image_module.Image | Path,
        *,
        names: Mapping[str, tuple[str, int | None]] | None = None,
        speed: float = 1.0,
        heap_free: int = HEAP_FREE,
        chip_id: bytes = b"\x12\x34\x56",
        dns_timeout: float = DNS_TIMEOUT,
    ) -> None:
        self.flash = (image.path if isinstance(image, image_module.Image) else Path(image)).resolve()
        self.names = dict(names or {})
        self.speed = speed
        self.heap_free = heap_free
        self.dns_timeout = dns_timeout
        self.air = silicon.SharedAir()
        self.store = radio.Store(chip_id)  # the SDK's own flash sectors: they outlive a power cut
        self.link = Link()
        self.console = Console()
        self.silicon = self._new_silicon()
        self.boots = 0  # VMs started, soft resets included
        self.resets: list[int] = []  # causes of all starts but soft resets
        self.heap_report: dict[str, int] = {}
        self.boot_seconds = 0.0  # of the last boot: from process start to boot.py
        self._state = OFF
        self._vm: VM | None = None
        self._wake_at = 0.0
        self._cut = 0
        self._failed_boots = 0
        self._spawned = 0.0
        self._booted = False
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
                self._cut, self._failed_boots = cut_after, 0
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
        self._do(self._power_off, wait=True)

    def reset(self, cause: int = silicon.EXT_RESET) -> None:
        """The reset button."""
        self._do(lambda: self._reset(cause), wait=True)

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

    # -- the board's thread

    def _new_silicon(self) -> silicon.Silicon:
        old = getattr(self, "silicon", None)
        made = silicon.Silicon(self.air, self.store, self.speed, time.time)
        if old is not None:
            old.close()
            made.pins.outside, made.adc = old.pins.outside, old.adc
        made.targets = {"board": _Registers(self), "link": _Resolver(self)}
        return made

    def _do(self, job: Callable[[], None], wait: bool = False) -> None:
        if self._closing:
            raise BoardError("the board is closed")
        done = threading.Event()

        def run() -> None:
            try:
                job()
            finally:
                done.set()

        self._jobs.put(run)
        self._nudge()
        if wait and not done.wait(20):
            raise BoardError("the board's thread does not answer")

    def _nudge(self) -> None:
        try:
            os.write(self._wake_w, b"x")
        except BlockingIOError:  # nudged enough
            pass

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
        self._end_vm()
        self._failed_boots = 0 if booted else self._failed_boots + 1
        if self._failed_boots >= MAX_FAILED_BOOTS:
            self._set_state(FAILED)
            return
        self.console.say("MPY: soft reboot\r\n", listener)
        self._spawn()

    def _watch(self) -> None:
        now = time.monotonic()
        up, real = self.silicon.online()
        self.link.station(up and self._state == ON, real)
        if self._state == ASLEEP and now >= self._wake_at:
            self._start_after(silicon.DEEP_SLEEP_AWAKE)
        deadline = self.silicon.wdt_deadline
        if self._state == ON and deadline is not None and now > deadline:
            self._reset(silicon.SOFT_WDT)

    def _spawn(self) -> None:
        self._booted = False
        self._spawned = time.monotonic()
        heap = int(self.heap_free + self._rom_size() * ROM_TABLES + STANDIN_ROOM)
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

    def _end_vm(self) -> None:
        if self._vm is not None:
            vm, self._vm = self._vm, None
            vm.kill()
            for data in vm.remains():
                self.console.from_vm(data, self.console.listener())
            self.console.detach()
            vm.close()
            self.link.node_gone()

    def _power_off(self) -> None:
        self._end_vm()
        self.console.power_off()
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
        self._wake_at = time.monotonic() + ms / 1000 / self.speed if ms else float("inf")
        self._set_state(ASLEEP)

    def _rom_size(self) -> int:
        """Bytes of the ROMFS in the flash; 0 if there is none."""
        with self.flash.open("rb") as file:
            file.seek(image_module.ROMFS_OFFSET)
            head = file.read(16)
        if head[:3] != b"\xd2\xcd\x31":
            return 0
        size, at = 0, 3
        while True:  # a variable length integer, seven bits a byte, highest first
            size = size << 7 | head[at] & 0x7F
            at += 1
            if not head[at - 1] & 0x80:
                return at + size


class _Registers:
    """What the VM asks of the board itself (device/start.py, machine.py, vb_flash.py)."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def hello(self) -> list[Any]:
        board = self._board
        size = board.flash.stat().st_size
        return [
            image_module.ROMFS_OFFSET,
            board._rom_size(),
            image_module.LITTLEFS_OFFSET,
            image_module.littlefs_blocks(size),
            board._cut,
            board.heap_free,
            board.console.raw,
        ]

    def heap(self, standins: int, surplus: int) -> None:
        """Measured in the VM before boot.py: bytes of the stand-ins, and what had to be occupied."""
        self._board.heap_report = {"standins": standins, "ballast": surplus}

    def booted(self) -> None:
        board = self._board
        board.boot_seconds = time.monotonic() - board._spawned
        board.console.booted()
        with board._changed:
            board._booted = True
            board._changed.notify_all()

    def reset(self) -> None:
        self._board._do(lambda: self._board._reset(silicon.SOFT_RESTART))
        raise silicon.NoAnswer

    def deepsleep(self, ms: int) -> None:
        self._board._do(lambda: self._board._sleep(ms))
        raise silicon.NoAnswer

    def power_cut(self) -> None:
        self._board._do(self._board._power_off)
        raise silicon.NoAnswer

    def reset_cause(self) -> int:
        return self._board.silicon.reset_cause

    def unique_id(self) -> bytes:
        return self._board.store.chip_id[::-1] + b"\x00"

    def freq(self, *value: int) -> int | None:
        if value:
            self._board.silicon.frequency = value[0]
            return None
        return self._board.silicon.frequency

    def flash_size(self) -> int:
        return self._board.flash.stat().st_size


class _Resolver:
    """The name server, and the way of every address into the link (device/socket.py)."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def resolve(self, host: str, port: int, stream: bool) -> int:
        """The real port on 127.0.0.1 for the node's `host`:`port`. Raises OSError(-2), as the port does."""
        board = self._board
        if host in ("", "0.0.0.0") or host in board.silicon.own_addresses():
            return board.link.inbound(port)
        literal = all(part.isdigit() for part in host.split(".")) and host.count(".") == 3
        if not literal:
            self._ask_name_server()
        target = board.names.get(host)
        if target is None and not literal:
            raise OSError(-2)
        where, there = target or (host, port)
        return board.link.forward(where, port if there is None else there)

    def _ask_name_server(self) -> None:
        board = self._board
        up, real = board.silicon.online()
        if not up:
            raise OSError(-2)
        if not real or not board.link.wait_flow(board.dns_timeout):
            if not real:
                time.sleep(board.dns_timeout)
            raise OSError(-2)
