"""A display: the temperature on four digits with a TM1637 (CLK at D5, DIO at D6).

The TM1637 has a two wire bus of its own (Titan Micro data sheet, V2.4): a start and a stop condition as in I2C, bytes
with the lowest bit first, an acknowledge, no address. Both lines are pulled up on the module.
"""

from machine import Pin
from micropython import const

CLK = 14  # D5
DIO = 12  # D6
_DATA = const(0x40)  # write, address counts up
_ADDRESS = const(0xC0)  # of the first digit
_SHOW = const(0x8A)  # display on, third of eight steps of brightness
DIGITS = b"\x3f\x06\x5b\x4f\x66\x6d\x7d\x07\x7f\x6f"  # segments a to g in bits 0 to 6
MINUS = 0x40
DEGREE = 0x63
BLANK = 0x00


def segments(value: "float | None") -> bytes:
    """Four digits: " 21°", "-12°", dashes for what does not fit or is not known."""
    if value is None or not -99 <= round(value) <= 999:
        return bytes((MINUS, MINUS, MINUS, MINUS))
    text = "%3d" % round(value)
    found = bytearray()
    for c in text:
        found.append(BLANK if c == " " else MINUS if c == "-" else DIGITS[ord(c) - 48])
    found.append(DEGREE)
    return bytes(found)


class TM1637:
    """Four digits. A module that is not there is not noticed: the acknowledge is not asked for."""

    def __init__(self, clk: Pin, dio: Pin) -> None:
        self._clk = clk
        self._dio = dio
        clk.init(Pin.OUT, value=1)
        dio.init(Pin.OUT, value=1)

    def show(self, digits: bytes) -> None:
        """Four bytes of segments."""
        self._send(bytes((_DATA,)))
        self._send(bytes((_ADDRESS,)) + digits)
        self._send(bytes((_SHOW,)))

    def _send(self, data: bytes) -> None:
        self._dio.value(0)  # start: data falls while the clock is high
        self._clk.value(0)
        for byte in data:
            for bit in range(8):
                self._dio.value(byte >> bit & 1)
                self._clk.value(1)
                self._clk.value(0)
            self._dio.init(Pin.IN)  # the module acknowledges
            self._clk.value(1)
            self._clk.value(0)
            self._dio.init(Pin.OUT, value=0)
        self._clk.value(1)
        self._dio.value(1)  # stop: data rises while the clock is high


def setup(node) -> None:
    """Called once, before the first reading."""
    display = TM1637(Pin(CLK), Pin(DIO))
    display.show(segments(None))

    def show(readings: list) -> None:
        for name, value, _, _ in readings:
            if name == "temperature":
                display.show(segments(value))

    node.on_readings = show
