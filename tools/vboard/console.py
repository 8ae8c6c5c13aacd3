"""The serial console: an outer pty for mpremote, ampy or a person, in front of the VM's own; and its log.

Between the two it does what the UART and the port's start-up code do and the unix VM does not: newlines become
CR LF, a soft reset says so and goes back to raw REPL if that was on, Ctrl-C reaches running code, and what arrives
while code runs waits for the REPL.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty

from .process import VM

LOG_SIZE = 256 * 1024  # characters
INPUT_SIZE = 4096  # bytes kept for the VM
OUTPUT_SIZE = 64 * 1024  # bytes kept for a slow reader
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'
BOOT_DONE = b"\x1c"  # device/start.py says so, if it starts for the raw REPL
CTRL_A, CTRL_C = b"\x01", 3
INTERRUPT_PATIENCE = 0.5  # s until another Ctrl-C counts, if the code that runs swallowed the last one


class Console:
    """Lives as long as its board; VMs come and go with `attach` and `detach`."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self.raw = False
        self._vm: VM | None = None
        self._input = bytearray()
        self._output = bytearray()
        self._booting = True
        self._swallowed: bytearray | None = None
        self._greeting = False
        self._interrupted = 0.0
        self._tail = b""
        self._log = ""
        self._dropped = 0  # characters that the log has lost at its beginning
        self._changed = threading.Condition()

    # -- the log

    @property
    def log(self) -> str:
        """The console's output so far, its last 256 KiB, with \\n for newlines."""
        with self._changed:
            return self._log

    def mark(self) -> int:
        """The present end of the log, for `wait_for(..., since=)`."""
        with self._changed:
            return self._dropped + len(self._log)

    def since(self, mark: int) -> str:
        with self._changed:
            return self._log[max(0, mark - self._dropped) :]

    def wait_for(self, text: str, timeout: float, since: int = 0) -> str:
        """Wait until `text` is in the log after `since`; returns the log from there. TimeoutError with its end."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                seen = self._log[max(0, since - self._dropped) :]
                if text in seen:
                    return seen
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no {text!r} on the console within {timeout} s; its end:\n{seen[-2000:]}")
                self._changed.wait(left)

    # -- called by the board's thread

    def attach(self, vm: VM) -> None:
        self._vm = vm
        self._booting = True
        self._interrupted = 0.0
        self._swallowed = bytearray() if self.raw else None
        self._greeting = False

    def detach(self) -> None:
        self._vm = None
        self._swallowed = None

    def power_off(self) -> None:
        self.raw = False
        self._input.clear()

    def booted(self) -> None:
        """The VM runs boot.py now; before, a Ctrl-C would end it."""
        self._booting = False

    def listener(self) -> bool:
        """Is the console's pty open at the other side?"""
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def read_listener(self) -> None:
        try:
            data = os.read(self.master, 1024)
        except (BlockingIOError, OSError):  # nothing there, or just closed
            return
        self._input += data[: max(0, INPUT_SIZE - len(self._input))] if len(self._input) < INPUT_SIZE else b""

    def wants_input(self) -> bool:
        return len(self._input) < INPUT_SIZE

    def pending(self) -> bool:
        """Is there work that no file descriptor will announce?"""
        return bool(self._input or self._output)

    def type(self, data: bytes) -> None:
        self._input += data

    def work(self) -> None:
        """Move what can be moved."""
        if self._vm is not None and self._input and not self._booting:
            self._to_vm(self._vm)
        if self._output:
            try:
                del self._output[: os.write(self.master, self._output)]
            except BlockingIOError:
                return

    def _to_vm(self, vm: VM) -> None:
        if self._swallowed is not None:
            return  # the raw REPL is still to come
        if vm.reading():
            self._interrupted = 0.0
            data = bytes(self._input)
        elif self._interrupted and time.monotonic() - self._interrupted < INTERRUPT_PATIENCE:
            return
        elif CTRL_C in self._input:
            del self._input[: self._input.index(CTRL_C) + 1]
            self._interrupted = time.monotonic()
            vm.interrupt()
            return
        else:
            return
        try:
            del self._input[: os.write(vm.fd, data)]
        except BlockingIOError:
            return

    def from_vm(self, data: bytes, listener: bool) -> None:
        """Output of the VM: to the listener and the log."""
        if self._swallowed is not None:
            data = self._swallow(data)
        self._emit(data, listener)

    def _swallow(self, data: bytes) -> bytes:
        """Raw REPL was on before a soft reset: let boot.py's output through, and not the friendly REPL's greeting."""
        assert self._swallowed is not None
        passed = b""
        if not self._greeting:
            passed, mark, data = data.partition(BOOT_DONE)
            self._greeting = bool(mark)
            if not mark:
                return passed
        self._swallowed += data
        if self._swallowed.endswith(b">>> "):
            assert self._vm is not None
            os.write(self._vm.fd, CTRL_A)
        if not self._swallowed.endswith(RAW_BANNER):
            return passed
        self._swallowed = None
        return passed + RAW_BANNER

    def say(self, text: str, listener: bool) -> None:
        self._emit(text.encode(), listener)

    def _emit(self, data: bytes, listener: bool) -> None:
        if not data:
            return
        out = (self._tail[-1:] + data).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self._tail[-1:] == b"\r" and data[:1] == b"\n":
            out = out[1:]  # the CR is out already
        elif self._tail:
            out = out[2:] if self._tail[-1:] == b"\n" else out[1:]
        self._tail = (self._tail + data)[-128:]
        window = self._tail if len(data) < 128 else self._tail + data
        raw, friendly = window.rfind(RAW_BANNER), window.rfind(FRIENDLY_BANNER)
        if raw != friendly:
            self.raw = raw > friendly
        if listener:
            self._output += out
            del self._output[:-OUTPUT_SIZE]
        with self._changed:
            self._log += out.decode(errors="replace").replace("\r\n", "\n")
            if len(self._log) > LOG_SIZE:
                self._dropped += len(self._log) - LOG_SIZE
                self._log = self._log[-LOG_SIZE:]
            self._changed.notify_all()
