"""What net.py gets from MicroPython's asyncio and time, made for CPython: for tests and a real browser on a PC."""

import asyncio
import socket
from time import monotonic


def ticks_ms() -> int:
    """Milliseconds of a clock that only goes forward."""
    return int(monotonic() * 1000)


def ticks_diff(later: int, earlier: int) -> int:
    """Milliseconds from `earlier` to `later`."""
    return later - earlier


async def ready(sock: socket.socket, write: bool = False) -> None:
    """Wait until `sock` has something to read (or is closed), or with `write` until it takes data."""
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(sock, woken.set)
    try:
        await woken.wait()
    finally:
        remove(sock)
