"""In the VM: `time` with the chip's epoch, 2000-01-01, which is also what its clock says after power on."""

# ruff: noqa: D103, F403
import utime
import vb_rpc
from utime import *

_EPOCH = 946684800  # Unix time of 2000-01-01
_offset = vb_rpc.call("rtc", "offset")  # of our time() to Unix time


def _set(now):
    global _offset
    _offset = now - int(utime.time())
    vb_rpc.cast("rtc", "set_offset", _offset)


def time():
    return int(utime.time()) + _offset


def time_ns():
    return utime.time_ns() + _offset * 1000000000


def gmtime(secs=None):
    return utime.gmtime((time() if secs is None else secs) + _EPOCH)[:8]


localtime = gmtime


def mktime(t):
    return int(utime.mktime(t[:8])) - _EPOCH
