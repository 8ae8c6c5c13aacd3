"""Digital input, pulse counter, analog input, supply, HC-SR04: pins that a test drives."""

import asyncio

import bus
from check import raises
from sensors import SpecError, create


def node(entry, name="d1_mini"):
    machine = bus.Machine()
    return machine, create(entry, bus.make_board(machine, name))


def fails_with(sensor, text):
    assert bus.read(sensor) == {}
    assert text in sensor.last_error, sensor.last_error


def watch(machine, sensor, steps):
    """Run due() and read() while the line follows `steps` [(at ms, level)]; the changes seen as [(ms, state)]."""
    line = machine.Pin(4)
    seen = []

    async def sample():
        while True:
            await sensor.due()
            for reading in await sensor.read():
                seen.append((machine.clock.now, reading[1]))

    async def main():
        sampling = asyncio.create_task(sample())
        for at, level in steps + [(steps[-1][0] + 1000, None)]:  # noqa: RUF005
            while machine.clock.now < at:
                await asyncio.sleep(0)
            if level is not None:
                line.drive(level)
        sampling.cancel()

    asyncio.run(main())
    return seen


def test_button_is_one_when_pressed_and_seen_at_once():
    machine, sensor = node({"type": "digital", "pin": "D2", "kind": "button", "period": 3600})
    seen = watch(machine, sensor, [(1000, 0), (1500, 1)])
    assert [s for _, s in seen] == [0, 1, 0]
    assert seen[0][0] == 0 and 1050 <= seen[1][0] <= 1100 and 1550 <= seen[2][0] <= 1600


def test_bounces_make_one_change():
    machine, sensor = node({"type": "digital", "pin": "D2", "kind": "button", "period": 3600})
    bounces = [(1000 + 20 * i, i % 2) for i in range(7)]  # ends pressed
    bounces.extend([(1400, 1), (1440, 0), (1480, 1)])
    assert [s for _, s in watch(machine, sensor, bounces)] == [0, 1, 0]


def test_a_spike_shorter_than_debounce_is_ignored():
    machine, sensor = node({"type": "digital", "pin": "D2", "kind": "button", "period": 3600, "debounce": 100})
    assert [s for _, s in watch(machine, sensor, [(1000, 0), (1060, 1)])] == [0]


def test_period_brings_the_state_without_a_change():
    machine, sensor = node({"type": "digital", "pin": "D2", "kind": "motion", "period": 10})
    machine.Pin(4).level = 1
    seen = watch(machine, sensor, [(25_000, 1)])
    assert [s for _, s in seen] == [1, 1, 1]


def test_kinds_differ_in_pull_and_sense():
    for kind, level, pull, state in (
        ("plain", 1, None, 1),
        ("motion", 1, None, 1),
        ("button", 0, 1, 1),
        ("contact", 1, 1, 1),
        ("contact", 0, 1, 0),
    ):
        machine, sensor = node({"type": "digital", "pin": "D2", "kind": kind})
        machine.Pin(4).level = level
        assert bus.read(sensor) == {"state": state}, kind
        assert bool(machine.Pin(4).pull) == bool(pull)
    machine, sensor = node({"type": "digital", "pin": "D2", "kind": "button", "invert": False, "pull": "none"})
    assert bus.read(sensor) == {"state": 0} and not machine.Pin(4).pull


def test_a_pin_that_raises_while_polled_is_counted_and_the_period_goes_on():
    machine, sensor = node({"type": "digital", "pin": "D2", "period": 10})
    bus.read(sensor)

    def broken():
        raise OSError(5)

    machine.Pin(4).value = broken

    async def main():
        await sensor.due()
        await sensor.due()

    asyncio.run(main())
    assert sensor.errors == 1 and "OSError" in sensor.last_error
    assert machine.clock.now >= 10_000


def pulses(machine, count, apart_ms=50):
    line = machine.Pin(4)
    for _ in range(count):
        line.drive(0)
        line.drive(1)
        machine.clock.now += apart_ms


def test_counter_counts_falling_edges_and_gives_a_rate():
    machine, sensor = node({"type": "counter", "pin": "D2", "period": 10})
    assert bus.read(sensor) == {"total": 0}
    pulses(machine, 20)
    machine.clock.now = 10_000
    assert bus.read(sensor) == {"total": 20, "rate": 120.0}
    machine.clock.now = 20_000
    assert bus.read(sensor) == {"total": 20, "rate": 0.0}
    assert sensor.errors == 0


