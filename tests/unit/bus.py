"""Stand-ins for silicon, at the level of registers and bytes: what the drivers' data sheets promise, and its faults.

    machine = Machine(clock); machine.chips[0x76] = Bme280Chip(clock); board = make_board(machine)

`machine` stands for the module of that name; `board` is the real sensors.Board on top of it. No test of its own.
"""

import asyncio
import sys

from sensors import Board

ENODEV = 19
ETIMEDOUT = 110


class Clock:
    """Time that passes only by sleeping in it."""

    def __init__(self, start=0):
        self.now = start
        self.epoch = 0

    def ticks(self):
        return self.now

    def ticks_diff(self, end, start):
        return end - start

    def ticks_add(self, start, ms):
        return start + ms

    def time(self):
        return self.epoch + self.now // 1000

    async def sleep_ms(self, ms):
        self.now += ms
        await asyncio.sleep(0)


class Pin:
    """A line. `level` is what the outside drives (None: nothing); `held` wins over all; open drain idles high."""

    IN, OUT, OPEN_DRAIN, PULL_UP, IRQ_RISING, IRQ_FALLING = 0, 1, 2, 1, 1, 2

    def __init__(self, number):
        self.number = number
        self.mode = self.pull = None
        self.level = None
        self.out = 1
        self.held = None
        self.handler = None
        self.trigger = 0
        self.falls = 0  # of our own driving
        self.on_clock = None  # called at each fall

    def setup(self, mode, pull, value):
        if self.number == 16 and (pull or mode == self.OPEN_DRAIN):
            raise ValueError("Pin(16) has neither pull-up nor open drain")
        self.mode, self.pull = mode, pull
        if value is not None:
            self.out = value

    def value(self, value=None):
        if value is not None:
            if self.out and not value:
                self.falls += 1
                if self.on_clock:
                    self.on_clock()
            self.out = value
            return None
        if self.held is not None:
            return self.held
        if self.mode == self.OUT or (self.mode == self.OPEN_DRAIN and not self.out):
            return self.out
        if self.level is not None:
            return self.level
        return 1 if self.pull or self.mode == self.OPEN_DRAIN else 0

    def irq(self, handler=None, trigger=0):
        if self.number == 16:
            raise ValueError("Pin(16) has no interrupt")
        self.handler, self.trigger = handler, trigger

    def drive(self, level):
        """The outside sets the line; the interrupt runs if it is due."""
        before = self.value()
        self.level = level
        edge = self.IRQ_RISING if level > before else self.IRQ_FALLING if level < before else 0
        if self.handler and edge & self.trigger:
            self.handler(self)


class PinMaker:
    """machine.Pin: one object a number, set up again by each call with a mode."""

    IN, OUT, OPEN_DRAIN, PULL_UP = Pin.IN, Pin.OUT, Pin.OPEN_DRAIN, Pin.PULL_UP
    IRQ_RISING, IRQ_FALLING = Pin.IRQ_RISING, Pin.IRQ_FALLING

    def __init__(self):
        self.made = {}

    def __call__(self, number, mode=None, pull=None, value=None):
        if number not in (0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16):
            raise ValueError("invalid pin")
        pin = self.made.setdefault(number, Pin(number))
        if mode is not None:
            pin.setup(mode, pull, value)
        return pin


class Machine:
    """The module `machine`. chips: address -> chip; adc: channel -> raw; echo: µs, or what time_pulse_us gives."""

    def __init__(self, clock=None):
        self.clock = clock or Clock()
        self.Pin = PinMaker()
        self.chips = {}
        self.adc = {}
        self.echoes = []
        self.wires = {}  # pin number -> OneWire
        self.dht = None  # 5 bytes, or an exception
        self.buses = 0

    def SoftI2C(self, scl, sda, freq, timeout):  # noqa: N802
        assert 0 < freq <= 400_000 and timeout <= 5000
        self.buses += 1
        scl.setup(Pin.OPEN_DRAIN, Pin.PULL_UP, 1)
        sda.setup(Pin.OPEN_DRAIN, Pin.PULL_UP, 1)
        return I2C(self, scl, sda)

    def ADC(self, channel):  # noqa: N802
        return Converter(self, channel)

    def time_pulse_us(self, pin, level, timeout_us):
        us = self.echoes.pop(0)
        return -1 if us > timeout_us else us


