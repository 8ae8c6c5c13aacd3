"""In the VM: module `machine` of the ESP8266 port, in front of the silicon on the host."""

# ruff: noqa: D103, F403
import vb_rpc
from umachine import *
from umachine import PinBase

PWRON_RESET, WDT_RESET, SOFT_RESET, DEEPSLEEP_RESET, HARD_RESET = 0, 1, 4, 5, 6
DEEPSLEEP = 4


def reset():
    vb_rpc.call("board", "reset")


def deepsleep(ms=0):
    vb_rpc.call("board", "deepsleep", ms)


def reset_cause():
    return vb_rpc.call("board", "reset_cause")


def unique_id():
    return vb_rpc.call("board", "unique_id")


def freq(*args):
    if args and args[0] not in (80000000, 160000000):
        raise ValueError("freq can only be either 80Mhz or 160MHz")
    return vb_rpc.call("board", "freq", *args)


def lightsleep(ms=0):
    import time

    time.sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    return None


class RTC:
    """RTC memory: 492 bytes that outlive a reset and deep sleep."""

    def memory(self, *args):
        # In pieces: as one line of JSON it would take four times the heap that it takes on the chip.
        if not args:
            data = bytearray(vb_rpc.call("rtc", "size"))
            for at in range(0, len(data), 48):
                piece = vb_rpc.call("rtc", "read", at, 48)
                data[at : at + len(piece)] = piece
            return bytes(data)
        data = memoryview(args[0])
        if len(data) > 492:
            raise ValueError("buffer too long")
        vb_rpc.cast("rtc", "clear")
        for at in range(0, len(data), 48):
            vb_rpc.cast("rtc", "append", data[at : at + 48])
        vb_rpc.call("rtc", "commit")

    def datetime(self, *args):
        import time

        if args:
            y, mo, d, _, h, mi, s = args[0][:7]
            time._set(time.mktime((y, mo, d, h, mi, s, 0, 0)))
            return None
        y, mo, d, h, mi, s, wd, _ = time.gmtime()
        return (y, mo, d, wd, h, mi, s, 0)


class WDT:
    """The watchdog: once made, the chip resets if it is not fed for about three seconds."""

    def __init__(self, id=0, timeout=5000):
        if id != 0 or timeout != 5000:
            raise ValueError
        self.feed()

    def feed(self):
        vb_rpc.tell(b'[0,"wdt","feed",[],{}]\n')


class Timer:
    """A virtual timer (id -1); see vb_timer.py."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id, **options):
        if options:
            self.init(**options)

    def init(self, *, mode=1, period=0, callback=None, hard=False):
        import time

        import vb_timer

        self.mode, self.period, self.callback = mode, period, callback
        self.due = time.ticks_add(time.ticks_ms(), period)
        vb_timer.arm(self)

    def deinit(self):
        import vb_timer

        vb_timer.disarm(self)


class ADC:
    """0..1024 for 0..1 V."""

    def __init__(self, id):
        self._id = id
        self.read()

    def read(self):
        return vb_rpc.call("adc", "read", self._id)

    def read_u16(self):
        return self.read() * 65535 // 1024


class Pin(PinBase):
    """A GPIO whose level the host sees and sets. Interrupts are not delivered."""

    IN, OUT, OPEN_DRAIN = 0, 1, 2
    PULL_UP = 1
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        if isinstance(id, Pin):
            id = id._id
        if id not in (0, 1, 2, 3, 4, 5, 9, 10, 12, 13, 14, 15, 16):
            raise ValueError("invalid pin")
        self._id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        vb_rpc.call("pins", "setup", self._id, mode, pull, value)

    def value(self, *args):
        if not args:
            return vb_rpc.call("pins", "level", self._id)
        vb_rpc.cast("pins", "drive", self._id, 1 if args[0] else 0)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - self.value())
