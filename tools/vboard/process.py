"""One process with the MicroPython VM in it, on an inner pty.

To be made in the board's own thread only: the VM dies with the thread that started it (launch.py).
"""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

from tools.vboard.standins import compiled

LAUNCH = Path(__file__).parent / "launch.py"

_LFLAG = 3  # index in what tcgetattr() returns


class VM:
    """The running VM. `fd`: its console. `channel`: its calls to the silicon."""

    def __init__(self, image: Path, heap: int) -> None:
        self.fd, slave = pty.openpty()
        # Raw, but IEXTEN stays as a sign: the REPL's own raw mode clears it (unix_mphal.c), running code has it set.
        mode = termios.tcgetattr(slave)
        mode[0] = mode[1] = 0
        mode[_LFLAG] = termios.IEXTEN
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self.channel, theirs = socket.socketpair()
        command = [sys.executable, str(LAUNCH), str(os.getpid()), "-i", "-X", f"heapsize={heap}"]
        env = {k: v for k, v in os.environ.items() if not k.startswith("MICROPY")}
        try:
            self.process = subprocess.Popen(
                [*command, str(compiled() / "start.py"), str(theirs.fileno()), str(image)],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                pass_fds=[theirs.fileno()],
                env={**env, "TZ": "UTC"},
                start_new_session=True,
            )
        finally:
            os.close(slave)
            theirs.close()
        os.set_blocking(self.fd, False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def reading(self) -> bool:
        """Is the REPL (friendly or raw) waiting for input, rather than code running?"""
        return termios.tcgetattr(self.fd)[_LFLAG] == 0

    def interrupt(self) -> None:
        """Ctrl-C for running code."""
        self.process.send_signal(signal.SIGUSR1)

    def alarm(self) -> None:
        """Time for the timers."""
        self.process.send_signal(signal.SIGALRM)

    def kill(self) -> None:
        """End it, if it still runs."""
        self.process.kill()
        self.process.wait()

    def remains(self) -> Iterator[bytes]:
        """What it had sent to its console before it was killed."""
        try:
            while data := os.read(self.fd, 4096):
                yield data
        except OSError:  # EIO: that was all
            return

    def close(self) -> None:
        """Give back what it used; after `kill`."""
        os.close(self.fd)
        try:
            self.channel.shutdown(socket.SHUT_RDWR)
        except OSError:  # the VM's end of it is closed already
            pass
