"""The seam to the hardware: hands out pins, buses, the ADC and the clock. Drivers reach silicon only through it.

Tests and the virtual board give their own `machine`; on the chip it is the real one. What the port freezes for single
parts (onewire, dht) is imported here and only when a driver asks for it.
"""

import asyncio
import gc
import time

from . import pins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

I2C_HZ = 100_000
I2C_STRETCH_US = 2_000  # how long a chip may hold the clock; the port's own 50 ms would stall the node
_A0 = 17  # in the table of taken pins, after the GPIOs
_RESCUE_US = 10  # half a clock


class Clock:
    """Time for the sensors. ticks wrap as time.ticks_ms does: compare with `diff` only."""

    def ms(self) -> int:
        """Milliseconds from any start."""
        return time.ticks_ms()

    def diff(self, end: int, start: int) -> int:
        """end - start in ms, right while they lie less than 6.2 days apart."""
        return time.ticks_diff(end, start)

    def add(self, start: int, ms: int) -> int:
        """The tick `ms` after `start`."""
        return time.ticks_add(start, ms)

    def time(self) -> int:
        """Seconds of the chip's clock (epoch 2000 on the chip, 1970 elsewhere)."""
        return int(time.time())

    async def sleep_ms(self, ms: int) -> None:
        """Let other tasks run for `ms`."""
        await asyncio.sleep_ms(ms)


class Board:
    """One board: `name` is a word of pins.BOARDS; `status` gives the node's state as a dict (see health.py).

    `warnings` collects what a user should know about the chosen pins.
    """

    def __init__(
        self,
        name: str = "nodemcu",
        machine: "Any" = None,
        clock: "Any" = None,
        status: "Callable[[], dict] | None" = None,
    ) -> None:
        if name not in pins.BOARDS.split():
            raise ValueError("board: one of %s wanted, not %r" % (pins.BOARDS, name))
        self.name = name
        self.clock = clock or Clock()
        self.status = status or dict
        self.warnings = []
        self._machine = machine
        self._claims = {}
        self._buses = {}

    @property
    def machine(self) -> "Any":
        """The module `machine` or its stand-in; imported at the first use, so that a node without wires needs none."""
        if self._machine is None:
            import machine

            self._machine = machine
        return self._machine

    def claim(self, name: "str | int", use: str, pull: str = "", owner: str = "") -> int:
        """Take a pin and return its GPIO number. ValueError says why it cannot be had; bus pins may be taken again."""
        number = pins.gpio(self.name, name)
        allowed, remark = pins.rule(number, use, pull)
        if not allowed:
            raise ValueError(remark)
        taken = self._claims.get(number)
        if taken and not (use == taken[0] == pins.BUS):
            raise ValueError("GPIO%d is already used by %s" % (number, taken[1]))
        if not taken:
            self._claims[number] = (use, owner)
            if remark:
                self.warnings.append("%s: %s" % (owner, remark))
        return number

    @property
    def claimed(self) -> tuple[int, ...]:
        """GPIO numbers that are taken."""
        return tuple(self._claims)

    def release(self, keep: tuple[int, ...]) -> None:
        """Give back every pin but those in `keep`: those a sensor took that could not be made after all."""
        for number in self.claimed:
            if number not in keep:
                del self._claims[number]

    def input(self, number: int, pull: str = "") -> "Any":
        """The pin as an input with .value(); `pull` is "" or "up"."""
        pin = self.machine.Pin
        return pin(number, pin.IN, pin.PULL_UP) if pull else pin(number, pin.IN)

    def output(self, number: int, value: int = 0) -> "Any":
        """The pin as an output, at `value` from the start."""
        pin = self.machine.Pin
        return pin(number, pin.OUT, value=value)

    def on_edge(self, pin: "Any", edge: str, handler: "Callable[[Any], None]") -> None:
        """Call `handler` (soon, not in the interrupt itself) at each "rising", "falling" or "both" edge."""
        rising, falling = self.machine.Pin.IRQ_RISING, self.machine.Pin.IRQ_FALLING
        trigger = rising if edge == "rising" else falling if edge == "falling" else rising | falling
        pin.irq(handler=handler, trigger=trigger)

    def i2c(self, scl: int, sda: int) -> "Any":
        """The I2C bus on these pins, one object for all who ask."""
        bus = self._buses.get((scl, sda))
        if bus is None:
            self.rescue(scl, sda)
            pin = self.machine.Pin
            bus = self.machine.SoftI2C(scl=pin(scl), sda=pin(sda), freq=I2C_HZ, timeout=I2C_STRETCH_US)
            self._buses[(scl, sda)] = bus
        return bus

    def rescue(self, scl: int, sda: int) -> bool:
        """Free a data line held low by a chip that was cut off in the middle of a byte (I2C specification 3.1.16).

        True if both lines are high at the end. Leaves the pins as the bus wants them: open drain, released.
        """
        pin = self.machine.Pin
        data = pin(sda, pin.OPEN_DRAIN, pin.PULL_UP, value=1)
        clock = pin(scl, pin.OPEN_DRAIN, pin.PULL_UP, value=1)
        for _ in range(9):
            if data.value():
                break
            clock.value(0)
            _wait_us(_RESCUE_US)
            clock.value(1)
            _wait_us(_RESCUE_US)
        return bool(data.value() and clock.value())

    def onewire(self, number: int) -> "Any":
        """The 1-Wire bus on this pin (the frozen onewire.OneWire), one object for all who ask."""
        bus = self._buses.get(number)
        if bus is None:
            import onewire

            bus = self._buses[number] = onewire.OneWire(self.machine.Pin(number))
        return bus

    def dht_readinto(self, pin: "Any", buffer: bytearray) -> None:
        """Run one DHT transfer (about 25 ms) into 5 bytes; OSError if the sensor does not answer."""
        import dht

        dht.dht_readinto(pin, buffer)

    def claim_adc(self, owner: str) -> None:
        """Take the one converter. ValueError if it is taken: it measures the pin A0 or the supply, not both."""
        taken = self._claims.get(_A0)
        if taken:
            raise ValueError("the analog input is already used by %s" % taken[1])
        self._claims[_A0] = (pins.INPUT, owner)

    def adc(self) -> int:
        """The analog input, 0 … 1024 for 0 … 1.0 V at the chip's pin (machine.ADC(0))."""
        return self._adc(0)

    def vdd(self) -> int:
        """The supply voltage in 1/1024 V (machine.ADC(1)); 65535 if the chip is not set up to measure it."""
        return self._adc(1)

    def _adc(self, channel: int) -> int:
        adc = self._buses.get(("adc", channel))
        if adc is None:
            adc = self._buses[("adc", channel)] = self.machine.ADC(channel)
        return adc.read()

    def echo_us(self, trigger: "Any", echo: "Any", longest_us: int) -> int:
        """Send a 10 µs pulse and measure the echo's length in µs; negative if none comes within `longest_us`."""
        trigger.value(1)
        _wait_us(10)
        trigger.value(0)
        return self.machine.time_pulse_us(echo, 1, longest_us)

    def free_heap(self) -> int | None:
        """Bytes free for Python objects; None where the VM does not say."""
        return gc.mem_free() if hasattr(gc, "mem_free") else None


def _wait_us(us: int) -> None:
    sleep_us = getattr(time, "sleep_us", None)
    if sleep_us:
        sleep_us(us)
