"""The supply voltage, by the chip's own converter. Needs nothing wired to A0, and byte 107 of the chip's RF data set to
255 (the port's tutorial: esp.flash_write of esp_init_data); else the chip answers 65535.
"""

from .sensor import ReadError
from .spec import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOT_SET_UP = 65535


class Driver:
    """No fields of its own."""

    FIELDS = (("voltage", "V", 2, 1.7, 4.0),)

    def __init__(self, spec: Spec, board: "Any") -> None:
        self._board = board
        try:
            board.claim_adc(spec.where)
        except ValueError as e:
            raise spec.fault("type", "a free converter: %s;" % e)

    async def read(self) -> list:
        """[V]"""
        raw = self._board.vdd()
        if raw == NOT_SET_UP:
            raise ReadError("the chip is not set up to measure its supply (RF data byte 107 is not 255)")
        return [raw / 1024]
