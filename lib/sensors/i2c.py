"""A chip on the I2C bus: address, transfers, and what is checked before every one of them. Base of the I2C drivers."""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

HZ = 100_000
STRETCH_US = 2_000  # how long a chip may hold the clock; the port's own 50 ms would stall the node


class Device:
    """`addresses`: those the chip can have, as text, the usual one first: "0x76 0x77"."""

    def __init__(self, spec: "Spec", board: "Any", addresses: str) -> None:
        usual = addresses[:4]
        esp01 = board.name == "esp01"
        self._scl = spec.pin("scl", board, "bus", default=None if esp01 else 5)
        self._sda = spec.pin("sda", board, "bus", default=None if esp01 else 4)
        if self._scl == self._sda:
            raise spec.fault("sda", "another pin than scl")
        self.address = int(spec.choice("address", addresses, usual), 16)
        self._board = board
        self.clock = board.clock
        self._bus: "Any" = None

    def open(self) -> None:
        """Get the bus, freed if a chip holds it. ReadError if it stays stuck."""
        self._bus = self._board.shared((self._scl, self._sda), self._make_bus)
        if not self._rescue():
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

    def _make_bus(self) -> "Any":
        machine = self._board.machine
        pin = machine.Pin
        return machine.SoftI2C(scl=pin(self._scl), sda=pin(self._sda), freq=HZ, timeout=STRETCH_US)

    def _rescue(self) -> bool:
        """Free a data line held low by a chip that was cut off in the middle of a byte (I2C specification 3.1.16).

        True if both lines are high at the end. Leaves the pins as the bus wants them: open drain, released.
        """
        pin = self._board.machine.Pin
        data = pin(self._sda, pin.OPEN_DRAIN, pin.PULL_UP, value=1)
        clock = pin(self._scl, pin.OPEN_DRAIN, pin.PULL_UP, value=1)
        for _ in range(9):
            if data.value():
                break
            clock.value(0)  # the calls themselves take longer than half a clock, 5 µs
            clock.value(1)
        return bool(data.value() and clock.value())

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