def test_counter_scales_into_units():
    entry = {"type": "counter", "pin": "D2", "period": 10, "scale": 0.5, "unit": "L", "per": 3600}
    machine, sensor = node(entry)
    bus.read(sensor)
    pulses(machine, 3)
    machine.clock.now = 10_000
    assert bus.read(sensor) == {"total": 1.5, "rate": 540.0}
    assert [f[1] for f in sensor.fields] == ["L", "L/h"]


def test_counter_ignores_bounces():
    machine, sensor = node({"type": "counter", "pin": "D2", "period": 10, "debounce": 30})
    bus.read(sensor)
    pulses(machine, 10, 5)  # one real pulse and its bounces, 50 ms in all
    assert bus.read(sensor)["total"] == 2


def test_counter_on_both_edges():
    machine, sensor = node({"type": "counter", "pin": "D2", "edge": "both", "debounce": 0})
    bus.read(sensor)
    pulses(machine, 4)
    assert bus.read(sensor)["total"] == 8


def test_analog_input_takes_the_boards_divider():
    machine, sensor = node({"type": "adc"})
    machine.adc[0] = 512
    assert bus.read(sensor) == {"voltage": 1.6}
    machine, sensor = node({"type": "adc"}, "generic")
    machine.adc[0] = 1024
    assert bus.read(sensor) == {"voltage": 1.0}


def test_analog_input_averages_scales_and_names():
    entry = {"type": "adc", "divider": 1, "samples": 2, "scale": 100, "offset": -10, "value": "moisture", "unit": "%"}
    entry.update({"precision": 1, "lowest": 0, "highest": 100})
    machine, sensor = node(entry)
    machine.adc[0] = [500, 524]
    assert asyncio.run(sensor.read()) == [("moisture", 40.0, "%", 1)]
    machine.adc[0] = [0, 0]
    machine.clock.now += 10_000
    fails_with(sensor, "moisture: -10.0 is outside 0 to 100")


def test_analog_input_with_an_empty_range_is_refused():
    error = raises(SpecError, node, {"type": "adc", "lowest": 5, "highest": 1})
    assert "adc.highest: a number above lowest wanted" in str(error)
    assert "adc.lowest: a number" in str(raises(SpecError, node, {"type": "adc", "lowest": "x"}))


def test_esp01_has_no_analog_input():
    assert "adc.pin: a pin of the board esp01 wanted" in str(raises(SpecError, node, {"type": "adc"}, "esp01"))


def test_supply_voltage():
    machine, sensor = node({"type": "vcc"})
    machine.adc[1] = 3379
    assert bus.read(sensor) == {"voltage": 3.3}
    machine.clock.now += 60_000
    machine.adc[1] = 65535
    fails_with(sensor, "not set up to measure its supply")


def test_the_one_converter_is_not_shared():
    board = bus.make_board(bus.Machine())
    create({"type": "adc"}, board)
    error = str(raises(SpecError, create, {"type": "vcc"}, board))
    assert "vcc.pin: A0 is already used by adc" in error


def sonar(**fields):
    entry = {"type": "hcsr04", "trigger": "D1", "echo": "D2"}
    entry.update(fields)
    return node(entry)


def test_distance_is_the_median_of_the_echoes():
    machine, sensor = sonar()
    machine.echoes = [5830, 900, 5840]
    assert bus.read(sensor) == {"distance": 100.1}  # 5830 µs · 343.4 m/s / 2
    assert machine.Pin(5).falls == 3


def test_distance_in_cold_air():
    machine, sensor = sonar(temperature=-20, samples=1)
    machine.echoes = [5830]
    assert bus.read(sensor) == {"distance": 93.0}


def test_no_echo_some_echoes_and_a_stuck_echo():
    machine, sensor = sonar()
    machine.echoes = [-2, -2, -2]
    fails_with(sensor, "no echo from within 200 cm")
    machine.echoes = [-2, 30_000, 5830]
    assert bus.read(sensor) == {"distance": 100.1}
    machine.Pin(4).held = 1
    fails_with(sensor, "stuck high")
