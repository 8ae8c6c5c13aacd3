"""DS18B20 and DHT11/22: one pin each, against byte-level stand-ins."""

import asyncio

import bus
from check import raises
from sensors import SpecError, create
from sensors.dht22 import dht11, dht22
from sensors.ds18b20 import celsius


def wire(*raws):
    """A machine with a wire on D4 (GPIO2) and one DS18B20 for each raw value."""
    machine = bus.Machine()
    sensors = [bus.Ds18b20(machine.clock, 0x111111 * (i + 1), raw) for i, raw in enumerate(raws)]
    machine.wires[2] = bus.OneWire(sensors)
    return machine, sensors, bus.make_board(machine)


def ds18b20(board, **fields):
    entry = {"type": "ds18b20", "pin": "D4"}
    entry.update(fields)
    return create(entry, board)


def hex_of(rom):
    return "".join(["%02x" % b for b in rom])


def fails_with(sensor, text):
    assert bus.read(sensor) == {}
    assert text in sensor.last_error, sensor.last_error


def test_temperatures_of_the_data_sheets_table():
    """DS18B20 data sheet, table 1."""
    for raw, value in (
        (0x07D0, 125),
        (0x0550, 85),
        (0x0191, 25.0625),
        (0x00A2, 10.125),
        (0x0008, 0.5),
        (0x0000, 0),
        (0xFFF8, -0.5),
        (0xFF5E, -10.125),
        (0xFE6F, -25.0625),
        (0xFC90, -55),
    ):
        assert celsius(raw) == value


def test_undefined_bits_of_a_lower_resolution_are_cut():
    assert celsius(0x0191 | 7, 9) == 25.0
    assert celsius(0xFFFF, 9) == -0.5


def test_crc_example_of_application_note_27():
    assert bus.crc_1wire(b"\x02\x1c\xb8\x01\x00\x00\x00") == 0xA2


def test_a_single_sensor_is_found_by_itself():
    _, _, board = wire(0x0191)
    sensor = ds18b20(board)
    assert sensor.fields == ()
    assert bus.read(sensor) == {"temperature": 25.06}
    assert sensor.fields[0][0] == "temperature"


def test_several_on_one_wire_are_told_apart_by_address():
    _, sensors, board = wire(0x0191, 0xFF5E, 0x07D0)
    values = bus.read(ds18b20(board))
    assert values == {
        "temperature_" + hex_of(sensors[0].rom): 25.06,
        "temperature_" + hex_of(sensors[1].rom): -10.12,
        "temperature_" + hex_of(sensors[2].rom): 125.0,
    }


def test_named_by_address_in_any_case_of_letters():
    _, sensors, board = wire(0x0191, 0xFF5E)
    names = {hex_of(sensors[1].rom).upper(): "outside", hex_of(sensors[0].rom): "boiler"}
    sensor = ds18b20(board, addresses=names)
    assert bus.read(sensor) == {"temperature_boiler": 25.06, "temperature_outside": -10.12}


def test_one_missing_of_two_costs_only_its_own_value():
    _, sensors, board = wire(0x0191, 0xFF5E)
    names = {hex_of(sensors[0].rom): "a", hex_of(sensors[1].rom): "b"}
    sensor = ds18b20(board, addresses=names)
    sensors[0].present = False
    assert bus.read(sensor) == {"temperature_b": -10.12}
    assert sensor.errors == 1 and sensor.failing == 0
    assert "does not answer" in sensor.last_error
    sensors[0].present = True
    assert len(bus.read(sensor)) == 2


def test_names_stay_when_a_found_sensor_is_lost_for_a_while():
    _, sensors, board = wire(0x0191, 0xFF5E)
    sensor = ds18b20(board)
    names = set(bus.read(sensor))
    sensors[0].present = sensors[1].present = False
    fails_with(sensor, "no answer on GPIO2")
    sensors[1].present = True
    assert set(bus.read(sensor)) == {"temperature_" + hex_of(sensors[1].rom)}
    sensors[0].present = True
    assert set(bus.read(sensor)) == names


def test_absent():
    _, _, board = wire()
    sensor = ds18b20(board)
    fails_with(sensor, "no answer on GPIO2")
    assert sensor.failing == 1


def test_foreign_parts_on_the_wire_are_left_alone():
    machine, _, board = wire()
    machine.wires[2].sensors = [bus.Ds18b20(machine.clock, 5, family=0x01)]
    fails_with(ds18b20(board), "no DS18B20 found")


