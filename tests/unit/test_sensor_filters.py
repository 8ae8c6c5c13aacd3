"""Filters: each alone, their order, and what is worth sending."""

import asyncio

import bus
from check import raises
from sensors import SpecError, create
from sensors.filters import Filter, Window
from sensors.spec import Spec


def chain(precision=2, **entry):
    return Filter(Spec(entry, "s.filters.v"), precision)


def applied(values, **entry):
    f = chain(**entry)
    return [f.apply(v) for v in values]


def sent(f, steps):
    """The values of `steps` [(s, value)] that are due."""
    clock = bus.Clock()
    values = []
    for s, v in steps:
        clock.now = s * 1000
        if f.due(v, clock):
            values.append(v)
    return values


def test_scale_then_offset():
    assert applied([10, 20], scale=2, offset=-1) == [19, 39]


def test_clamp():
    assert applied([-5, 5, 50], clamp=[0, 10]) == [0, 5, 10]


def test_median_removes_a_spike():
    assert applied([20, 20, 85, 21, 21], median=3) == [20, 20, 20, 21, 21]


def test_median_of_an_even_number_is_the_mean_of_the_middle():
    assert applied([1, 3, 10, 2], median=4) == [1, 2.0, 3, 2.5]


def test_average_moves():
    assert applied([1, 2, 3, 7], average=3) == [1.0, 1.5, 2.0, 4.0]


def test_round():
    assert applied([1.2345, 9.876], round=1) == [1.2, 9.9]
    assert applied([1.5001, 2.6], round=0) == [2, 3]
    assert applied([1.2345]) == [1.23]


def test_order_is_scale_offset_clamp_median_average_round():
    f = chain(scale=2, offset=1, clamp=[0, 100], median=3, average=2, round=0)
    # after scale, offset, clamp: 21, 100, 23, 25 -> medians 21, 60.5, 23, 25 -> averages 21, 40.75, 41.75, 24
    assert [f.apply(v) for v in (10, 500, 11, 12)] == [21, 41, 42, 24]


def test_window_forgets_the_oldest():
    window = Window(3)
    for v in range(100):
        window.add(v)
    assert window.mean() == 98 and window.median() == 98


def test_window_median_agrees_with_sorting():
    window = Window(5)
    values = [(i * 7919) % 101 for i in range(60)]
    for i, v in enumerate(values):
        window.add(v)
        last = sorted(values[max(0, i - 4) : i + 1])
        n = len(last)
        assert window.median() == (last[n // 2] if n % 2 else (last[n // 2 - 1] + last[n // 2]) / 2)


def test_without_triggers_all_is_sent():
    assert sent(chain(), [(0, 1), (1, 1), (2, 1)]) == [1, 1, 1]


def test_delta_sends_changes_against_what_was_sent_last():
    f = chain(delta=1)
    assert sent(f, [(0, 20), (10, 20.6), (20, 21), (30, 21.9), (40, 20.5), (50, 20)]) == [20, 21, 20]


def test_max_interval_sends_in_spite_of_delta():
    f = chain(delta=5, max_interval=60)
    assert sent(f, [(0, 1), (30, 2), (60, 3), (90, 4), (119, 5), (120, 6)]) == [1, 3, 6]


def test_min_interval_holds_back_even_a_change():
    f = chain(delta=1, min_interval=60)
    assert sent(f, [(0, 1), (30, 5), (59, 6), (60, 9), (61, 2), (120, 1)]) == [1, 9, 1]


def test_a_value_unsent_for_weeks_does_not_trip_over_the_wrap_of_ticks():
    f = chain(delta=1, min_interval=10)
    clock = bus.Clock()
    wrap = 1 << 30

    def diff(a, b):  # as time.ticks_diff
        return ((a - b + wrap // 2) & (wrap - 1)) - wrap // 2

    clock.ticks_diff = diff
    assert f.due(5, clock)
    for _ in range(1, 30 * 24):
        clock.now = (clock.now + 3_600_000) % wrap
        assert not f.due(5, clock)
    assert f.due(7, clock)


def test_forced_reading_gives_all_and_counts_as_sent():
    machine = bus.Machine()
    board = bus.make_board(machine)
    sensor = create({"type": "sim", "filters": {"*": {"delta": 50}}}, board)
    assert len(bus.read(sensor)) == 3
    assert bus.read(sensor) == {}
    assert len(bus.read(sensor, force=True)) == 3
    assert sensor.errors == 0 and sensor.failing == 0


def test_star_is_one_filter_for_each_value_and_a_name_wins():
    machine = bus.Machine()
    entry = {"type": "sim", "filters": {"*": {"average": 4}, "pressure": {"offset": -1000, "round": 0}}}
    sensor = create(entry, bus.make_board(machine))
    first = asyncio.run(sensor.read())
    assert 0 < first[2][1] < 100 and first[2][3] == 0
    machine.clock.epoch = 20_000
    second = bus.read(sensor)
    plain = bus.read(create({"type": "sim"}, bus.make_board(machine)))
    assert abs(second["temperature"] - (first[0][1] + plain["temperature"]) / 2) < 0.02
    assert abs(second["humidity"] - (first[1][1] + plain["humidity"]) / 2) < 0.2


def test_bad_entries_are_refused_by_name():
    for entry, text in (
        ({"scale": "2"}, "scale: a number"),
        ({"offset": None}, "offset: a number"),
        ({"median": 16}, "median: a whole number from 1 to 15"),
        ({"median": 2.5}, "median: a whole number"),
        ({"average": 0}, "average: a whole number from 1 to 60"),
        ({"average": 61}, "average: a whole number"),
        ({"clamp": 5}, "clamp: a list of two numbers"),
        ({"clamp": [5]}, "clamp: a list"),
        ({"clamp": [9, 1]}, "clamp: a list"),
        ({"clamp": [True, 2]}, "clamp: a list"),
        ({"delta": -1}, "delta: a number from 0"),
        ({"min_interval": -1}, "min_interval: a number"),
        ({"max_interval": 90000}, "max_interval: a number"),
        ({"min_interval": 60, "max_interval": 30}, "max_interval: at least min_interval"),
        ({"round": 7}, "round: a whole number from 0 to 6"),
        ({"meidan": 3}, "meidan: unknown field; known are average, clamp"),
    ):
        error = str(raises(SpecError, chain, **entry))
        assert error.startswith("s.filters.v.") and text in error, error
