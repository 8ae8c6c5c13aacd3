"""The chip in boot loader mode: Espressif's serial protocol on a pty, in front of the flash image file.

For the real esptool. What it sends is written to the file that a `Board` boots from afterwards. The ROM's commands are
those of the ESP8266; once esptool has loaded its stub into RAM, the stub's commands are answered too, but the stub's
code is not run: this file only speaks its protocol. `Faults` are what can go wrong on a line, in a chip, in a flash.
"""

from __future__ import annotations

import hashlib
import os
import pty
import select
import struct
import termios
import threading
import tty
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECTOR = 4096
CHIP_MAGIC_REGISTER = 0x40001000
CHIPS = {"ESP8266": 0xFFF0C101, "ESP32": 0x00F01D83, "ESP32-S2": 0x000007C6}
REGISTERS = {
    0x3FF00050: 0x56000000,  # MAC, as Board's chip_id is 12:34:56
    0x3FF00054: 0x00001234,
    0x60000014: 451,  # UART clock divider: 26 MHz crystal
}
SPI_CMD, SPI_USR2, SPI_W0 = 0x60000200, 0x60000224, 0x60000240
SPI_CMD_USR = 1 << 18
READ_ID = 0x9F
FLASH_MAKER = 0xEF  # Winbond

OK, INVALID_MESSAGE, FAILED, BAD_CHECKSUM = 0, 0x05, 0x06, 0x07
STUB_STATUS = {OK: b"\0\0", INVALID_MESSAGE: b"\xc3\0", FAILED: b"\xc4\0", BAD_CHECKSUM: b"\xc1\0"}
ROM_SYNC_VALUE = 0x20120707  # the stub answers 0
_BAUD = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


@dataclass
class Faults:
    """broken_blocks: how many flash blocks arrive damaged. lose: bytes at the end of each block that are not written.

    max_baud: above this rate the line carries nothing. silent: nobody answers. cut_after: bytes after which the cable
    is pulled.
    """

    broken_blocks: int = 0
    lose: int = 0
    max_baud: int = 0
    silent: bool = False
    cut_after: int = 0


