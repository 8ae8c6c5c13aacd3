"""create(): the types, what it refuses, pins, and a user's own driver."""

import os
import sys

import bus
from check import raises
from sensors import Board, SpecError, create, pins, unload
from sensors.build import TYPES, tell_apart

WIRED = {
    "adc": {},
    "counter": {"pin": "D2"},
    "dht11": {"pin": "D2"},
    "dht22": {"pin": "D2"},
    "digital": {"pin": "D2"},
    "ds18b20": {"pin": "D2"},
    "hcsr04": {"trigger": "D1", "echo": "D2"},
}


def new_board(name="d1_mini"):
    return bus.make_board(bus.Machine(), name)


def refusal(entry, board=None):
    return str(raises(SpecError, create, entry, board or new_board()))


def test_every_type_is_made_without_touching_a_bus():
    for kind in TYPES.split():
        entry = {"type": kind, "name": "x-" + kind, "period": 30}
        entry.update(WIRED.get(kind, {}))
        board = new_board()
        sensor = create(entry, board)
        assert sensor.name == "x-" + kind and sensor.kind == kind and sensor.period == 30
        assert board._shared == {}
        assert sensor.simulated == (kind == "sim")


def test_values_that_several_sensors_have_are_told_apart():
    board = new_board()
    filters = {"temperature": {"offset": 100}}
    sensors = [
        create({"type": "sim", "name": "attic", "filters": filters}, board),
        create({"type": "sim", "name": "cellar"}, board),
        create({"type": "vcc"}, board),
    ]
    tell_apart(sensors)
    attic, cellar = [bus.read(sensor) for sensor in sensors[:2]]
    for place, values in (("attic", attic), ("cellar", cellar)):
        assert sorted(values) == [place + "_" + what for what in ("humidity", "pressure", "temperature")]
    assert sorted([field[0] for field in sensors[1].fields]) == sorted(cellar)
    assert attic["attic_temperature"] > 100 > cellar["cellar_temperature"]
    assert sensors[2].fields[0][0] == "voltage"


def test_name_and_period_have_defaults():
    sensor = create({"type": "sim"}, new_board())
    assert sensor.name == "sim" and sensor.period == 60


def test_only_the_wanted_drivers_module_is_imported():
    for name in ("hcsr04", "vcc"):
        sys.modules.pop("sensors." + name, None)
    create({"type": "vcc"}, new_board())
    assert "sensors.vcc" in sys.modules and "sensors.hcsr04" not in sys.modules


def test_what_only_create_needs_can_be_unloaded_and_comes_back():
    board = new_board()
    sensor = create({"type": "sim"}, board)
    unload()
    for name in ("build", "spec", "pins"):
        assert "sensors." + name not in sys.modules
    assert len(bus.read(sensor)) == 3
    again = create({"type": "digital", "pin": "D2"}, board)
    assert bus.read(again) == {"state": 0}
    assert "type" in refusal({"type": "x"}, board)


def test_entries_that_make_no_sensor():
    assert "object" in refusal(None)
    assert "object" in refusal([])
    assert len(refusal("x" * 5000)) < 150
    assert refusal({}).startswith("sensor.type: missing; one of adc")
    assert "dht23.type: one of" in refusal({"type": "dht23"})
    assert "type" in refusal({"type": 5})
    assert "type" in refusal({"type": "../x"})
    assert "type" in refusal({"type": ""})
    assert 'dht22.pin: missing; a pin name such as "D4" wanted' in refusal({"type": "dht22"})
    assert "dht22.pn: unknown field; known are filters, name, period, pin, type" in refusal(
        {"type": "dht22", "pin": "D2", "pn": 1}
    )
    assert "hall.pin: a pin of the board d1_mini" in refusal({"type": "dht22", "name": "hall", "pin": "D99"})


def test_a_refused_sensor_gives_its_pins_back():
    board = new_board()
    refusal({"type": "dht22", "pin": "D2", "nonsense": 1}, board)
    create({"type": "digital", "pin": "D2"}, board)


