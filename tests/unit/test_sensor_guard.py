"""The guard: what a driver does wrong costs one reading and a counted error, never the node."""

import asyncio

import bus
from check import raises
from sensors import SpecError
from sensors.build import guarded
from sensors.spec import Spec


class Plain:
    """A driver whose answers a test lays out: a list, an exception to raise, or a function to await."""

    FIELDS = (("temperature", "°C", 1, -40, 85), ("humidity", "%", 0, 0, 100))

    def __init__(self, *answers):
        self.answers = list(answers)
        self.starts = 0

    async def start(self):
        self.starts += 1

    async def read(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return await answer() if callable(answer) else answer


def guard(*answers, **fields):
    entry = {"type": "plain", "period": 10}
    entry.update(fields)
    return guarded(Spec(entry), Plain(*answers), bus.make_board(bus.Machine()))


async def forever():
    await asyncio.Event().wait()


async def run_due(sensor, times):
    moments = []
    for _ in range(times):
        await sensor.due()
        moments.append(sensor._clock.now / 1000)
        await sensor.read()
    return moments


def test_good_values_are_rounded_to_their_precision():
    sensor = guard([21.456, 40.6])
    assert asyncio.run(sensor.read()) == [("temperature", 21.5, "°C", 1), ("humidity", 41, "%", 0)]
    assert (sensor.taken, sensor.errors, sensor.failing, sensor.last_error) == (1, 0, 0, "")


def test_true_and_false_are_numbers():
    values = asyncio.run(guard([True, False]).read())
    assert [type(v[1]) for v in values] == [int, int] and [v[1] for v in values] == [1, 0]


def test_whatever_a_driver_raises_is_counted_and_kept_as_text():
    for error, text in (
        (OSError(19), "OSError: "),
        (MemoryError("no"), "MemoryError: no"),
        (KeyError("x"), "KeyError: "),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (AttributeError("y" * 500), "AttributeError: yyy"),
    ):
        sensor = guard(error, [1, 2])
        assert bus.read(sensor) == {}
        assert sensor.errors == sensor.failing == 1
        assert sensor.last_error.startswith(text) and len(sensor.last_error) <= 100
        assert bus.read(sensor) == {"temperature": 1, "humidity": 2}
        assert sensor.failing == 0 and sensor.errors == 1


def test_a_driver_that_hangs_is_cut_off():
    sensor = guard(forever, [1, 2])
    sensor.driver.DEADLINE_MS = 30
    assert bus.read(sensor) == {}
    assert sensor.last_error == "no answer within 30 ms" and sensor.failing == 1
    assert bus.read(sensor) == {"temperature": 1, "humidity": 2}


async def stubborn():
    try:
        await forever()
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)  # goes on all the same, and answers when nobody waits any more
    return [1, 2]


def test_an_answer_after_the_deadline_disturbs_nothing():
    async def run():
        sensor = guard(stubborn, [3, 4])
        sensor.driver.DEADLINE_MS = 20
        assert await sensor.read() == [] and "no answer within 20 ms" in sensor.last_error
        await asyncio.sleep(0.2)
        assert [r[1] for r in await sensor.read()] == [3, 4]

    asyncio.run(run())


def test_start_runs_once_and_again_after_a_failure():
    sensor = guard([1, 2], [1, 2], OSError(5), [1, 2])
    for starts in (1, 1, 1, 2):
        bus.read(sensor)
        assert sensor.driver.starts == starts


def test_a_start_that_raises_is_a_failed_reading():
    sensor = guard([1, 2])

    async def broken():
        raise OSError(19)

    sensor.driver.start = broken
    assert bus.read(sensor) == {} and sensor.failing == 1


def test_nonsense_values_are_dropped_one_by_one():
    nan = float("nan")
    inf = float("inf")
    for bad in (None, nan, inf, -inf, "21", b"2", [], -41, 85.5, 1e9, 1j if hasattr(1, "imag") else "x"):
        sensor = guard([bad, 50])
        assert bus.read(sensor) == {"humidity": 50}, bad
        assert sensor.errors == 1 and sensor.failing == 0
        assert sensor.last_error.startswith("temperature: ")


