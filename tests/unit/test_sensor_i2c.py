"""SHT3x, AHT10/20 and BH1750 against chips that follow their data sheets."""

import bus
from sensors import aht20, bh1750, create, sht3x
from sensors.i2c import crc8


def node(address, chip_class, **kwargs):
    machine = bus.Machine()
    chip = machine.chips[address] = chip_class(machine.clock, **kwargs)
    return machine, chip, bus.make_board(machine)


def sensor_of(board, kind, **fields):
    entry = {"type": kind, "period": 10}
    entry.update(fields)
    return create(entry, board)


def fails_with(sensor, text):
    errors = sensor.errors
    assert bus.read(sensor) == {}
    assert sensor.errors == errors + 1
    assert text in sensor.last_error, sensor.last_error


def test_crc_example_of_the_sht3x_data_sheet():
    """SHT3x-DIS 4.12: CRC(0xBEEF) = 0x92."""
    assert crc8(b"\xbe\xef", 0, 2) == 0x92
    assert crc8(b"\x00\xbe\xef\x00", 1, 3) == 0x92
    assert bus.crc31(b"\xbe\xef") == 0x92  # the stand-in's own way agrees


def test_crc_of_every_length_agrees_with_the_stand_in():
    data = bytes(range(7, 250, 11))
    for end in range(1, len(data)):
        assert crc8(data, 0, end) == bus.crc31(data[:end])


def test_sht3x_conversion_at_the_ends_and_the_middle():
    assert sht3x.celsius(0) == -45 and sht3x.celsius(65535) == 130
    assert sht3x.percent(0) == 0 and sht3x.percent(65535) == 100
    assert round(sht3x.celsius(0x6666), 2) == 25.0  # 26214 = 0.4 of full scale


def test_sht3x_reads():
    _, _, board = node(0x44, bus.Sht3xChip)
    assert bus.read(sensor_of(board, "sht3x")) == {"temperature": 25.0, "humidity": 50.0}


def test_sht3x_bad_checksum_of_either_value():
    _, chip, board = node(0x44, bus.Sht3xChip)
    sensor = sensor_of(board, "sht3x")
    for i in range(6):
        chip.spoil = i
        fails_with(sensor, "bad checksum")
    chip.spoil = None
    assert bus.read(sensor)["humidity"] == 50.0


def test_sht3x_absent():
    _, chip, board = node(0x44, bus.Sht3xChip)
    chip.present = False
    fails_with(sensor_of(board, "sht3x"), "no answer at 0x44")


def test_sht3x_another_chip_at_its_address_is_not_believed():
    machine, _, board = node(0x44, bus.Sht3xChip)
    machine.chips[0x44] = bus.RegisterChip(machine.clock)
    fails_with(sensor_of(board, "sht3x"), "bad checksum")


def test_aht20_conversion():
    """Data sheet 6: RH = S / 2^20, T = S / 2^20 * 200 - 50."""
    assert aht20.celsius(0) == -50 and aht20.celsius(0x80000) == 50
    assert aht20.percent(0) == 0 and aht20.percent(0x80000) == 50
    assert aht20.celsius(0x60000) == 25


def test_aht20_loads_calibration_and_reads():
    _, chip, board = node(0x38, bus.AhtChip)
    sensor = sensor_of(board, "aht20")
    assert bus.read(sensor) == {"temperature": 25.0, "humidity": 50.0}
    assert chip.status & 8


def test_aht10_has_its_own_calibration_command_and_no_checksum():
    _, chip, board = node(0x38, bus.AhtChip, init=0xE1)
    chip.spoil = 6
    assert bus.read(sensor_of(board, "aht10")) == {"temperature": 25.0, "humidity": 50.0}


def test_aht20_with_the_wrong_type_in_the_settings():
    _, _, board = node(0x38, bus.AhtChip, init=0xE1)
    fails_with(sensor_of(board, "aht20"), "calibration")


def test_aht20_bad_checksum():
    _, chip, board = node(0x38, bus.AhtChip)
    chip.spoil = 4
    fails_with(sensor_of(board, "aht20"), "bad checksum")


def test_aht20_that_stays_busy():
    _, chip, board = node(0x38, bus.AhtChip)
    chip.stuck_busy = True
    fails_with(sensor_of(board, "aht20"), "does not end")


def test_aht20_that_lost_its_calibration_gets_it_back():
    _, chip, board = node(0x38, bus.AhtChip)
    sensor = sensor_of(board, "aht20")
    bus.read(sensor)
    chip.status &= ~8
    fails_with(sensor, "calibration")
    assert bus.read(sensor)["humidity"] == 50.0


def test_aht20_absent_and_stuck_bus():
    machine, chip, board = node(0x38, bus.AhtChip)
    sensor = sensor_of(board, "aht20")
    chip.present = False
    fails_with(sensor, "no answer at 0x38")
    machine.Pin(4).held = 0
    fails_with(sensor, "stuck")


def test_bh1750_conversion_example_of_the_data_sheet():
    """BH1750FVI: 0x8390 in H-resolution mode is 28067 lx."""
    assert round(bh1750.lux(0x8390)) == 28067
    assert bh1750.lux(12) == 10
    assert bh1750.lux(0x8390, 138) * 2 == bh1750.lux(0x8390)


def test_bh1750_reads():
    _, _, board = node(0x23, bus.Bh1750Chip)
    assert bus.read(sensor_of(board, "bh1750")) == {"illuminance": 28066.7}


def test_bh1750_longer_window():
    _, chip, board = node(0x5C, bus.Bh1750Chip, raw=1200)
    sensor = sensor_of(board, "bh1750", address="0x5c", window=138)
    assert bus.read(sensor) == {"illuminance": 500.0}
    assert chip.window == 138


def test_bh1750_absent():
    _, chip, board = node(0x23, bus.Bh1750Chip)
    chip.present = False
    fails_with(sensor_of(board, "bh1750"), "no answer at 0x23")


def test_bh1750_stuck_bus_is_not_darkness():
    machine, _, board = node(0x23, bus.Bh1750Chip)
    sensor = sensor_of(board, "bh1750")
    bus.read(sensor)
    machine.Pin(4).held = 0
    fails_with(sensor, "stuck")


def test_other_pins_and_a_bad_address_are_checked():
    machine, _, board = node(0x23, bus.Bh1750Chip)
    assert bus.read(sensor_of(board, "bh1750", scl="D6", sda="D5"))
    assert machine.Pin(12).mode == bus.Pin.OPEN_DRAIN
    for fields, text in (
        ({"scl": "D5", "sda": "D5"}, "sda: another pin than scl"),
        ({"address": "0x76"}, "address: one of 0x23, 0x5c wanted"),
        ({"scl": "D0"}, "scl: GPIO16"),
        ({"sda": "D8"}, "sda: GPIO15"),
    ):
        try:
            sensor_of(board, "bh1750", **fields)
        except ValueError as e:
            assert text in str(e), str(e)
        else:
            raise AssertionError(text)
