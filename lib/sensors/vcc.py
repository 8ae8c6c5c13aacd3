"""The supply voltage, by the chip's own converter. Needs nothing wired to A0, and byte 107 of the chip's RF data set to
255 (the port's tutorial: esp.flash_write of esp_init_data); else the chip answers 65535.
"""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

NOT_SET_UP = 65535


class Driver:
    """No fields of its own; it takes the pin A0, which is the converter's other use."""

    FIELDS: tuple = (("voltage", "V", 2, 1.7, 4.0),)

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._board = board
        spec.pin("pin", board, "analog", default="A0")
        self._adc: "Any" = None

    async def start(self) -> None:
        """Set up the converter."""
        self._adc = self._board.machine.ADC(1)

    async def read(self) -> list:
        """[V]"""
        raw = self._adc.read()  # in 1/1024 V
        if raw == NOT_SET_UP:
            raise ReadError("the chip is not set up to measure its supply (RF data byte 107 is not 255)")
        return [raw / 1024]
