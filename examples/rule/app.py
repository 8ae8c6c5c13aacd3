"""A rule: the fan runs from 26 °C on, until it is below 25 °C.

Wants a sensor with a value `temperature` and an output `fan` in the settings. Works without broker and network.
"""

import asyncio

from node.extend import switch

ON_FROM = 26.0  # °C
OFF_BELOW = 25.0  # °C


class Fan:
    """Switches with hysteresis; None until the first reading decides."""

    def __init__(self, node) -> None:
        self.node = node
        self.on: bool | None = None

    def readings(self, readings: list) -> None:
        """Called with each group of readings, [(name, value, unit, precision), ...]."""
        for name, value, _, _ in readings:
            if name != "temperature":
                continue
            wanted = value >= ON_FROM if not self.on else value >= OFF_BELOW
            if wanted != self.on:
                self.on = wanted
                self.node.log(1, "fan: %s at %.1f degrees" % ("on" if wanted else "off", value))
                asyncio.create_task(switch(self.node, "fan", wanted))


def setup(node) -> None:
    """Called once, before the first reading."""
    node.on_readings = Fan(node).readings