class BootLoader:
    """with BootLoader(image, ...) as chip: esptool talks to chip.path. The image is made if it is missing."""

    def __init__(
        self, image: Path, *, chip: str = "ESP8266", flash_size: int = 4 * 1024 * 1024, faults: Faults | None = None
    ) -> None:
        self.image = image
        self.faults = faults or Faults()
        self.commands: list[int] = []  # that came, in order
        self.erased = 0  # bytes
        self.written = 0  # bytes
        self._magic = CHIPS[chip]
        self._size = flash_size
        if not image.exists() or image.stat().st_size != flash_size:
            image.write_bytes(b"\xff" * flash_size)
        self._registers = dict(REGISTERS)
        self._stub = False
        self._at = self._left = 0
        self._block = 0
        self._inflate: zlib._Decompress | None = None
        self._received = 0
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave  # held open: the pty outlives esptool's closing and opening of it
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._main, name="bootloader", daemon=True)
        self._thread.start()

    def __enter__(self) -> BootLoader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Power off."""
        os.write(self._stop_w, b"x")
        self._thread.join()
        for descriptor in (self._stop_r, self._stop_w, self._slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)

    # -- the line

    def _main(self) -> None:
        packet: bytearray | None = None
        escaped = False
        with self.image.open("r+b") as self._file:
            while True:
                ready, _, _ = select.select([self._master, self._stop_r], [], [])
                if self._stop_r in ready:
                    return
                data = os.read(self._master, 4096)
                self._received += len(data)
                if self.faults.cut_after and self._received > self.faults.cut_after:
                    os.close(self._slave)
                    os.close(self._master)
                    self._slave = self._master = -1
                    select.select([self._stop_r], [], [])
                    return
                if self._deaf():
                    continue
                for byte in data:
                    if byte == 0xC0:
                        if packet:
                            self._packet(bytes(packet))
                            packet = None
                        else:
                            packet = bytearray()
                    elif packet is None:
                        continue
                    elif escaped:
                        packet.append({0xDC: 0xC0, 0xDD: 0xDB}.get(byte, byte))
                        escaped = False
                    elif byte == 0xDB:
                        escaped = True
                    else:
                        packet.append(byte)

    def _deaf(self) -> bool:
        rate = _BAUD.get(termios.tcgetattr(self._master)[5], 0)
        return self.faults.silent or bool(self.faults.max_baud and rate > self.faults.max_baud)

    def _send(self, packet: bytes) -> None:
        data = b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
        while data:
            data = data[os.write(self._master, data) :]

    def _answer(self, op: int, status: int = OK, value: int = 0, data: bytes = b"") -> None:
        body = data + (STUB_STATUS[status] if self._stub else bytes([1 if status else 0, status]))
        self._send(struct.pack("<BBHI", 1, op, len(body), value) + body)

    # -- the commands

    def _packet(self, packet: bytes) -> None:
        if len(packet) < 8 or packet[0] != 0:
            return
        _, op, size, checksum = struct.unpack_from("<BBHI", packet)
        body = packet[8:]
        self.commands.append(op)
        if len(body) != size:
            self._answer(op, INVALID_MESSAGE)
            return
        handler = _HANDLERS.get(op)
        if handler is None or (op >= 0x0B and not self._stub):
            self._answer(op, INVALID_MESSAGE)
            return
        if op in _WITH_CHECKSUM and _checksum(body[16:]) != checksum & 0xFF:
            self._answer(op, BAD_CHECKSUM)
            return
        handler(self, op, body)

    def _sync(self, op: int, body: bytes) -> None:
        for _ in range(8):
            self._answer(op, value=0 if self._stub else ROM_SYNC_VALUE)

    def _read_register(self, op: int, body: bytes) -> None:
        (address,) = struct.unpack_from("<I", body)
        value = self._magic if address == CHIP_MAGIC_REGISTER else self._registers.get(address, 0)
        self._answer(op, value=value)

    def _write_register(self, op: int, body: bytes) -> None:
        for address, value, mask, _ in struct.iter_unpack("<IIII", body[: len(body) // 16 * 16]):
            self._registers[address] = self._registers.get(address, 0) & ~mask | value & mask
            if address == SPI_CMD and value & SPI_CMD_USR:
                self._registers[SPI_CMD] = 0
                read_id = self._registers.get(SPI_USR2, 0) & 0xFF == READ_ID
                self._registers[SPI_W0] = self._flash_id() if read_id else 0
        self._answer(op)

    def _flash_id(self) -> int:
        """Maker, type, and the size as a power of two."""
        return FLASH_MAKER | 0x40 << 8 | (self._size.bit_length() - 1) << 16

    def _accept(self, op: int, body: bytes) -> None:
        self._answer(op)

    def _memory_end(self, op: int, body: bytes) -> None:
        self._answer(op)
        if struct.unpack_from("<II", body)[1]:
            self._stub = True
            self._send(b"OHAI")

    def _flash_begin(self, op: int, body: bytes) -> None:
        _, blocks, block, offset = struct.unpack_from("<IIII", body)
        if offset + blocks * block > self._size + block:
            self._answer(op, FAILED)
            return
        self._inflate = None
        self._at, self._block = offset, block
        if not self._stub:
            self._erase(
                offset, blocks * block
            )  # the ROM's own sum of sectors is known to be wrong; esptool allows for it
        self._left = blocks * block
        self._answer(op)

    def _deflated_begin(self, op: int, body: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<IIII", body)
        if offset + size > self._size:
            self._answer(op, FAILED)
            return
        self._at, self._left = offset, size
        self._inflate = zlib.decompressobj()
        self._answer(op)

    def _flash_data(self, op: int, body: bytes) -> None:
        data = body[16:]
        if self.faults.broken_blocks:
            self.faults.broken_blocks -= 1
            self._answer(op, BAD_CHECKSUM)
            return
        if self._inflate is not None:
            try:
                data = self._inflate.decompress(data)
            except zlib.error:
                self._answer(op, FAILED)
                return
        data = data[: self._left]
        if self._stub:  # it erases as it writes
            first = -(-self._at // SECTOR) * SECTOR
            if self._at % SECTOR == 0 or first < self._at + len(data):
                self._erase(first, self._at + len(data) - first)
        self._program(data)
        self._answer(op)

    def _program(self, data: bytes) -> None:
        """Clear bits, as flash does."""
        self._file.seek(self._at)
        old = self._file.read(len(data))
        new = (int.from_bytes(old, "big") & int.from_bytes(data, "big")).to_bytes(len(data), "big")
        self._file.seek(self._at)
        self._file.write(new[: len(new) - self.faults.lose] if self.faults.lose else new)
        self._file.flush()
        self._at += len(data)
        self._left -= len(data)
        self.written += len(data)

    def _erase(self, offset: int, size: int) -> None:
        first = offset // SECTOR * SECTOR
        end = min(self._size, -(-(offset + size) // SECTOR) * SECTOR)
        self._file.seek(first)
        self._file.write(b"\xff" * max(0, end - first))
        self._file.flush()
        self.erased += max(0, end - first)

    def _erase_flash(self, op: int, body: bytes) -> None:
        self._erase(0, self._size)
        self._answer(op)

    def _erase_region(self, op: int, body: bytes) -> None:
        self._erase(*struct.unpack_from("<II", body))
        self._answer(op)

    def _md5(self, op: int, body: bytes) -> None:
        offset, size = struct.unpack_from("<II", body)
        self._file.seek(offset)
        self._answer(op, data=hashlib.md5(self._file.read(size), usedforsecurity=False).digest())


def _checksum(data: bytes) -> int:
    state = 0xEF
    for byte in data:
        state ^= byte
    return state


_WITH_CHECKSUM = (0x03, 0x07, 0x11)
_HANDLERS: dict[int, Callable[[BootLoader, int, bytes], None]] = {
    0x02: BootLoader._flash_begin,
    0x03: BootLoader._flash_data,
    0x04: BootLoader._accept,  # flash end
    0x05: BootLoader._accept,  # memory begin
    0x06: BootLoader._memory_end,
    0x07: BootLoader._accept,  # memory data
    0x08: BootLoader._sync,
    0x09: BootLoader._write_register,
    0x0A: BootLoader._read_register,
    # from here on the stub's
    0x0B: BootLoader._accept,  # flash parameters
    0x0D: BootLoader._accept,  # attach flash
    0x0F: BootLoader._accept,  # baud rate
    0x10: BootLoader._deflated_begin,
    0x11: BootLoader._flash_data,
    0x12: BootLoader._accept,
    0x13: BootLoader._md5,
    0xD0: BootLoader._erase_flash,
    0xD1: BootLoader._erase_region,
}
