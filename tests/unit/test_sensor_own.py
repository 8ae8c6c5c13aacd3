"""The two sensors without a wire: the node's health and the simulated climate."""

import asyncio

import bus
from check import raises
from sensors import SpecError, create


def test_health_gives_what_the_node_tells():
    machine = bus.Machine()
    told = {"free_heap": 12345, "rssi": -61, "reset_reason": "power on", "reconnects": 2, "uptime": 99}
    board = bus.make_board(machine, status=lambda: told)
    sensor = create({"type": "health", "period": 60}, board)
    assert asyncio.run(sensor.read()) == [
        ("rssi", -61, "dBm", 0),
        ("free_heap", 12345, "B", 0),
        ("uptime", 99, "s", 0),
        ("reset_reason", "power on", "", None),
        ("reconnects", 2, "", 0),
    ]


def test_health_leaves_out_what_is_not_known_without_an_error():
    machine = bus.Machine()
    board = bus.make_board(machine)
    sensor = create({"type": "health"}, board)
    values = bus.read(sensor)
    assert values.pop("free_heap", 1) > 0  # CPython does not say
    assert values == {"uptime": 0}
    assert sensor.errors == 0 and sensor.failing == 0


def test_health_counts_uptime_itself_over_the_wrap_of_ticks():
    machine = bus.Machine()
    clock = machine.clock
    wrap = 1 << 30
    clock.ticks = lambda: clock.now % wrap
    clock.ticks_diff = lambda a, b: ((a - b + wrap // 2) & (wrap - 1)) - wrap // 2
    sensor = create({"type": "health"}, bus.make_board(machine))
    for _ in range(40):
        clock.now += 86_399_700
        bus.read(sensor)
    assert bus.read(sensor)["uptime"] == 40 * 86_399_700 // 1000


def test_health_with_a_broken_status_is_one_error():
    def broken():
        raise RuntimeError("radio off")

    sensor = create({"type": "health"}, bus.make_board(bus.Machine(), status=broken))
    assert bus.read(sensor) == {} and sensor.last_error == "RuntimeError: radio off"


def test_health_text_must_be_text():
    sensor = create({"type": "health"}, bus.make_board(bus.Machine(), status=lambda: {"reset_reason": 4}))
    assert "reset_reason" not in bus.read(sensor)
    assert "text wanted" in sensor.last_error


def climate(t, **fields):
    machine = bus.Machine()
    machine.clock.epoch = t
    entry = {"type": "sim"}
    entry.update(fields)
    return bus.read(create(entry, bus.make_board(machine)))


def test_simulated_climate_depends_on_the_clock_alone():
    for t in (0, 1, 86_399, 820_000_000, 2_000_000_000):
        assert climate(t) == climate(t)
    assert climate(820_000_000) != climate(820_003_600)


def test_simulated_climate_is_smooth_and_plausible():
    last = climate(800_000_000)
    for minute in range(1, 1500, 7):
        now = climate(800_000_000 + 60 * minute)
        assert 16 < now["temperature"] < 26 and 38 < now["humidity"] < 72 and 1000 < now["pressure"] < 1026
        assert abs(now["temperature"] - last["temperature"]) < 0.6
        last = now


def test_simulated_rooms_differ_by_phase():
    assert climate(800_000_000, phase=7200) == climate(800_007_200)
    assert raises(SpecError, climate, 0, phase=-1)


def test_simulated_climate_says_so():
    sensor = create({"type": "sim"}, bus.make_board(bus.Machine()))
    assert sensor.simulated
    assert not create({"type": "health"}, bus.make_board(bus.Machine())).simulated
