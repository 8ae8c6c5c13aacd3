"""In the VM: what the firmware does before boot.py. Called `start.py FD IMAGE` by ../process.py, with -i for the REPL.

Loads the stand-ins, sets the heap to what the chip has, mounts LittleFS at / and ROMFS at /rom, runs boot.py and,
unless that raised or the console is in raw REPL, main.py. Afterwards the VM goes to its REPL.
"""

import gc
import sys

import rpc


def _run(name):
    """As pyexec_file_if_exists() of the port: a failure is printed; True if it ended well."""
    import os

    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name)
    except SystemExit:
        return True
    except BaseException as e:  # noqa: BLE001  (reported, as the port does)
        sys.print_exception(e)
        return False
    return True


def _mount(path, offset, blocks, cut):
    import flash
    import vfs

    device = flash.Flash(path, offset, blocks, cut)
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(device), "/")
    except OSError:
        print("The filesystem appears to be corrupted.")  # inisetup.py of the port says so for ever
        return
    import os

    os.chdir("/")


def _heap(rom, free):
    """Occupy what the chip would not have: `free` bytes stay. Returns what the ballast is, to be kept."""
    gc.collect()
    surplus = gc.mem_free() - free
    rpc.cast("board", "heap", gc.mem_alloc() - (len(rom) if rom else 0), surplus)
    return bytearray(surplus - 32) if surplus > 64 else None


def _start():
    rpc.start(int(sys.argv[1]))
    path = sys.argv[2]
    rom_offset, rom_size, offset, blocks, cut, free, raw = rpc.call("board", "hello")
    import esp
    import flash
    import machine
    import network
    import socket
    import time
    import vfs

    rom = flash.read_rom(path, rom_offset, rom_size) if rom_size else None
    sys.path[:] = ["", ".frozen", "/rom", "/rom/lib", "/lib", "/"]
    sys.argv[:] = []
    rpc.ballast = _heap(rom, free)
    gc.threshold(free // 4)
    _mount(path, offset, blocks, cut)
    if rom:
        vfs.mount(vfs.VfsRom(memoryview(rom)), "/rom")
    rpc.cast("board", "booted")
    if _run("boot.py") and not raw:
        _run("main.py")
    rpc.cast("board", "repl")


_start()