class Converter:
    def __init__(self, machine, channel):
        self.machine, self.channel = machine, channel
        self.read_at = None

    def read(self):
        now = self.machine.clock.ticks()
        assert self.read_at is None or now - self.read_at > 3, "read twice within 3 ms: WiFi suffers"
        self.read_at = now
        value = self.machine.adc[self.channel]
        return value.pop(0) if isinstance(value, list) else value


class I2C:
    """SoftI2C: a data line held low reads as acknowledge and zeros, a clock line held low as a time-out."""

    def __init__(self, machine, scl, sda):
        self.machine, self.scl, self.sda = machine, scl, sda

    def _chip(self, address):
        if not self.scl.value():
            raise OSError(ETIMEDOUT)
        if not self.sda.value():
            return None
        chip = self.machine.chips.get(address)
        if chip is None or not chip.present:
            raise OSError(ENODEV)
        return chip

    def writeto(self, address, data):
        chip = self._chip(address)
        if chip:
            chip.write(bytes(data))

    def readfrom_into(self, address, buffer):
        chip = self._chip(address)
        buffer[:] = chip.read(len(buffer)) if chip else bytes(len(buffer))

    def readfrom_mem_into(self, address, register, buffer):
        self.writeto(address, bytes((register,)))
        self.readfrom_into(address, buffer)


class Chip:
    present = True

    def __init__(self, clock):
        self.clock = clock
        self.ready_at = None

    def busy(self):
        return self.ready_at is None or self.clock.ticks() < self.ready_at


class RegisterChip(Chip):
    """256 registers and a pointer that moves on by itself."""

    def __init__(self, clock):
        Chip.__init__(self, clock)
        self.registers = bytearray(256)
        self.pointer = 0

    def write(self, data):
        self.pointer = data[0]
        for byte in data[1:]:
            self.store(self.pointer, byte)
            self.pointer += 1

    def store(self, register, byte):
        self.registers[register] = byte

    def load(self):
        """Bring the registers up to now."""

    def read(self, count):
        self.load()
        data = bytes(self.registers[self.pointer : self.pointer + count])
        self.pointer += count
        return data


