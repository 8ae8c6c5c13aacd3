"""Time from the network: SNTP (RFC 4330) over a socket that never blocks. Only the look-up of its name does.

The node's time is `epoch` + uptime, counted by the chip's crystal (tens of ppm), not by its RTC, which drifts by
percents and overflows after 7:45 h. The RTC is set at each synchronisation too, for those who ask `time.time()`.
"""

import asyncio
import errno
import os
import socket
import struct
import time

import machine
from micropython import const

_HOUR = const(3600)  # s between synchronisations; with 50 ppm the clock is 0.2 s off by then
_FIRST_RETRY = const(61)  # s after a failure; a server that says go away wants a minute at least
_LONGEST = const(1024)
_ANSWER_MS = const(2000)
_POLL_MS = const(20)
_NTP_TO_UNIX = 2208988800  # s from 1900 to 1970
_UNIX_2000 = 946684800
_WAIT_S = const(20)
_OLDEST = 1704067200  # 2024: an earlier answer is wrong


async def sync(node) -> "int | None":
    """Ask the time server and set the clock, and when to ask next. Returns by how many ms it was slow; None: no (good) answer."""
    try:
        found = await _ask(node)
    except OSError:
        found = None
    now = node.asked_at = node.uptime()
    if found is None:
        node.later = now  # readings need not wait
        # A failure doubles the pause: it is as long as the node has been up, or as the time since the last success.
        waited = now if node.epoch is None else now - node.sync_at + _FIRST_RETRY
        node.sync_at = now + min(max(waited, _FIRST_RETRY), _LONGEST)
        return None
    node.sync_at = now + _HOUR
    return _set(node, found)


def soon(node) -> None:
    """There is a broker: ask for the time first, unless that has just been in vain, and have the readings wait a little."""
    now = node.uptime()
    if now - node.asked_at >= _FIRST_RETRY:
        node.sync_at = now
        node.later = now + _WAIT_S


def uptime_ms(node) -> int:
    """The node's uptime, in ms."""
    return node.uptime() * 1000 + time.ticks_diff(time.ticks_ms(), node._counted)


async def _ask(node) -> "int | None":
    """Unix time in ms, or None."""
    server = socket.getaddrinfo(node.cfg["time"]["ntp_host"], 123, 0, socket.SOCK_DGRAM)[0][-1]
    cookie = os.urandom(8)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sent = time.ticks_ms()
        sock.sendto(b"\x23" + bytes(39) + cookie, server)
        while time.ticks_diff(time.ticks_ms(), sent) < _ANSWER_MS:
            await asyncio.sleep_ms(_POLL_MS)
            try:
                answer = sock.recv(90)
            except OSError:
                continue  # not there yet
            round_trip = time.ticks_diff(time.ticks_ms(), sent)
            found = decode(answer, cookie)
            if found == 0:
                raise OSError(errno.ECONNREFUSED)
            if found is not None:
                return found + round_trip // 2
    finally:
        sock.close()
    return None


def decode(answer: bytes, cookie: bytes) -> "int | None":
    """Unix time in ms that an answer holds. None: it isn't one to our question (`cookie`). 0: the server wants no questions."""
    if len(answer) < 48 or answer[0] & 7 != 4 or answer[24:32] != cookie:
        return None
    if answer[1] == 0:
        return 0
    if answer[0] >> 6 == 3 or answer[1] > 15:
        return None  # the server does not know the time either
    seconds, fraction = struct.unpack_from(">II", answer, 40)
    if seconds < 0x80000000:
        seconds += 0x100000000  # era 1 begins in 2036
    unix = seconds - _NTP_TO_UNIX
    return unix * 1000 + (fraction >> 16) * 1000 // 65536 if unix >= _OLDEST else None


def _set(node, unix_ms: int) -> int:
    """Set the node's clock, to the ms, and the chip's. Returns by how many ms it was slow."""
    first = node.epoch is None
    local_ms = uptime_ms(node)
    error = 0 if first else unix_ms - node.epoch * 1000 - local_ms
    if first or abs(error) >= 1000:  # else it stays, for the readings that wait are counted from it
        node.epoch = (unix_ms - local_ms + 500) // 1000
    # The rest goes where uptime() counts from.
    node._counted = time.ticks_add(node._counted, node.epoch * 1000 - (unix_ms - local_ms))
    y, mo, d, h, mi, s, wd, _ = time.gmtime(node.unix() - (_UNIX_2000 if time.gmtime(0)[0] == 2000 else 0))[:8]
    machine.RTC().datetime((y, mo, d, wd, h, mi, s, 0))
    if first:
        node.log(1, "time: %d-%02d-%02d %02d:%02d:%02d UTC" % (y, mo, d, h, mi, s))
    return error
