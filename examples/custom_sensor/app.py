"""A sensor of one's own: soil moisture in % from a capacitive probe at A0, the middle of seven samples, every minute.

What is added to the node goes the way of all readings: queue, broker, Home Assistant (there by hand, see docs/extend.md).
For one with filters, a period in the settings and discovery, write a driver instead: docs/sensors.md.
"""

import asyncio

from machine import ADC
from node.extend import add

PERIOD = 60  # s
DRY = 820  # what the probe gives in air
WET = 410  # what it gives in water
SAMPLES = 7


def percent(raw: int) -> float:
    """0 for dry, 100 for wet."""
    share = 100 * (DRY - raw) / (DRY - WET)
    return min(100.0, max(0.0, share))


async def run(node) -> None:
    """Runs beside the rest of the node."""
    adc = ADC(0)
    while True:
        samples = []
        for _ in range(SAMPLES):
            samples.append(adc.read())
            await asyncio.sleep_ms(20)
        samples.sort()
        add(node, [("soil_moisture", percent(samples[SAMPLES // 2]), "%", 1)])
        await asyncio.sleep(PERIOD)
