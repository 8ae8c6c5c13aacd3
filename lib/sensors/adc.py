"""Analog input A0: a voltage, a level, a soil probe, a thermistor's divider.

The chip's ADC measures 0 … 1.0 V in 1024 steps; NodeMCU and D1 mini divide 3.2 V down to that (220 kΩ / 100 kΩ).
Reading it again within about 3 ms disturbs WiFi, so several samples are taken with a pause between.
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec


class Driver:
    """value = (volts at the board's pin) · `scale` + `offset`, in `unit`.

    `divider`: volts at the pin for 1 V at the chip (default: the board's own); `samples`: how many are averaged;
    `value`: its name; `lowest`, `highest`: what is outside is an error.
    """

    def __init__(self, spec: "Spec", board: "Any") -> None:
        spec.pin("pin", board, "analog", default="A0")
        self._board = board
        self._adc: "Any" = None
        divider = spec.number("divider", 0.1, 100, 3.2 if board.name in ("nodemcu", "d1_mini") else 1.0)
        scale = spec.number("scale", -1e6, 1e6, 1)
        self._offset = spec.number("offset", -1e6, 1e6, 0)
        self._samples = spec.integer("samples", 1, 32, 4)
        self._per_step = divider * scale / (1024 * self._samples)
        low = spec.get("lowest")
        high = spec.get("highest")
        if low is not None:
            spec.number("lowest", -1e9, 1e9)
        if high is not None and spec.number("highest", -1e9, 1e9) <= (-1e9 if low is None else low):
            raise spec.fault("highest", "a number above lowest")
        precision = spec.integer("precision", 0, 6, 3)
        self.FIELDS = ((spec.word("value", "voltage"), spec.text("unit", 8, "V"), precision, low, high),)

    async def start(self) -> None:
        """Set up the converter."""
        self._adc = self._board.machine.ADC(0)

    async def read(self) -> list:
        """[value]"""
        total = 0
        for i in range(self._samples):
            if i:
                await self._board.clock.sleep_ms(5)
            total += self._adc.read()
        return [total * self._per_step + self._offset]