def test_a_pin_serves_one_sensor_and_a_bus_many():
    board = new_board()
    create({"type": "digital", "pin": "D2", "name": "door"}, board)
    assert "GPIO4 is already used by door" in refusal({"type": "counter", "pin": "GPIO4"}, board)
    create({"type": "ds18b20", "pin": "D4", "name": "a"}, board)
    create({"type": "ds18b20", "pin": "D4", "name": "b"}, board)
    assert "already used" in refusal({"type": "digital", "pin": 2}, board)


def test_pin_names_of_the_boards():
    for board, name, number in (
        ("nodemcu", "D0", 16),
        ("nodemcu", "D1", 5),
        ("d1_mini", "D2", 4),
        ("d1_mini", "D3", 0),
        ("generic", "A0", 17),
        ("d1_mini", "D4", 2),
        ("d1_mini", "d5", 14),
        ("nodemcu", "D6", 12),
        ("nodemcu", "D7", 13),
        ("nodemcu", "D8", 15),
        ("nodemcu", "SD3", 10),
        ("nodemcu", "RX", 3),
        ("nodemcu", "LED", 2),
        ("esp01", "GPIO0", 0),
        ("esp01", "RX", 3),
        ("generic", "GPIO14", 14),
        ("generic", "14", 14),
        ("generic", 14, 14),
    ):
        assert pins.gpio(board, name) == number


def test_pins_a_board_does_not_have():
    for board, name in (
        ("esp01", "D1"),
        ("esp01", "A0"),
        ("esp01", 4),
        ("generic", "D1"),
        ("d1_mini", 17),
        ("d1_mini", -1),
        ("d1_mini", True),
        ("d1_mini", None),
        ("d1_mini", 4.0),
        ("d1_mini", ""),
        ("d1_mini", "GPIO"),
        ("d1_mini", "4444444444"),
    ):
        assert board in str(raises(ValueError, pins.gpio, board, name))


def test_pins_that_break_flash_or_booting_are_refused_with_the_reason():
    for number in range(6, 12):
        for use in ("in", "irq", "out", "bus"):
            allowed, why = pins.rule(number, use)
            assert not allowed and "flash" in why
    for number, use, pull, word in (
        (15, "bus", "", "boot"),
        (15, "in", "up", "boot"),
        (16, "irq", "", "interrupt"),
        (16, "in", "up", "pull-up"),
        (16, "bus", "", "open drain"),
        (1, "in", "", "console"),
        (1, "bus", "", "console"),
    ):
        allowed, why = pins.rule(number, use, pull)
        assert not allowed and word in why, (number, use)


def test_pins_that_may_break_booting_are_warned_of():
    for number, use, word in (
        (0, "in", "high at power-up"),
        (2, "out", "high at power-up"),
        (15, "in", "low at power-up"),
        (15, "out", "low at power-up"),
        (3, "in", "console"),
        (1, "out", "console"),
        (16, "out", "deep sleep"),
    ):
        allowed, why = pins.rule(number, use)
        assert allowed and word in why, (number, use)
    board = new_board()
    create({"type": "digital", "pin": "D3", "name": "bell"}, board)
    assert board.warnings == [
        "bell: GPIO0 must be high at power-up: what pulls it low then keeps the board from booting"
    ]


def test_the_other_pins_are_free_of_remarks():
    for number in (4, 5, 12, 13, 14):
        for use in ("in", "irq", "out", "bus"):
            assert pins.rule(number, use, "up") == (True, "")
    for number in (0, 2):  # a bus's pull-up is what these pins want
        assert pins.rule(number, "bus") == (True, "")


def test_the_analog_input_is_nothing_else_and_nothing_else_is_analog():
    assert pins.rule(17, "analog") == (True, "")
    assert not pins.rule(17, "in")[0] and not pins.rule(4, "analog")[0]
    assert "dht22.pin: A0 is the analog input" in refusal({"type": "dht22", "pin": "A0"})


def test_unknown_board():
    assert "nodemcu" in str(raises(ValueError, Board, "arduino"))


