"""Sensors of the node: `create(entry, board)` makes one from its settings entry and imports only that type's module.

    board = Board("d1_mini")
    sensor = create({"type": "dht22", "pin": "D4", "period": 60}, board)
    unload()  # after the last create(): RAM back
    while True:
        await sensor.due()
        for name, value, unit, precision in await sensor.read(): ...

A type is a module of this package or a user's own file in USER_DIR. This file is what stays in memory: the guard around
a driver and the seam to the hardware. Making sensors (build, spec, pins) and saying what went wrong (trouble) are
modules that come and go.

A driver is a class `Driver(spec, board)` with
    FIELDS  tuple of (name, unit, precision, lowest, highest), one for each value.
            Precision None: text. A limit None: any. An instance attribute may replace it
            (a bus whose parts are found later).
    read()  coroutine; gives a list of values in the order of FIELDS; None, or the exception that says why, for one
            that could not be had.
and, if it needs them,
    start() coroutine, run before the first reading and again after a failed one: find the chip, set it up.
    poll()  plain function, called every 20 ms; True if a reading should be taken now.
    MIN_PERIOD (s), DEADLINE_MS (of start() and read() together, 3000), SIMULATED (True: invented values),
    SPARSE (True: None is an ordinary answer).
"""

import asyncio
import sys

try:
    from micropython import const as const
except ImportError:  # CPython

    def const(value):
        """The value itself."""
        return value


TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

USER_DIR = "/lib/sensors"  # on the board's file system; the package itself may live in ROMFS

SpecError = ValueError  # what create() raises is a ValueError; its own class (in spec.py) does not stay in memory

_DEADLINE_MS = const(3_000)
_POLL_MS = const(20)
_STEP_MS = const(1_000)  # how soon a changed period is noticed
_PATIENCE = const(3)  # failures in a row before the sensor is asked less often
_BACKOFF_MOST_S = const(900)


class ReadError(Exception):
    """A driver's word for: no usable answer from the part. The text is for the user."""


def create(entry: "Any", board: "Board", user_dir: str = USER_DIR) -> "Sensor":
    """The sensor of a settings entry. Raises SpecError with the field and what was wanted; touches no bus yet."""
    from .build import build

    return build(entry, board, user_dir)


def unload() -> None:
    """Forget the modules that are needed now and then only; they come back by themselves."""
    for name in ("build", "spec", "pins", "trouble"):
        sys.modules.pop("sensors." + name, None)
        globals().pop(name, None)


