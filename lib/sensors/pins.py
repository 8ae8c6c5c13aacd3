"""Pin names of the boards, and which pin may be used for what. Pure: spec.py asks here for a pin of an entry.

Sources: Espressif ESP8266 hardware design guidelines (strapping pins GPIO0, GPIO2, GPIO15; flash on GPIO6-11) and the
port's machine.Pin (GPIO16 has no interrupt, no pull-up and no open drain).
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

# What a pin is wanted for. A bus is a line that idles high over a pull-up: I2C, 1-Wire, DHT. (Drivers write the words
# themselves: this module does not stay in RAM.)
_INPUT = const("in")
_INTERRUPT = const("irq")
_OUTPUT = const("out")
_BUS = const("bus")
_ANALOG = const("analog")

BOARDS = "nodemcu d1_mini esp01 generic"

# Text, not dicts: in place in flash, it costs no RAM.
_NODEMCU = const("D0 16 D1 5 D2 4 D3 0 D4 2 D5 14 D6 12 D7 13 D8 15 RX 3 TX 1 SD2 9 SD3 10 LED 2")
_A0 = const(17)  # a number of its own, after the GPIOs
_ESP01 = const("RX 3 TX 1 LED 2")


def check(board: str) -> None:
    """ValueError if there is no such board."""
    if board not in BOARDS.split():
        raise ValueError("board: one of %s wanted, not %s" % (BOARDS.replace(" ", ", "), repr(board)[:40]))


def claim(board: "Any", name: "str | int", use: str, pull: str = "", owner: str = "") -> int:
    """Take a pin of a Board and return its GPIO number. ValueError: why not. Bus pins may be taken again."""
    number = gpio(board.name, name)
    allowed, remark = rule(number, use, pull)
    if not allowed:
        raise ValueError(remark)
    taken = board.claims.get(number)
    if taken and not use == taken[0] == _BUS:
        raise ValueError("%s is already used by %s" % (label(number), taken[1]))
    if not taken:
        board.claims[number] = (use, owner)
        if remark:
            board.warnings.append("%s: %s" % (owner, remark))
    return number


def gpio(board: str, name: "str | int") -> int:
    """The GPIO number of `name`: "D4" as printed on the board, "GPIO2", or 2. ValueError if there is none."""
    number = -1
    if name == "A0" and board != "esp01":  # an ESP-01 does not lead it out
        return _A0
    if type(name) is int:
        number = name
    elif isinstance(name, str):
        upper = name.upper()
        digits = upper[4:] if upper.startswith("GPIO") else upper
        names = (_ESP01 if board == "esp01" else "" if board == "generic" else _NODEMCU).split()
        if upper in names[::2]:  # device: ok, a list
            number = int(names[names.index(upper) + 1])
        elif digits.isdigit() and len(digits) <= 2:
            number = int(digits)
    if number not in (range(4) if board == "esp01" else range(17)):
        raise ValueError(
            'a pin of the board %s wanted, such as "%s", not %s' % (board, example(board), repr(name)[:40])
        )
    return number


def example(board: str) -> str:
    """The name of a harmless pin."""
    return "GPIO2" if board == "esp01" else "GPIO4" if board == "generic" else "D2"


def label(number: int) -> str:
    """How to name pin `number` to a user."""
    return "A0" if number == _A0 else "GPIO%d" % number


def rule(number: int, use: str, pull: str = "") -> tuple[bool, str]:
    """(allowed, remark) for GPIO `number` as `use`, with `pull` "up" or "". If allowed, a remark is a warning."""
    if (number == _A0) != (use == _ANALOG):
        return False, "A0 is the analog input, and nothing else"
    if 6 <= number <= 11:
        return False, "GPIO%d is wired to the flash chip: the board would crash" % number
    if number == 16 and (use in (_INTERRUPT, _BUS) or pull):
        return False, "GPIO16 has no interrupt, no pull-up and no open drain"
    if number == 15 and (use == _BUS or pull):
        return False, "GPIO15 must be low at power-up: a pull-up on it keeps the board from booting"
    if number == 1 and use != _OUTPUT:
        return False, "GPIO1 is the serial console's output and is driven at boot"
    return True, _warning(number, use)


def _warning(number: int, use: str) -> str:
    if number in (0, 2) and use != _BUS:
        return "GPIO%d must be high at power-up: what pulls it low then keeps the board from booting" % number
    if number == 15:
        return "GPIO15 must be low at power-up: what pulls it high then keeps the board from booting"
    if number in (1, 3):
        return "GPIO%d is the serial console: it is lost while the pin is used" % number
    if number == 16:
        return "GPIO16 wakes the board from deep sleep: it cannot do both"
    return ""
