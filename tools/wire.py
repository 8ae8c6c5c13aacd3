"""The serial line to a board's raw REPL, through mpremote's own transport or ampy's.

Gets the REPL whatever the board does (a node that runs, noise while it boots, a loop that swallows Ctrl-C), and turns
what breaks into words.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import struct
import time
import zlib
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from typing import Any

import serial
from esp_pylib.serial_reset import hard_reset
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from rich.console import Console

from tools.errors import ToolError

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
PATIENCE = 30.0  # s that a board has to give its REPL, a person's hand at the reset button included
NUDGE = 3.0  # s after which the reset line is tried, and the person asked
TRY = 1.0  # s for one try
STEP = 5.0  # s for an answer
CHUNK = 2048  # bytes sent at once, before packing
READ_TIMEOUT = 10.0  # s without a byte
EXEC_TIMEOUT = 30.0  # s for one step on the board; hashing 100 files of ROMFS takes a few

_UNPACK = """\
from binascii import a2b_base64 as _a
try:
 from io import BytesIO
 from deflate import DeflateIO,RAW
 def _u(s):return DeflateIO(BytesIO(_a(s)),RAW,9).read()
except ImportError:_u=None
print(_u is not None)
"""


class WireLost(ToolError):
    """The line broke, or the board is gone."""


class BoardRaised(ToolError):
    """Code on the board raised; `last` is the last line of its traceback."""

    def __init__(self, traceback: str) -> None:
        self.last = (traceback.strip().splitlines() or ["no word"])[-1]
        super().__init__(f"the board says: {self.last}")


class Wire:
    """An open port. `tool`: "mpremote" or "ampy"."""

    def __init__(self, port: str, tool: str = "mpremote") -> None:
        self.port = port
        self.tool = tool
        self._packs: bool | None = None
        with self._words("opening the port"):
            self._board: Any = _ampy(port) if tool == "ampy" else _mpremote(port)
        self._line: Any = self._board.serial

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back; the board stays as it is."""
        with contextlib.suppress(OSError, serial.SerialException):  # it may be gone already
            self._board.close()

    # -- the raw REPL

    def take(self, console: Console, patience: float = PATIENCE) -> None:
        """Interrupt whatever runs, and get the raw REPL. Raises WireLost if the board does not give it."""
        start = time.monotonic()
        nudged = False
        with self._words("waiting for the board"), console.status(f"asking the board at {self.port} to listen"):
            while time.monotonic() - start < patience:
                if (self._flood() if nudged else self._try_raw()) and self._in_step():
                    return
                if not nudged and time.monotonic() - start > NUDGE:
                    nudged = True
                    with contextlib.suppress(OSError):  # a port without such lines
                        hard_reset(self._line)
                    console.print("the board does not listen; press its RST button now")
        raise WireLost(
            f"the board at {self.port} did not give its prompt in {patience:.0f} s. Is it flashed (make flash)? "
            "Is another program reading the port? Does it sleep (press RST), or does its own program switch Ctrl-C off "
            "(press RST when asked; if nothing helps: make flash)?"
        )

    def _try_raw(self) -> bool:
        self._line.write(b"\r\x03\x03")
        self._read_for(0.1, b"")
        self._line.write(b"\r\x01")
        return self._read_for(TRY, RAW_BANNER)

    def _in_step(self) -> bool:
        """A slow board may have more banners under way, one for each Ctrl-A: read until it answers to a word of ours."""
        word = secrets.token_hex(8).encode()
        self._line.write(b"print('" + word + b"')\x04")
        return self._read_for(STEP, word + b"\r\n\x04\x04")  # the prompt stays, for the transport

    def _flood(self) -> bool:
        """Ctrl-C without a pause: hits the moment between a reset and a program that swallows it."""
        seen = b""
        self._line.timeout = 0.02
        try:
            for count in range(int(TRY / self._line.timeout)):
                self._line.write(b"\x03" if count % 8 else b"\r\x01")
                seen = (seen + self._line.read(4096))[-512:]
                if RAW_BANNER in seen:
                    self._line.write(b"\r\x01")  # its banner and prompt once more, after all that was sent
                    return self._read_for(TRY, RAW_BANNER)
        finally:
            self._line.timeout = READ_TIMEOUT
        return False

    def _read_for(self, seconds: float, wanted: bytes) -> bool:
        """Read until `wanted` has come or the time is over; True if it has come last."""
        seen = b""
        deadline = time.monotonic() + seconds
        self._line.timeout = min(0.05, seconds)
        try:
            while time.monotonic() < deadline:
                seen = (seen + self._line.read(1 if wanted else 4096))[-256:]
                if wanted and seen.endswith(wanted):
                    return True
        finally:
            self._line.timeout = READ_TIMEOUT
        return False

    def run(self, code: str) -> str:
        """Run code; returns what it prints. Raises BoardRaised, WireLost."""
        with self._words("talking to the board"), _hushed():
            out, raised = self._board.exec_raw(code, timeout=EXEC_TIMEOUT)
        if raised:
            raise BoardRaised(raised.decode(errors="replace"))
        return str(out.decode(errors="replace").replace("\r\n", "\n"))

    def leave(self, code: str) -> None:
        """Run code that ends in a reset: no answer is awaited."""
        with self._words("talking to the board"), _hushed():
            self._board.exec_raw_no_follow(code)

    def restart(self, code: str, console: Console) -> None:
        """Run code that ends in a reset, and take the REPL again. Raises WireLost."""
        for _ in range(3):
            self.run("_before=1")
            self.leave(code)
            with self._words("restarting the board"):
                self._read_for(0.2, b"")  # a Ctrl-C now would come before the reset
            self.take(console)
            if self.run("print('_before' in globals())").strip() == "False":
                return
        raise WireLost("the board does not reset")

    def lines(self, silence: float) -> Iterator[str]:
        """Lines of the console as they come, until nothing has come for so many seconds."""
        with self._words("listening to the board"):
            self._line.timeout = silence
            while line := self._line.readline():
                yield line.decode(errors="replace").strip()

    # -- files

    def put(self, path: str, data: bytes, sent: Callable[[int], None]) -> None:
        """Write a file; `sent(n)` is told of bytes as they are through."""
        if self.tool == "ampy":
            self._put_ampy(path, data)
            sent(len(data))
            return
        self.run(f"_f=open({path!r},'wb')")
        self.append(data, sent)
        self.run("_f.close()")

    def append(self, data: bytes, sent: Callable[[int], None]) -> None:
        """Write to the open file `_f` on the board."""
        if self._packs is None:
            self._packs = self.run(_UNPACK).strip() == "True"
        for at in range(0, len(data), CHUNK):
            chunk = data[at : at + CHUNK]
            self.run(f"_f.write({_packed(chunk) if self._packs else repr(chunk)})")
            sent(len(chunk))

    def _put_ampy(self, path: str, data: bytes) -> None:
        from ampy.files import Files  # type: ignore[import-untyped]

        with self._words("talking to the board"), _hushed():
            self._line.write(b"\r\x02")  # ampy begins and ends at the friendly REPL
            Files(self._board).put(path, data)
            if not (self._try_raw() and self._in_step()):
                raise WireLost("the board did not give its prompt again after ampy's transfer")

    @contextlib.contextmanager
    def _words(self, doing: str) -> Iterator[None]:
        from ampy.pyboard import PyboardError  # type: ignore[import-untyped]

        try:
            yield
        except TransportExecError as error:
            raise BoardRaised(error.error_output) from error
        except (TransportError, PyboardError, serial.SerialException, OSError, struct.error, IndexError) as error:
            raise WireLost(f"{doing} failed: {reason(error, self.port)}") from error


def _hushed() -> contextlib.redirect_stdout[io.StringIO]:
    """The transports print what they could not read."""
    return contextlib.redirect_stdout(io.StringIO())


def _packed(chunk: bytes) -> str:
    """An expression for the board: deflated with a window of 512 bytes, in base 64."""
    packer = zlib.compressobj(wbits=-9)
    return f"_u({b2a_base64(packer.compress(chunk) + packer.flush()).strip()!r})"


def _mpremote(port: str) -> Any:
    transport: Any = SerialTransport
    return transport(port, timeout=READ_TIMEOUT)


def _ampy(port: str) -> Any:
    from ampy.pyboard import Pyboard

    board = Pyboard(port)
    board.serial.timeout = READ_TIMEOUT
    return board


def reason(error: BaseException, port: str) -> str:
    """Why the port does not serve us, for a person."""
    text = str(error)
    if "could not exclusively lock" in text or "failed to access" in text or "Resource temporarily" in text:
        return f"another program has {port} open, or it is gone"
    if isinstance(error, struct.error | IndexError) or not text or "timeout" in text:
        return "the board stopped answering"
    return text.splitlines()[0]
