"""In the VM: the flash chip as a block device over the image file. Every write is in the file when it returns."""

import vb_rpc

_BLOCK = 4096
_ERASED = b"\xff" * 256
cut = 0  # the power fails in that write or erase from now (0: never)


def _failing():
    global cut
    if cut:
        cut -= 1
        return cut == 0
    return False


class Flash:
    """LittleFS's part of the flash: `blocks` blocks from `offset`."""

    def __init__(self, path, offset, blocks):
        self._file = open(path, "r+b")  # noqa: SIM115  (open as long as the chip has power)
        self._offset = offset
        self._blocks = blocks

    def readblocks(self, number, buffer, offset=0):
        self._file.seek(self._offset + number * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=None):
        if offset is None:  # as in the port's flashbdev.py
            self.ioctl(6, number)
            offset = 0
        self._file.seek(self._offset + number * _BLOCK + offset)
        if _failing():
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
                if _failing():
                    vb_rpc.call("board", "power_cut")
                self._file.write(_ERASED)
        if op in (3, 6):
            return 0


class Rom:
    """The ROMFS partition. On the chip it is in memory-mapped flash; here a copy of it has to be in the heap."""

    def __init__(self, path, offset, size):
        self._file = open(path, "r+b")  # noqa: SIM115  (open as long as the chip has power)
        self._offset = offset
        self.memory = bytearray(size)
        self._file.seek(offset)
        self._file.readinto(self.memory)

    def erase(self, size):
        """Erase the blocks of the first `size` bytes."""
        for at in range(0, size, _BLOCK):
            failing = _failing()
            for i in range(at, at + (_BLOCK // 2 if failing else _BLOCK), len(_ERASED)):
                self._store(i, _ERASED)
            if failing:
                vb_rpc.call("board", "power_cut")

    def write(self, at, data):
        """Clear bits, as flash does."""
        failing = _failing()
        size = len(data) // 2 if failing else len(data)
        self._store(at, bytes([self.memory[at + i] & data[i] for i in range(size)]))
        if failing:
            vb_rpc.call("board", "power_cut")

    def _store(self, at, data):
        self.memory[at : at + len(data)] = data
        self._file.seek(self._offset + at)
        self._file.write(data)