def test_bad_checksum():
    _, sensors, board = wire(0x0191)
    sensor = ds18b20(board)
    bus.read(sensor)
    for i in range(9):
        sensors[0].spoil = i
        fails_with(sensor, "bad checksum")


def test_bad_checksum_of_an_address_is_not_a_sensor():
    _, sensors, board = wire(0x0191)
    sensors[0].rom = bus.spoilt(sensors[0].rom, 3)
    fails_with(ds18b20(board), "no DS18B20 found")


def test_shorted_wire_is_not_zero_degrees():
    machine, _, board = wire(0x0191)
    sensor = ds18b20(board)
    bus.read(sensor)
    machine.wires[2].shorted = True
    fails_with(sensor, "held low")
    machine.wires[2].shorted = False
    assert bus.read(sensor) == {"temperature": 25.06}
    machine.wires[2].shorted = True
    fails_with(ds18b20(board, name="late"), "no DS18B20 found")


def test_power_on_value_is_not_85_degrees_but_real_85_is():
    _, sensors, board = wire(0x0550)
    sensor = ds18b20(board)
    assert bus.read(sensor) == {"temperature": 85.0}
    sensors[0].power_on()
    sensors[0].deaf = True
    fails_with(sensor, "did not convert")


def test_resolution_is_set_and_shortens_the_wait():
    machine, sensors, board = wire(0x0197)
    sensor = ds18b20(board, resolution=9)
    before = machine.clock.ticks()
    assert bus.read(sensor) == {"temperature": 25.0}
    assert machine.clock.ticks() - before < 120
    assert sensors[0].scratch[4] == 0x1F


def test_bad_addresses_are_refused_by_name():
    _, _, board = wire()
    for bad in ([], {}, "28", {"28": "x"}, {"zz" * 8: "x"}, {"28ff641d8fdf18c1": ""}, {"28ff641d8fdf18c1": 5}):
        assert "ds18b20.addresses:" in str(raises(SpecError, ds18b20, board, addresses=bad))
    twice = {"28ff641d8fdf18c1": "x", "28ff641d8fdf18c2": "x"}
    assert "all different" in str(raises(SpecError, ds18b20, board, addresses=twice))


def test_dht22_example_of_the_data_sheet():
    """AM2302: 0x028C 0x015F -> 65.2 %, 35.1 °C; 0x8065 -> -10.1 °C."""
    assert dht22(b"\x02\x8c\x01\x5f\xee") == (35.1, 65.2)
    assert dht22(b"\x02\x8c\x80\x65\x73") == (-10.1, 65.2)


def test_dht11_example_of_the_data_sheet():
    """DHT11: 0x35 0x00 0x18 0x04 -> 53 %, 24.4 °C; bit 7 of the tenths is the sign."""
    assert dht11(b"\x35\x00\x18\x04\x51") == (24.4, 53.0)
    assert dht11(b"\x20\x00\x0a\x81\xab") == (-10.1, 32.0)


def dht(kind="dht22", answer=b"\x02\x8c\x01\x5f\xee"):
    machine = bus.Machine()
    machine.dht = answer
    return machine, create({"type": kind, "pin": "D2"}, bus.make_board(machine))


def test_dht_reads():
    _, sensor = dht()
    assert bus.read(sensor) == {"temperature": 35.1, "humidity": 65.2}
    _, sensor = dht("dht11", b"\x35\x00\x18\x04\x51")
    assert bus.read(sensor) == {"temperature": 24.4, "humidity": 53.0}


def test_dht_bad_checksum_absent_and_held_low():
    machine, sensor = dht()
    for answer, text in (
        (b"\x02\x8c\x01\x5f\xef", "bad checksum"),
        (OSError(110), "no answer on GPIO4"),
        (b"\x00\x00\x00\x00\x00", "held low"),
    ):
        machine.dht = answer
        fails_with(sensor, text)
    assert sensor.errors == sensor.failing == 3


def test_dht22_read_as_dht11_is_out_of_range_or_wrong_by_name():
    _, sensor = dht("dht22", b"\x35\x00\x18\x04\x51")
    fails_with(sensor, "outside")


def test_dht_is_not_asked_more_often_than_it_measures():
    error = raises(SpecError, create, {"type": "dht22", "pin": "D2", "period": 1}, bus.make_board(bus.Machine()))
    assert "dht22.period: a number from 2 to 86400 wanted" in str(error)


def test_a_reading_names_value_unit_and_precision():
    _, sensor = dht()
    assert asyncio.run(sensor.read()) == [("temperature", 35.1, "°C", 1), ("humidity", 65.2, "%", 1)]
