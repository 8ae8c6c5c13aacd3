"""BME280 and BMP280 against registers that behave as the data sheets say."""

import bus
from sensors import bme280, create


def node(chip_id=0x60, **raw):
    machine = bus.Machine()
    chip = machine.chips[0x76] = bus.Bme280Chip(machine.clock, chip_id, **raw)
    return machine, chip, bus.make_board(machine)


def make(board, **fields):
    entry = {"type": "bme280", "period": 10}
    entry.update(fields)
    return create(entry, board)


def test_bmp280_data_sheet_example():
    """BST-BMP280-DS001 3.12: adc_T 519888, adc_P 415148 -> t_fine 128422, 25.08 °C, 100653 Pa."""
    trim = bus.Bme280Chip.T_P
    fine = bme280.t_fine(trim, 519888)
    assert fine == 128422
    assert bme280.centidegrees(fine) == 2508
    assert bme280.pascals(trim, fine, 415148) == 100653


def test_humidity_agrees_with_the_data_sheets_floating_point_form():
    """BST-BME280-DS002 8.1 gives the same compensation in floating point."""
    for trim in (bus.Bme280Chip.H, (0, 370, 0, 313, -7, -5), (75, 359, 0, 329, 0, 30)):
        h1, h2, h3, h4, h5, h6 = trim
        for fine in (-20000, 76800, 128422, 300000):
            for raw in (15000, 26000, 33000, 48000):
                v = fine - 76800.0
                v = (raw - (h4 * 64.0 + h5 / 16384.0 * v)) * (
                    h2 / 65536.0 * (1.0 + h6 / 67108864.0 * v * (1.0 + h3 / 67108864.0 * v))
                )
                v = v * (1.0 - h1 * v / 524288.0)
                got = bme280.humidity_1024(trim, fine, raw) / 1024
                assert abs(got - min(max(v, 0.0), 100.0)) < 0.06, (trim, fine, raw, got, v)


def test_humidity_trimming_is_unpacked_with_its_signs():
    data = bytes((0x6B, 0x01, 0x00, 0x14, 0xD5, 0xFF, 0x9C))
    assert bme280.humidity_trim(75, data) == (75, 363, 0, 0x145, -3, -100)


def test_reads_all_three_values():
    _, _, board = node()
    sensor = make(board)
    values = bus.read(sensor)
    assert values["temperature"] == 25.08 and values["pressure"] == 1006.5
    assert 30 < values["humidity"] < 70
    assert sensor.errors == 0


def test_bmp280_has_no_humidity():
    _, _, board = node(0x58)
    values = bus.read(make(board, type="bmp280"))
    assert values == {"temperature": 25.08, "pressure": 1006.5}


def test_altitude_reduces_to_sea_level():
    _, _, board = node()
    pressure = bus.read(make(board, altitude=500))["pressure"]
    assert abs(pressure - 1006.53 / (1 - 500 / 44330) ** 5.255) < 0.06


def test_absent_costs_a_reading_and_comes_back():
    _, chip, board = node()
    sensor = make(board)
    chip.present = False
    assert bus.read(sensor) == {} and sensor.errors == 1
    assert "no answer at 0x76" in sensor.last_error
    chip.present = True
    assert bus.read(sensor)["temperature"] == 25.08
    assert sensor.failing == 0


def test_lost_power_between_readings_sets_the_chip_up_again():
    _, chip, board = node()
    sensor = make(board)
    bus.read(sensor)
    chip.present = False
    bus.read(sensor)
    chip.power_on()
    chip.present = True
    assert bus.read(sensor)["temperature"] == 25.08


def test_wrong_id_is_named():
    _, _, board = node(0x61)
    sensor = make(board)
    assert bus.read(sensor) == {}
    assert "wrong chip id 0x61" in sensor.last_error


def test_bmp280_sold_as_bme280_is_told():
    _, _, board = node(0x58)
    sensor = make(board)
    assert bus.read(sensor) == {}
    assert "BMP280" in sensor.last_error


def test_second_address():
    machine, chip, board = node()
    machine.chips = {0x77: chip}
    assert bus.read(make(board, address="0x77"))["temperature"] == 25.08


def test_missing_trimming_is_an_error():
    _, chip, board = node()
    chip.T_P = (0,) * 12
    sensor = make(board)
    assert bus.read(sensor) == {}
    assert "trimming" in sensor.last_error


def test_endless_measurement_ends_for_us():
    _, chip, board = node()
    chip.stuck_measuring = True
    sensor = make(board)
    assert bus.read(sensor) == {}
    assert "does not end" in sensor.last_error


def test_value_out_of_the_parts_range_is_dropped_and_the_rest_kept():
    _, _, board = node(raw_p=1000000)
    sensor = make(board)
    values = bus.read(sensor)
    assert "temperature" in values and "pressure" not in values
    assert sensor.errors == 1 and "pressure" in sensor.last_error


def test_stuck_data_line_is_an_error_and_not_a_value():
    machine, _, board = node()
    sensor = make(board)
    bus.read(sensor)
    machine.Pin(4).held = 0
    assert bus.read(sensor) == {}
    assert "SDA is held low" in sensor.last_error
    assert bus.read(sensor) == {}
    assert "stuck" in sensor.last_error
    machine.Pin(4).held = None
    assert bus.read(sensor)["temperature"] == 25.08


def test_stuck_clock_line():
    machine, _, board = node()
    machine.Pin(5).held = 0
    sensor = make(board)
    assert bus.read(sensor) == {}
    assert "stuck" in sensor.last_error


def test_nine_clocks_free_a_chip_that_was_cut_off_in_a_byte():
    machine, _, board = node()
    data, clock = machine.Pin(4), machine.Pin(5)
    data.held = 0

    def release_at_fifth_clock():
        if clock.falls == 5:
            data.held = None

    clock.on_clock = release_at_fifth_clock
    assert bus.read(make(board))["temperature"] == 25.08
    assert clock.falls == 5


def test_sensors_share_one_bus():
    machine, chip, board = node()
    machine.chips[0x77] = chip
    bus.read(make(board))
    bus.read(make(board, address="0x77", name="outside"))
    assert machine.buses == 1
