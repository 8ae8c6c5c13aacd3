"""The guard around a driver: whatever a driver does, it costs one reading and a counted error, never the node.

A driver is a class `Driver(spec, board)` with
    FIELDS  tuple of (name, unit, precision, lowest, highest), one for each value.
            Precision None: text. A limit None: any. An instance attribute may replace it
            (a bus whose parts are found later).
    read()  coroutine; gives a list of values in the order of FIELDS; None, or the exception that says why, for one
            that could not be had.
and, if it needs them,
    start() coroutine, run before the first reading and again after a failed one: find the chip, set it up.
    poll()  plain function, called every POLL_MS; True if a reading should be taken now.
    MIN_PERIOD (s), DEADLINE_MS, SIMULATED (True: invented values), SPARSE (True: None is an ordinary answer).
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

DEADLINE_MS = 3_000
POLL_MS = 20
PERIOD_S = 60
PERIOD_MOST_S = 86_400
PATIENCE = 3  # failures in a row before the sensor is asked less often
BACKOFF_MOST_S = 900
_STEP_MS = 1_000  # how soon a changed period is noticed
_ERROR_MOST = 100  # characters


class SpecError(ValueError):
    """The settings entry cannot make a sensor; the text names the field and what was wanted."""


class ReadError(Exception):
    """A driver's word for: no usable answer from the part. The text is for the user."""


class Sensor:
    """One sensor of the node. Counters: `taken` tries, `errors` values or tries lost, `failing` tries lost in a row."""

    def __init__(self, spec: "Spec", driver: "Any", board: "Any") -> None:
        self.kind = spec.get("type")
        self.name = spec.word("name", self.kind)
        self.driver = driver
        least = getattr(driver, "MIN_PERIOD", 1)
        self.period = spec.number("period", least, PERIOD_MOST_S, max(PERIOD_S, least))
        self._deadline_ms = getattr(driver, "DEADLINE_MS", DEADLINE_MS)
        self.simulated = getattr(driver, "SIMULATED", False)
        self._sparse = getattr(driver, "SPARSE", False)
        self._poll = getattr(driver, "poll", None)
        self._clock = board.clock
        self._filters = _filters(spec.get("filters"), self.name, driver.FIELDS)
        self._lock = asyncio.Lock()
        self._started = False
        self._due_at: "Any" = None
        self.taken = self.errors = self.failing = 0
        self.last_error = ""

    @property
    def fields(self) -> tuple:
        """(name, unit, precision, lowest, highest) of each value; may be empty until the first good reading."""
        return self.driver.FIELDS

    async def read(self, force: bool = False) -> list[tuple]:
        """Take one reading: a list of (name, value, unit, precision), those that are to be sent now.

        `force`: all values, whatever delta and the intervals say. Never raises but CancelledError; an empty list with a
        raised `errors` is a failure, and `last_error` says which.
        """
        async with self._lock:
            self.taken += 1
            try:
                values = await asyncio.wait_for(self._attempt(), self._deadline_ms / 1000)
                return self._judge(values, force)
            except asyncio.TimeoutError:
                self._fail("no answer within %d ms" % self._deadline_ms)
            except Exception as e:  # noqa: BLE001  a driver may raise anything; counted and kept
                self._fail(_text(e))
            self.failing += 1
            self._started = False
            return []

    async def due(self) -> None:
        """Return when the next reading is to be taken: the period is over, or the driver saw a change.

        The first call returns at once. While the sensor keeps failing the wait doubles, up to BACKOFF_MOST_S.
        """
        clock = self._clock
        if self._due_at is None:
            self._due_at = clock.ms()
            return
        while True:
            wait_ms = int(self.wait_s() * 1000)
            late = clock.diff(clock.ms(), self._due_at) - wait_ms
            if late >= 0:
                break
            if self._changed():
                late = wait_ms
                break
            await clock.sleep_ms(min(-late, POLL_MS if self._poll else _STEP_MS))
        # In step with the period; after a long stall, from now on.
        self._due_at = clock.ms() if late >= wait_ms else clock.add(self._due_at, wait_ms)

    def wait_s(self) -> float:
        """Seconds from one reading to the next, as things are."""
        if self.failing < PATIENCE:
            return self.period
        longer = self.period * (1 << min(self.failing - PATIENCE + 1, 10))
        return min(longer, max(self.period, BACKOFF_MOST_S))

    def _changed(self) -> bool:
        if not self._poll:
            return False
        try:
            return bool(self._poll())
        except Exception as e:  # noqa: BLE001  as in read()
            self._fail(_text(e))
            self._poll = None  # periodic readings go on
            return False

    async def _attempt(self) -> "Any":
        if not self._started:
            start = getattr(self.driver, "start", None)
            if start:
                await start()
            self._started = True
        return await self.driver.read()

    def _judge(self, values: "Any", force: bool) -> list[tuple]:
        """Keep what is in range and due; count what is not."""
        fields = self.driver.FIELDS
        if not isinstance(values, (list, tuple)) or len(values) != len(fields):
            raise ValueError("driver gave %s, not a list of %d values" % (repr(values)[:40], len(fields)))
        now = self._clock.ms()
        good = 0
        readings = []
        for i, (name, unit, precision, low, high) in enumerate(fields):
            value = values[i]
            if value is None and self._sparse:
                good += 1
                continue
            fault = _fault(value, precision, low, high)
            if fault:
                self._fail("%s: %s" % (name, fault))
                continue
            good += 1
            kept = self._filtered(name, value, precision, now, force)
            if kept is not None:
                readings.append((name, kept[0], unit, kept[1]))
        if good:
            self.failing = 0
        else:
            self.failing += 1
            self._started = False
        return readings

    def _filtered(self, name: str, value: "Any", precision: int | None, now: int, force: bool) -> tuple | None:
        if precision is None:
            return value, None
        chain = self._filters.of(name, precision) if self._filters else None
        if chain is None:
            return rounded(value, precision), precision
        value = chain.apply(value)
        if force:
            chain.sent(value, now)
        elif not chain.due(value, now, self._clock):
            return None
        return value, chain.precision

    def _fail(self, why: str) -> None:
        self.errors += 1
        self.last_error = why[:_ERROR_MOST]


def _filters(entry: "Any", name: str, fields: tuple) -> "Any":
    """The sensor's filters, or None: their module is loaded only if the settings ask for some."""
    if not entry and (entry is None or isinstance(entry, dict)):
        return None
    from .filters import Filters

    return Filters(entry, name, fields)


def rounded(value: float, precision: int) -> float:
    """`value` with at most `precision` decimals; an int if that is 0."""
    if type(value) in (int, bool):
        return int(value)
    return round(value, precision) if precision else round(value)


def _fault(value: "Any", precision: int | None, low: float | None, high: float | None) -> str:
    """What is wrong with a value, "" if nothing."""
    if value is None:
        return "no value"
    if isinstance(value, Exception):
        return _text(value)
    if precision is None:
        return "" if isinstance(value, str) else "text wanted, got %s" % repr(value)[:40]
    if type(value) not in (int, float, bool):
        return "a number wanted, got %s" % repr(value)[:40]
    if value - value != 0:  # NaN and the infinities
        return "not a finite number"
    if (low is not None and value < low) or (high is not None and value > high):
        return "%s is outside %s to %s" % (value, low, high)
    return ""


def _text(error: Exception) -> str:
    name = type(error).__name__
    text = str(error)
    if isinstance(error, ReadError) and text:
        return text
    return "%s: %s" % (name, text) if text else name
