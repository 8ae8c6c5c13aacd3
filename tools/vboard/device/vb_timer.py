"""In the VM: the armed machine.Timers. The host knocks every 100 ms (../launch.py), which runs `tick` between bytecodes.

So a callback comes while other code runs, loops for ever or waits for an answer of the silicon, as on the chip. (`hard`
makes no difference here: the callbacks run when a soft one would.)
"""

# ruff: noqa: D103
import struct
import time

import uctypes
import vb_rpc

_PERIOD_MS = 100
armed = []
_door = 0  # address of three 32-bit words that launch.py reads: our `tick`, and 1


def start(door):
    global _door
    _door = door


def arm(timer):
    if not armed:
        uctypes.bytearray_at(_door, 12)[:] = struct.pack("<QI", id(tick), 1)
        vb_rpc.cast("board", "knock", _PERIOD_MS)
    if timer not in armed:
        armed.append(timer)


def disarm(timer):
    if timer in armed:
        armed.remove(timer)


def until(ms):
    """At most `ms`: until the next timer is due."""
    for timer in armed:
        ms = min(ms, max(1, time.ticks_diff(timer.due, time.ticks_ms())))
    return ms


def tick(_):
    for timer in armed:
        late = time.ticks_diff(time.ticks_ms(), timer.due)
        if late >= 0:
            if timer.mode:
                timer.due = time.ticks_add(timer.due, (late // timer.period + 1) * timer.period)
            else:
                disarm(timer)
            timer.callback(timer)