def test_an_exception_as_value_tells_why():
    sensor = guard([ValueError("bad checksum"), 50])
    bus.read(sensor)
    assert sensor.last_error == "temperature: ValueError: bad checksum"


def test_no_good_value_at_all_is_a_failed_reading():
    sensor = guard([None, 101], [20, 50])
    assert bus.read(sensor) == {} and sensor.errors == 2 and sensor.failing == 1
    bus.read(sensor)
    assert sensor.driver.starts == 2


def test_answers_of_a_wrong_shape():
    for bad in (None, 5, "ab", [], [1], [1, 2, 3], {}, {"a": 1, "b": 2}):
        sensor = guard(bad)
        assert bus.read(sensor) == {} and sensor.errors == 1
        assert "list of 2 values" in sensor.last_error


def test_the_limits_themselves_are_allowed():
    assert bus.read(guard([-40, 0])) == {"temperature": -40, "humidity": 0}
    assert bus.read(guard([85, 100])) == {"temperature": 85, "humidity": 100}


def test_two_readers_take_turns():
    order = []

    async def slow():
        order.append("in")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order.append("out")
        return [1, 2]

    async def both():
        await asyncio.gather(sensor.read(), sensor.read(force=True))

    sensor = guard(slow)
    asyncio.run(both())
    assert order == ["in", "out", "in", "out"]


def test_readings_keep_in_step_with_the_period():
    sensor = guard([1, 2])

    async def slow():
        await sensor._clock.sleep_ms(700)
        return [1, 2]

    sensor.driver.answers = [slow]
    assert asyncio.run(run_due(sensor, 4)) == [0, 10, 20, 30]


def test_after_a_stall_missed_readings_are_not_made_up():
    sensor = guard([1, 2])

    async def main():
        await run_due(sensor, 1)
        await sensor._clock.sleep_ms(57_000)
        return await run_due(sensor, 3)

    assert asyncio.run(main()) == [57, 67, 77]


def test_a_changed_period_is_noticed_within_a_second():
    sensor = guard([1, 2], period=3600)

    async def main():
        await run_due(sensor, 1)
        waiting = asyncio.create_task(run_due(sensor, 1))
        while sensor._clock.now < 5000:
            await asyncio.sleep(0)
        sensor.period = 5
        return await waiting

    assert asyncio.run(main())[0] <= 6


def test_an_absent_sensor_is_asked_less_and_less_and_at_once_as_usual_when_back():
    sensor = guard(OSError(19), period=60)
    moments = asyncio.run(run_due(sensor, 9))
    gaps = [moments[i + 1] - moments[i] for i in range(8)]
    assert gaps == [60, 60, 120, 240, 480, 900, 900, 900]
    sensor.driver.answers = [[1, 2]]
    bus.read(sensor)
    back = asyncio.run(run_due(sensor, 3))
    assert [back[1] - back[0], back[2] - back[1]] == [60, 60]


def test_back_off_never_shortens_a_long_period():
    sensor = guard(OSError(19), period=7200)
    asyncio.run(run_due(sensor, 5))
    moments = asyncio.run(run_due(sensor, 2))
    assert moments[1] - moments[0] == 7200


def test_cancelling_the_node_is_not_swallowed():
    sensor = guard(forever)

    async def main():
        task = asyncio.create_task(sensor.read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"

    assert asyncio.run(main()) == "cancelled"
    assert sensor.errors == 0


def test_names_and_periods_are_checked():
    for fields, text in (
        ({"name": "a b"}, "name: a name of 1 to 32"),
        ({"name": ""}, "name: a name"),
        ({"name": "x/y"}, "name: a name"),
        ({"period": "60"}, "period: a number from 1"),
        ({"period": True}, "period: a number"),
        ({"period": float("nan")}, "period: a number"),
        ({"period": 86401}, "period: a number"),
        ({"filters": []}, "filters: an object"),
        ({"filters": {"temperature": 5}}, "filters.temperature"),
        ({"filters": {"pressure": {}}}, "filters.pressure: one of temperature, humidity, * as name wanted"),
    ):
        error = str(raises(SpecError, guard, [1, 2], **fields))
        assert text in error, error
