"""On the board: puts a staged deployment in place. boot.py calls apply() as long as there is a file /staged.

/staged comes into being by one rename, when all of the deployment has arrived and was checked (tools/deploy.py). Each
step here can be repeated, so a power cut at any moment means that the next boot goes on: the old program runs, or the new
one, whole. LittleFS may refuse to remove a folder that a power cut has left odd, so nothing depends on /staging being gone.

    /staged                 paths to remove, one a line
    /staging/rom.img        the ROMFS image, for its partition
    /staging/lib+a+b.mpy    anything else: the file /lib/a/b.mpy
"""

import os

_SWITCH = "/staged"
_STAGING = "/staging"
_ROM = "rom.img"
_BLOCK = 4096
_TRIES = 3


def apply() -> None:
    """Put everything in place, then reset. Raises OSError if the flash does not take the image."""
    names = os.listdir(_STAGING)
    if _ROM in names:
        _rom(_STAGING + "/" + _ROM)
    for name in names:
        if name != _ROM:
            path = "/" + name.replace("+", "/")
            _folders(path)
            os.rename(_STAGING + "/" + name, path)
    with open(_SWITCH) as file:
        for line in file:
            _remove(line.strip())
    _remove(_STAGING + "/" + _ROM)
    os.remove(_SWITCH)
    print("update: done")
    import machine

    machine.reset()


def _folders(path: str) -> None:
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.args[0] != 17:  # EEXIST
                raise
        at = path.find("/", at + 1)


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError as e:
        if e.args[0] != 2:  # ENOENT: removed before a power cut
            raise


def _rom(path: str) -> None:
    """Write the partition, unless it holds the image already."""
    import vfs

    rom = memoryview(vfs.rom_ioctl(2, 0))
    size = os.stat(path)[6]
    for _ in range(_TRIES):
        with open(path, "rb") as file:
            if _same(file, rom):
                return
            print("update: writing %d bytes of ROMFS" % size)
            _check(vfs.rom_ioctl(3, 0, max(size, _end(rom))))  # nothing of a longer one stays
            for block in range((size - 1) // _BLOCK, -1, -1):  # the header last: a torn image is no ROMFS
                at = block * _BLOCK
                file.seek(at)
                data = file.read(_BLOCK)
                data += b"\xff" * (-len(data) % 4)  # the flash is written in words
                _check(vfs.rom_ioctl(4, 0, at, data))
                print("update: %d of %d" % (size - at, size))
    raise OSError("ROMFS differs from what was written")


def _end(rom) -> int:
    """Where the blocks that are not empty end."""
    blank = b"\xff" * _BLOCK
    end = len(rom)
    while end and bytes(rom[end - _BLOCK : end]) == blank:
        end -= _BLOCK
    return end


def _check(code: int) -> None:
    if code < 0:
        raise OSError(-code)


def _same(file, rom) -> bool:
    at = 0
    while True:
        data = file.read(_BLOCK)
        if not data:
            return True
        if bytes(rom[at : at + len(data)]) != data:
            return False
        at += len(data)
