"""Pins that understand what is said to a TM1637: see test_example_display.py."""


class Bus:
    """Two lines; `sent` has a list of bytes for each start … stop."""

    def __init__(self):
        self.level = {"clk": 1, "dio": 1}
        self.sent = []
        self.bits = []
        self.open = False

    def put(self, line, value):
        before = dict(self.level)
        self.level[line] = value
        if line == "dio" and before["clk"] and before["dio"] != value:
            if value:
                assert self.open
                assert len(self.bits) <= 1  # the clock that went up for this stop
                self.bits = []
                self.open = False
            else:
                self.open = True
                self.sent.append([])
        elif line == "clk" and value and not before["clk"] and self.open:
            self.clock()

    def clock(self):
        if len(self.bits) == 8:  # the ninth: acknowledge, the line was let go
            byte = 0
            for i, bit in enumerate(self.bits):
                byte |= bit << i
            self.sent[-1].append(byte)
            self.bits = []
        else:
            self.bits.append(self.level["dio"])


class Pin:
    """One line of the bus."""

    IN = 0
    OUT = 1

    def __init__(self, bus, line):
        self.bus = bus
        self.line = line

    def init(self, mode, value=None):
        if value is not None:
            self.value(value)

    def value(self, level):
        self.bus.put(self.line, level)