class Folder:
    """A folder with one file, gone at the end."""

    def __init__(self, path, name, text):
        self.path, self.name, self.text = path, name, text

    def __enter__(self):
        if sys.implementation.name == "cpython":
            sys.dont_write_bytecode = True
        os.mkdir(self.path)
        with open(self.path + "/" + self.name, "w") as f:
            f.write(self.text)
        return self.path

    def __exit__(self, *args):
        sys.modules.pop(self.name.split(".")[0], None)
        os.remove(self.path + "/" + self.name)
        os.rmdir(self.path)


def folder(name, text):
    return Folder("/tmp/own-drivers-%s-%d" % (sys.implementation.name, id(text)), name, text)


OWN = '''"""A user's driver."""
from sensors import ReadError

class Driver:
    FIELDS = (("level", "mm", 0, 0, 500),)

    def __init__(self, spec, board):
        self.depth = spec.integer("depth", 1, 500)

    async def read(self):
        if self.depth == 13:
            raise ReadError("float stuck")
        return [self.depth]
'''


def test_a_users_own_driver_is_a_file():
    with folder("tankfloat.py", OWN) as where:
        path = list(sys.path)
        sensor = create({"type": "tankfloat", "depth": 120}, new_board(), where)
        assert bus.read(sensor) == {"level": 120}
        assert sys.path == path
        sensor = create({"type": "tankfloat", "depth": 13}, new_board(), where)
        assert bus.read(sensor) == {} and sensor.last_error == "float stuck"
        error = str(raises(SpecError, create, {"type": "tankfloat"}, new_board(), where))
        assert "tankfloat.depth: missing; a whole number from 1 to 500" in error


def test_a_broken_file_is_refused_by_name():
    for text, word in (
        ("class Driver(", "SyntaxError"),
        ("import nothing_of_the_kind", "nothing_of_the_kind"),
        ("1 / 0", "ZeroDivisionError"),
        ("x = 1", "no class Driver"),
    ):
        with folder("brokendriver.py", text) as where:
            error = str(raises(SpecError, create, {"type": "brokendriver"}, new_board(), where))
            assert "brokendriver.type: " in error and word in error, error


def test_a_constructor_that_raises_is_refused_and_not_fatal():
    text = "class Driver:\n    FIELDS = ()\n    def __init__(self, spec, board):\n        self.x = spec.nothing\n"
    with folder("raisingdriver.py", text) as where:
        error = str(raises(SpecError, create, {"type": "raisingdriver"}, new_board(), where))
        assert "raisingdriver.type: " in error and "AttributeError" in error
    text = "class Driver:\n    def __init__(self, spec, board):\n        pass\n"
    with folder("shapeless.py", text) as where:
        error = str(raises(SpecError, create, {"type": "shapeless"}, new_board(), where))
        assert "FIELDS" in error


FIELDS = {
    "dht22": "pin",
    "ds18b20": "pin addresses resolution",
    "bme280": "scl sda address altitude",
    "sht3x": "scl sda address",
    "aht20": "scl sda address",
    "bh1750": "scl sda address window",
    "adc": "pin divider scale offset samples value unit precision lowest highest",
    "vcc": "pin",
    "digital": "pin kind pull invert debounce",
    "counter": "pin edge pull debounce scale unit per precision",
    "hcsr04": "trigger echo range samples temperature",
    "health": "",
    "sim": "phase",
}
HOSTILE = (
    None,
    True,
    False,
    -1,
    0,
    3,
    99,
    1e30,
    float("nan"),
    "",
    "x",
    "D8",
    "D0",
    "\x00",
    "9" * 500,
    [],
    [[]],
    {},
    {"a": {}},
)


def test_hostile_values_of_any_field_are_refused_by_the_fields_name_or_taken():
    refused = 0
    for kind, own in FIELDS.items():
        for field in (own + " name period filters").split():
            for value in HOSTILE:
                entry = {"type": kind}
                entry.update(WIRED.get(kind, {}))
                entry[field] = value
                try:
                    create(entry, new_board())
                except SpecError as e:
                    refused += 1
                    text = str(e)
                    assert "." + field in text and "Error" not in text, (entry, text)
                    assert len(text) < 250, text
    assert refused > 400