class Bme280Chip(RegisterChip):
    """BME280/BMP280: the trimming of the BMP280 data sheet's example (3.12), humidity trimming of a real part."""

    T_P = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
    H = (75, 355, 0, 340, 50, 30)

    def __init__(self, clock, chip_id=0x60, raw_t=519888, raw_p=415148, raw_h=30000):
        RegisterChip.__init__(self, clock)
        self.chip_id, self.raw = chip_id, (raw_t, raw_p, raw_h)
        self.stuck_measuring = False
        self.power_on()

    def power_on(self):
        r = self.registers
        r[:] = bytes(256)
        r[0xD0] = self.chip_id
        for i, value in enumerate(self.T_P):
            r[0x88 + 2 * i] = value & 0xFF
            r[0x89 + 2 * i] = value >> 8 & 0xFF
        h1, h2, h3, h4, h5, h6 = self.H
        r[0xA1] = h1
        r[0xE1:0xE8] = bytes(
            (h2 & 0xFF, h2 >> 8 & 0xFF, h3, h4 >> 4 & 0xFF, h4 & 0x0F | (h5 & 0x0F) << 4, h5 >> 4 & 0xFF, h6 & 0xFF)
        )
        r[0xF7:0xFF] = b"\x80\x00\x00\x80\x00\x00\x80\x00"
        self.ready_at = None

    def store(self, register, byte):
        if register == 0xE0:
            if byte == 0xB6:
                self.power_on()
            return
        RegisterChip.store(self, register, byte)
        if register == 0xF4 and byte & 3 == 1:
            p, t, h = _oversampling(byte >> 2), _oversampling(byte >> 5), _oversampling(self.registers[0xF2])
            us = 1250 + 2300 * t + (2300 * p + 575 if p else 0) + (2300 * h + 575 if h else 0)  # DS002 9.1
            self.ready_at = self.clock.ticks() + -(-us // 1000)
            self.registers[0xF3] = 8

    def load(self):
        r = self.registers
        if self.ready_at is None or self.busy() or self.stuck_measuring:
            return
        self.ready_at = None
        r[0xF3] = 0
        t, p, h = self.raw
        if not _oversampling(r[0xF2]) or self.chip_id != 0x60:
            h = 0x8000
        r[0xF7:0xFF] = bytes(
            (p >> 12, p >> 4 & 0xFF, p << 4 & 0xF0, t >> 12, t >> 4 & 0xFF, t << 4 & 0xF0, h >> 8, h & 0xFF)
        )


def _oversampling(bits):
    return (0, 1, 2, 4, 8, 16, 16, 16)[bits & 7]


def crc31(data):
    """Bit by bit over a big integer, unlike the driver's: polynomial x^8 + x^5 + x^4 + 1, initial 0xFF."""
    value = 0
    for i, byte in enumerate(data):
        value = value << 8 | (byte ^ 0xFF if i == 0 else byte)
    bits = 8 * len(data)
    value <<= 8
    for i in range(bits - 1, -1, -1):
        if value >> (i + 8) & 1:
            value ^= 0x131 << i
    return value


class Sht3xChip(Chip):
    def __init__(self, clock, raw_t=0x6666, raw_h=0x8000):
        Chip.__init__(self, clock)
        self.raw = (raw_t, raw_h)
        self.spoil = None  # index of a byte to falsify

    def write(self, data):
        assert data in (b"\x30\xa2", b"\x24\x00")
        self.ready_at = self.clock.ticks() + 16 if data == b"\x24\x00" else None

    def read(self, count):
        if self.busy():
            raise OSError(ENODEV)  # the data sheet: a read header is not acknowledged before the end
        self.ready_at = None
        data = b""
        for value in self.raw:
            word = bytes((value >> 8, value & 0xFF))
            data += word + bytes((crc31(word),))
        return spoilt(data, self.spoil)[:count]


class AhtChip(Chip):
    """AHT20, or AHT10 with `init` 0xE1."""

    def __init__(self, clock, raw_t=0x60000, raw_h=0x80000, init=0xBE, calibrated=False):
        Chip.__init__(self, clock)
        self.raw, self.init = (raw_t, raw_h), init
        self.status = 0x18 if calibrated else 0x10
        self.can_calibrate = True
        self.spoil = None
        self.stuck_busy = False

    def write(self, data):
        if data[0] == self.init and self.can_calibrate:
            self.status |= 8
        elif data == b"\xac\x33\x00":
            self.ready_at = self.clock.ticks() + 80
            self.status |= 0x80

    def read(self, count):
        if self.status & 0x80 and not self.busy() and not self.stuck_busy:
            self.status &= 0x7F
        t, h = self.raw
        data = bytes((self.status, h >> 12, h >> 4 & 0xFF, (h & 15) << 4 | t >> 16, t >> 8 & 0xFF, t & 0xFF))
        return spoilt(data + bytes((crc31(data),)), self.spoil)[:count]


class Bh1750Chip(Chip):
    def __init__(self, clock, raw=0x8390):
        Chip.__init__(self, clock)
        self.raw, self.window, self.on = raw, 69, False

    def write(self, data):
        byte = data[0]
        if byte == 1:
            self.on = True
        elif byte >> 3 == 0x40 >> 3:
            self.window = self.window & 0x1F | (byte & 7) << 5
        elif byte >> 5 == 0x60 >> 5:
            self.window = self.window & 0xE0 | byte & 0x1F
        elif byte == 0x20 and self.on:
            self.ready_at = self.clock.ticks() + 180 * self.window // 69

    def read(self, count):
        value = 0 if self.busy() else self.raw
        return bytes((value >> 8, value & 0xFF))


def spoilt(data, index):
    if index is None:
        return data
    return data[:index] + bytes((data[index] ^ 0x10,)) + data[index + 1 :]


def crc_1wire(data):
    """Maxim application note 27: x^8 + x^5 + x^4 + 1, bits from the lowest."""
    crc = 0
    for byte in data:
        for bit in range(8):
            mix = (crc ^ byte >> bit) & 1
            crc >>= 1
            if mix:
                crc ^= 0x8C
    return crc


class Ds18b20:
    """One sensor on the wire; `raw` is what the next conversion gives, in 1/16 °C."""

    def __init__(self, clock, serial, raw=0x0191, family=0x28):
        self.clock = clock
        rom = bytes((family,)) + serial.to_bytes(6, "little")
        self.rom = rom + bytes((crc_1wire(rom),))
        self.raw = raw & 0xFFFF
        self.present = True
        self.spoil = None
        self.deaf = False  # does not convert: its supply fails
        self.power_on()

    def power_on(self):
        self.scratch = bytearray(b"\x50\x05\x4b\x46\x7f\xff\x0c\x10")
        self.ready_at = None

    def convert(self):
        if not self.deaf:
            self.ready_at = self.clock.ticks() + (750 >> (3 - (self.scratch[4] >> 5)))

    def scratchpad(self):
        if self.ready_at is not None and self.clock.ticks() >= self.ready_at:
            self.scratch[0], self.scratch[1], self.scratch[6] = self.raw & 0xFF, self.raw >> 8, 0x10
        return spoilt(bytes(self.scratch) + bytes((crc_1wire(self.scratch),)), self.spoil)


class OneWire:
    """The frozen onewire.OneWire, bytes in and out, over sensors that follow the DS18B20's commands."""

    def __init__(self, sensors):
        self.sensors = sensors
        self.shorted = False
        self._forget()

    def _forget(self):
        self.selected = []
        self.written = b""

    def _there(self):
        return [s for s in self.sensors if s.present]

    def reset(self, required=False):
        self._forget()
        return self.shorted or bool(self._there())

    def select_rom(self, rom):
        self.reset()
        self.selected = [s for s in self._there() if s.rom == bytes(rom)]

    def writebyte(self, byte):
        if not self.written and byte == 0xCC:
            self.selected = self._there()
            return
        self.written += bytes((byte,))
        if self.written == b"\x44":
            for sensor in self.selected:
                sensor.convert()
        elif self.written[0] == 0x4E and len(self.written) == 4:
            for sensor in self.selected:
                sensor.scratch[2:5] = self.written[1:]

    def readinto(self, buffer):
        data = bytes(len(buffer)) if self.shorted else b"\xff" * len(buffer)
        if self.written == b"\xbe" and self.selected and not self.shorted:
            data = self.selected[0].scratchpad()
        buffer[:] = data

    def scan(self):
        if self.shorted:
            return [bytearray(8)]
        return [bytearray(s.rom) for s in self._there()]

    def crc8(self, data):
        return crc_1wire(data)


class FrozenModule:
    """What `import onewire` and `import dht` find."""

    def __init__(self, machine):
        self._machine = machine

    def OneWire(self, pin):  # noqa: N802
        return self._machine.wires[pin.number]

    def dht_readinto(self, pin, buffer):
        assert pin.pull, "the line needs its pull-up"
        if isinstance(self._machine.dht, Exception):
            raise self._machine.dht
        buffer[:] = self._machine.dht


def make_board(machine, name="d1_mini", status=None):
    """The real Board on the stand-in."""
    sys.modules["onewire"] = sys.modules["dht"] = FrozenModule(machine)
    return Board(name, machine, machine.clock, status)


def read(sensor, force=False):
    """One reading as {name: value}."""
    return dict([(r[0], r[1]) for r in asyncio.run(sensor.read(force))])
