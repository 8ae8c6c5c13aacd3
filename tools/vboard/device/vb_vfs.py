"""In the VM: module `vfs` with the port's `rom_ioctl`, for `mpremote romfs` and firmware/device/update.py.

As ports/esp8266/vfs_rom_ioctl.c: one partition, seen as a memoryview; erased from its start, written in words, and
no answer to the query for a block size. start.py puts this module in the place of the built-in one.
"""

# ruff: noqa: D103, F403
from vfs import *

_rom = None  # vb_flash.Rom
_EINVAL = 22


def rom_ioctl(op, *args):
    if op == 1:
        return 1
    if op == 2:
        return memoryview(_rom.memory)
    if op == 3:
        _rom.erase(args[1])
        return 4
    if op == 4:
        _rom.write(args[1], args[2])
        return 0
    return -_EINVAL
