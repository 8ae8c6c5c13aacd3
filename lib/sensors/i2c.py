"""A chip on the I2C bus: address, transfers, and what is checked before every one of them. Base of the I2C drivers."""

from . import pins
from .sensor import ReadError
from .spec import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Device:
    """`addresses`: those the chip can have, as text, the usual one first: "0x76 0x77"."""

    def __init__(self, spec: Spec, board: "Any", addresses: str) -> None:
        usual = addresses[:4]
        esp01 = board.name == "esp01"
        self._scl = spec.pin("scl", board, pins.BUS, default=None if esp01 else 5)
        self._sda = spec.pin("sda", board, pins.BUS, default=None if esp01 else 4)
        if self._scl == self._sda:
            raise spec.fault("sda", "another pin than scl")
        self.address = int(spec.choice("address", addresses, usual), 16)
        self._board = board
        self.clock = board.clock
        self._bus = None

    def open(self) -> None:
        """Get the bus, freed if a chip holds it. ReadError if it stays stuck."""
        self._bus = self._board.i2c(self._scl, self._sda)
        if not self._board.rescue(self._scl, self._sda):
            raise ReadError("I2C bus stuck: a line is held low (wiring, or pull-ups missing)")

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._bus.writeto(self.address, data)
        except OSError as e:
            raise self._absent(e)

    def fill(self, buffer: bytearray) -> None:
        """Fill `buffer`."""
        self._check_idle()
        try:
            self._bus.readfrom_into(self.address, buffer)
        except OSError as e:
            raise self._absent(e)

    def read_register(self, register: int, buffer: bytearray) -> None:
        """Fill `buffer` from `register` on."""
        self._check_idle()
        try:
            self._bus.readfrom_mem_into(self.address, register, buffer)
        except OSError as e:
            raise self._absent(e)

    def _check_idle(self) -> None:
        # A data line held low reads as an acknowledge and zeros: a chip without a checksum would seem to answer.
        if not self._board.machine.Pin(self._sda).value():
            raise ReadError("I2C bus stuck: SDA is held low")

    def _absent(self, error: OSError) -> ReadError:
        return ReadError("no answer at 0x%02x (%s)" % (self.address, error))


def crc8(data: bytes, start: int, end: int) -> int:
    """CRC-8 of data[start:end], polynomial 0x31, initial value 0xFF (SHT3x data sheet 4.12, AHT20 data sheet 5.4.4)."""
    crc = 0xFF
    for i in range(start, end):
        crc ^= data[i]
        for _ in range(8):
            crc = ((crc << 1) ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc
