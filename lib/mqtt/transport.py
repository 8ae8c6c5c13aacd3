"""Sockets and waiting on MicroPython: the ESP8266 (lwIP, axTLS) and the unix VM (POSIX, mbedTLS).

transport_cpython.py is its twin with the same names. Connecting is dial.py, TLS is secure.py.
"""

import errno
from asyncio import core  # type: ignore[attr-defined]  # not in the stubs
from time import ticks_diff, ticks_ms

if False:  # for the type checker; compiled to nothing
    from typing import Any

__all__ = ("Transport", "Waiters", "ticks_diff", "ticks_ms", "wait", "wake")

Waiters = core.TaskQueue  # tasks that wait for the same thing. asyncio.Event does the same for 1 KB more


def wait(waiters):  # awaitable: MicroPython's coroutines are generators
    """Wait until somebody calls wake(waiters)."""
    waiters.push(core.cur_task)
    core.cur_task.data = waiters  # so that it can be cancelled
    yield


def wake(waiters) -> None:
    """Let all that wait go on."""
    while waiters.peek():
        core._task_queue.push(waiters.pop())


class Transport:
    """One TCP or TLS connection. Only one task may wait for it at a time: asyncio here forgets the other on a cancel.

    `exact`: this TLS (axTLS) reads wrongly when it must not block (micropython#7473): its socket stays blocking, and a
    read takes no more than is due.
    """

    io: "Any"  # the TLS or TCP socket that is read and written
    sock: "Any"
    exact = False
    sock = io = key = found = None

    def write(self, buf, end: int) -> int:
        """Hand buf[:end] to the socket without waiting; returns how many bytes it took."""
        return self.io.write(buf, end) or 0

    def readinto(self, buf, due: int):  # awaitable
        """Wait for bytes and put them into `buf`; returns how many. Raises OSError when the other side closed.

        due: bytes that are sure to come.
        """
        if self.exact:
            buf = buf[:due]
        while True:
            yield core._io_queue.queue_read(self.io)
            count = self.io.readinto(buf)
            if count is not None:
                if not count:
                    raise OSError(errno.ECONNRESET, "closed by the broker")
                return count

    def close(self) -> None:
        """Close the socket; its address stays known."""
        for each in (self.io, self.sock):
            if each is not None:
                try:
                    each.close()
                except OSError:
                    pass  # a TLS goodbye that can't be said
        self.sock = self.io = None
