"""In the VM: `time` with the chip's epoch, 2000-01-01, which is also what its clock says after power on.

With a clock that may jump (../clock.py) all of it is shifted by what was jumped over, and sleeping is a jump.
"""

# ruff: noqa: D103, F403
import utime
import vb_rpc
from utime import *

_GRID_MS = 250
_SHORT_MS = 150  # what is shorter is exact
_STEP_MS = 25  # of a clock that may jump: what runs one after the other at a moment sees one time, and wakes together
_EPOCH = 946684800  # Unix time of 2000-01-01
_offset = vb_rpc.call("rtc", "offset")  # of our time() to Unix time
_skipped = 0  # ms


def _set(now):
    global _offset
    _offset = now - _unix()
    vb_rpc.cast("rtc", "set_offset", _offset)


def _unix():
    return int(utime.time() + _skipped / 1000)


def time():
    return _unix() + _offset


def time_ns():
    return utime.time_ns() + _skipped * 1000000 + _offset * 1000000000


def gmtime(secs=None):
    return utime.gmtime((time() if secs is None else secs) + _EPOCH)[:8]


localtime = gmtime


def mktime(t):
    return int(utime.mktime(t[:8])) - _EPOCH


def _warped_ticks_ms():
    now = utime.ticks_ms() + _skipped
    return now - now % _STEP_MS


def _warped_ticks_us():
    return utime.ticks_us() + _skipped * 1000


def _idle(ms):
    """All tasks sleep for `ms`: jump there, or less far if something may have arrived.

    Long jumps end on a grid, so that what waits for about the same moment needs one of them: as late as on a busy chip.
    """
    global _skipped
    import vb_timer

    ms = vb_timer.until(ms)
    end = _warped_ticks_ms() + ms
    if ms >= _SHORT_MS:
        end += -end % _GRID_MS
    _skipped = vb_rpc.call("board", "idle", max(1, end - utime.ticks_ms() - _skipped))
    vb_timer.tick(0)


def _warped_sleep_ms(ms):
    end = _warped_ticks_ms() + ms
    while end - _warped_ticks_ms() > 0:
        _idle(end - _warped_ticks_ms())


def _synchronise():
    """A call that blocked has taken time."""
    global _skipped
    if _skipped is not None:
        _skipped = vb_rpc.call("board", "skipped")


def _warp(skipped):
    """The board's clock may jump; it is ahead by `skipped` ms."""
    global _skipped, ticks_ms, ticks_us, sleep_ms, sleep, sleep_us
    _skipped = skipped
    ticks_ms = _warped_ticks_ms
    ticks_us = _warped_ticks_us
    sleep_ms = _warped_sleep_ms
    sleep = lambda s: _warped_sleep_ms(int(s * 1000))  # noqa: E731
    sleep_us = lambda us: _warped_sleep_ms(us // 1000)  # noqa: E731