class Board:
    """The seam to the hardware: shared buses, pins, the clock. Drivers reach silicon only through it.

    `name` is a word of pins.BOARDS, else ValueError. `machine` is the module or a stand-in; `status` gives the node's
    state as a dict (see health.py). `clock` has ticks(), ticks_diff(), ticks_add() and sleep_ms() as asyncio.core, the
    default, has them; ticks wrap. `warnings` collects what a user should know about the chosen pins.
    """

    def __init__(
        self,
        name: str = "nodemcu",
        machine: "Any" = None,
        clock: "Any" = None,
        status: "Callable[[], dict] | None" = None,
    ) -> None:
        from .pins import check

        check(name)
        self.name = name
        self.machine = machine or __import__("machine")
        self.clock = clock or asyncio.core  # type: ignore[attr-defined]  # not in the stubs
        self.status = status or dict
        self.warnings: "list[str]" = []
        self.claims: "dict[int, tuple[str, str]]" = {}  # GPIO number: use, owner; see pins.claim()
        self._shared: "dict" = {}

    def input(self, number: int, pull: str = "") -> "Any":
        """The pin as an input with .value(); `pull` is "" or "up"."""
        pin = self.machine.Pin
        return pin(number, pin.IN, pin.PULL_UP) if pull else pin(number, pin.IN)

    def shared(self, key: "Any", make: "Callable[[], Any]") -> "Any":
        """What `make` gives, made once for each key: a bus that several sensors use."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]


class Sensor:
    """The guard around a driver: whatever that does, it costs one reading and a counted error, never the node.

    `taken` counts tries, `errors` values or tries lost, `failing` tries lost in a row. `period` is in s and may be
    changed. `fields` is (name, unit, precision, lowest, highest) of each value; may be empty until the first reading.
    """

    # What many a sensor never changes takes no memory in each.
    taken = errors = failing = 0
    last_error = ""
    simulated = False
    filters: "Any" = None
    _busy = _started = False
    _due_at: "Any" = None
    _poll: "Any" = None

    def __init__(self, kind: str, name: str, period: float, driver: "Any", clock: "Any") -> None:
        self.kind = kind
        self.name = name
        self.period = period
        self.driver = driver
        self.fields = driver.FIELDS
        self._clock = clock
        if hasattr(driver, "SIMULATED"):
            self.simulated = driver.SIMULATED
        if hasattr(driver, "poll"):
            self._poll = driver.poll

    async def read(self, force: bool = False) -> "list[tuple]":
        """Take one reading: a list of (name, value, unit, precision), those that are to be sent now.

        `force`: all values, whatever delta and the intervals say. Never raises but CancelledError; an empty list with a
        raised `errors` is a failure, and `last_error` says which.
        """
        deadline_ms = getattr(self.driver, "DEADLINE_MS", _DEADLINE_MS)
        while self._busy:
            await self._clock.sleep_ms(_POLL_MS)
        self._busy = True
        readings: "list[tuple]" = []
        good = 0
        try:
            self.taken += 1
            values = await self._within(deadline_ms)
            self.fields = self.driver.FIELDS
            good = self._judge(values, readings, force)
        except Exception as e:  # noqa: BLE001  a driver may raise anything; counted and kept
            self._fail(e)
        finally:
            self._busy = False
        self._started = good > 0
        if good:
            if self.failing:
                self.failing = 0
        else:
            self.failing += 1
        return readings

    async def _within(self, deadline_ms: int) -> "Any":
        """What the driver gives in time. asyncio.wait_for does the same for 1 KB more, on MicroPython."""
        answer: "list" = []
        attempt = asyncio.create_task(self._attempt(answer, asyncio.current_task()))
        try:
            await asyncio.sleep(deadline_ms / 1000)
        except asyncio.CancelledError:
            if not answer:  # from outside
                raise
        finally:
            attempt.cancel()
            if not answer:
                answer.append(ReadError("no answer within %d ms" % deadline_ms))
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    async def _attempt(self, answer: "list", waiting: "Any") -> None:
        """Put into `answer` what the driver gives, or the exception that it raises, and end the wait for it."""
        got: "Any"
        try:
            if not self._started and hasattr(self.driver, "start"):
                await self.driver.start()
            got = await self.driver.read()
        except Exception as e:  # noqa: BLE001  as in read()
            got = e
        if not answer:
            answer.append(got)
            waiting.cancel()

    def _judge(self, values: "Any", readings: "list[tuple]", force: bool) -> int:
        """Put into `readings` what is in range and to be sent; count what is not in range. Returns how many are."""
        if not isinstance(values, (list, tuple)) or len(values) != len(self.fields):
            raise ValueError("driver gave %s, not a list of %d values" % (repr(values)[:40], len(self.fields)))
        good = 0
        for i, (name, unit, precision, low, high) in enumerate(self.fields):
            value = values[i]
            if value is None and getattr(self.driver, "SPARSE", False):
                good += 1
                continue
            if precision is None:
                fit = isinstance(value, str)
            else:
                fit = type(value) in (int, float, bool) and value - value == 0  # neither NaN nor infinite
                fit = fit and (low is None or value >= low) and (high is None or value <= high)
            if not fit:
                self._fail(value, self.fields[i])
                continue
            good += 1
            if precision is not None:
                chain = self.filters.of(name, precision) if self.filters else None
                if chain:
                    value = chain.apply(value)
                    if chain.due(value, self._clock, force):
                        readings.append((name, value, unit, chain.precision))
                    continue
                if type(value) is float:
                    value = round(value, precision) if precision else round(value)
                else:
                    value = int(value)
            readings.append((name, value, unit, precision))
        return good

    async def due(self) -> None:
        """Return when the next reading is to be taken: the period is over, or the driver saw a change.

        The first call returns at once. While the sensor keeps failing the wait doubles, up to 15 minutes.
        """
        clock = self._clock
        if self._due_at is None:
            self._due_at = clock.ticks()
            return
        while True:
            wait_s = self.period
            if self.failing >= _PATIENCE:
                longer = wait_s * (1 << min(self.failing - _PATIENCE + 1, 10))
                wait_s = min(longer, max(wait_s, _BACKOFF_MOST_S))
            wait_ms = int(wait_s * 1000)
            late = clock.ticks_diff(clock.ticks(), self._due_at) - wait_ms
            if late >= 0:
                break
            try:
                if self._poll and self._poll():
                    late = wait_ms
                    break
            except Exception as e:  # noqa: BLE001  as in read()
                self._fail(e)
                self._poll = None  # periodic readings go on
            await clock.sleep_ms(min(-late, _POLL_MS if self._poll else _STEP_MS))
        # In step with the period; after a long stall, from now on.
        self._due_at = clock.ticks() if late >= wait_ms else clock.ticks_add(self._due_at, wait_ms)

    def _fail(self, what: "Any", field: "tuple | None" = None) -> None:
        """Count an exception, or a value that does not fit its field, and keep in words why."""
        self.errors += 1
        try:
            from .trouble import text

            self.last_error = text(what, field)
        except MemoryError:
            self.last_error = "MemoryError"
        unload()
