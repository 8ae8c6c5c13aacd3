"""In the VM: what the firmware does before boot.py. Called `start.py FD IMAGE DOOR` by ../process.py, with
-i for the REPL; that start.py imports this one, which is compiled (../standins.py).

Loads the stand-ins, sets the heap to what the chip has, mounts LittleFS at / and ROMFS at /rom, runs boot.py and,
unless that raised or the console is in raw REPL, main.py. Afterwards the VM goes to its REPL.
"""

import gc
import sys

import vb_rpc

_HOLES = 24576  # bytes
_GROWN = 3000  # bytes; less than any enlargement of the table of names takes, more than a name


def _run(name):
    """As pyexec_file_if_exists() of the port: a failure is printed; True if it ended well."""
    import os

    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name, __import__("__main__").__dict__)  # noqa: F821  (MicroPython has it); the REPL's names
    except SystemExit:
        return True
    except BaseException as e:  # noqa: BLE001  (reported, as the port does)
        sys.print_exception(e)
        return False
    return True


def _mount(path, offset, blocks):
    """As _boot.py and inisetup.py of the port, but for the access point that the latter sets up."""
    import os

    import flashbdev
    import vb_flash
    import vfs

    device = flashbdev.bdev = vb_flash.Flash(path, offset, blocks)
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(device), "/")
    except OSError:
        first = bytearray(4096)
        device.readblocks(0, first)
        if any(byte != 0xFF for byte in first):
            print("The filesystem appears to be corrupted.")  # inisetup.py says so for ever
            return
        print("Performing initial setup")
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(vfs.VfsLfs2(device), "/")
        with open("/boot.py", "w") as file:
            file.write("# This file is executed on every boot\nimport gc\ngc.collect()\n")
    os.chdir("/")


def _names():
    """Fill the table of names until it has grown. Some 230 names of the stand-ins are in it, on the chip they are in the
    firmware; without this the next doubling, 7 KB in a row, comes after 390 names of the node's, on the chip after 620."""
    free = gc.mem_free()
    number = 0
    while free - gc.mem_free() < _GROWN:
        free = gc.mem_free()
        hasattr(sys, "vb%d" % number)
        number += 1


def _heap(rom, free):
    """Occupy what the chip would not have: `free` bytes stay, in one piece. Returns the ballast, to be kept."""
    gc.collect()
    surplus = gc.mem_free() - free
    vb_rpc.cast("board", "heap", gc.mem_alloc() - len(rom), surplus)
    chain = None
    for _ in range(_HOLES // 32):  # one block each: they fill the holes that loading has left
        chain = (chain,)
    gc.collect()
    surplus = gc.mem_free() - free
    return chain, bytearray(surplus - 64)


def _start():
    vb_rpc.start(int(sys.argv[1]))
    path = sys.argv[2]
    rom_offset, rom_size, offset, blocks, cut, free, raw, skipped = vb_rpc.call("board", "hello")
    for standin in ("time", "vb_timer", "esp", "flashbdev", "machine", "network", "socket"):
        __import__(standin)  # from this folder; they stay in sys.modules
    sys.modules["tls"] = __import__("vb_tls")
    sys.modules["vb_timer"].start(int(sys.argv[3]))
    if skipped >= 0:
        __import__("select")
        sys.modules["time"]._warp(skipped)
    import vb_flash
    import vb_vfs as vfs

    device = vb_flash.Rom(path, rom_offset, rom_size)
    vfs._rom = device
    sys.modules["vfs"] = vfs
    rom = device.memory
    sys.path[:] = ["", ".frozen", "/rom", "/rom/lib", "/lib", "/"]
    sys.argv[:] = []
    _names()
    vb_rpc.ballast = _heap(rom, free)
    gc.threshold(free // 4)
    _mount(path, offset, blocks)
    try:
        vfs.mount(vfs.VfsRom(memoryview(rom)), "/rom")
    except (OSError, ValueError):
        pass  # no ROMFS in the partition; main.c ignores it too
    vb_flash.cut = cut
    vb_rpc.cast("board", "booted")
    ok = _run("boot.py")
    if raw:
        sys.stdout.write("\x1c")  # ../console.py: what follows is the friendly REPL's greeting
    elif ok:
        _run("main.py")


_start()
