"""In the VM: the flash chip as a block device over the image file. Every write is in the file when it returns."""

import vb_rpc

_BLOCK = 4096
_ERASED = b"\xff" * 256


class Flash:
    """LittleFS's part of the flash: `blocks` blocks from `offset`. `cut`: the power fails in that write (0: never)."""

    def __init__(self, path, offset, blocks, cut):
        self._file = open(path, "r+b")  # noqa: SIM115  (open as long as the chip has power)
        self._offset = offset
        self._blocks = blocks
        self._cut = cut

    def _failing(self):
        self._cut -= 1
        return self._cut == 0

    def readblocks(self, number, buffer, offset=0):
        self._file.seek(self._offset + number * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=0):
        self._file.seek(self._offset + number * _BLOCK + offset)
        if self._cut and self._failing():
            self._file.write(memoryview(buffer)[: len(buffer) // 2])
            vb_rpc.call("board", "power_cut")
        self._file.write(buffer)

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return _BLOCK
        if op == 6:
            self._file.seek(self._offset + arg * _BLOCK)
            for _ in range(_BLOCK // len(_ERASED)):
                if self._cut and self._failing():
                    vb_rpc.call("board", "power_cut")
                self._file.write(_ERASED)
        if op in (3, 6):
            return 0


def read_rom(path, offset, size):
    """The ROMFS. On the chip it is in memory-mapped flash; here it has to be in the heap."""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)
