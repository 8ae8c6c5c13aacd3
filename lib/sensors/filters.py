"""What happens to a value between the sensor and the message: corrected, smoothed, rounded; then: is it worth sending?

Declared per value in the settings: "filters": {"temperature": {"offset": -0.5, "median": 5, "delta": 0.2}}; the name
"*" stands for every numeric value without an entry of its own. Order, always: scale, offset, clamp, median, average,
round; then min_interval, delta, max_interval decide about sending. Windows are bounded and made once.
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

MEDIAN_MOST = 15
AVERAGE_MOST = 60
DAY_S = 86_400
_AGE_MOST_MS = 100_000_000  # more than a day, far less than where ticks wrap


class Window:
    """The last `size` values, in place."""

    def __init__(self, size: int) -> None:
        self._values: "list[float]" = [0] * size
        self._sorted: "list[float]" = [0] * size
        self._next = 0
        self._count = 0

    def add(self, value: float) -> None:
        """Take a value in place of the oldest."""
        self._values[self._next] = value
        self._next = (self._next + 1) % len(self._values)
        self._count = min(self._count + 1, len(self._values))

    def mean(self) -> float:
        """Mean of what is there."""
        total = 0.0
        for i in range(self._count):
            total += self._values[i]
        return total / self._count

    def median(self) -> float:
        """Middle value of what is there; the mean of the two middle ones if their number is even."""
        order = self._sorted
        for i in range(self._count):  # insertion sort: no allocation
            value = self._values[i]
            j = i
            while j and order[j - 1] > value:
                order[j] = order[j - 1]
                j -= 1
            order[j] = value
        middle = self._count // 2
        return order[middle] if self._count % 2 else (order[middle - 1] + order[middle]) / 2


class Filter:
    """The filters of one value. `precision`: decimals it is rounded to if the entry has no "round"."""

    def __init__(self, spec: "Spec", precision: int) -> None:
        self.scale = spec.number("scale", -1e6, 1e6, 1)
        self.offset = spec.number("offset", -1e6, 1e6, 0)
        self.low, self.high = _limits(spec)
        median = spec.integer("median", 1, MEDIAN_MOST, 1)
        average = spec.integer("average", 1, AVERAGE_MOST, 1)
        self._median = Window(median) if median > 1 else None
        self._average = Window(average) if average > 1 else None
        self.precision = spec.integer("round", 0, 6, precision)
        self.delta = spec.number("delta", 0, 1e6, 0)
        self._soonest_ms = int(spec.number("min_interval", 0, DAY_S, 0) * 1000)
        self._latest_ms = int(spec.number("max_interval", 0, DAY_S, 0) * 1000)
        spec.done()
        if self._latest_ms and self._latest_ms < self._soonest_ms:
            raise spec.fault("max_interval", "at least min_interval")
        self._sent: "Any" = None
        self._seen_at = 0
        self._age_ms = 0  # since the value was sent

    def apply(self, value: float) -> float:
        """The value, corrected, smoothed and rounded."""
        if self.scale != 1:
            value = value * self.scale
        value = value + self.offset
        if self.low is not None and self.high is not None:
            value = min(max(value, self.low), self.high)
        if self._median:
            self._median.add(value)
            value = self._median.median()
        if self._average:
            self._average.add(value)
            value = self._average.mean()
        return round(value, self.precision) if self.precision else round(value)

    def due(self, value: float, clock: "Any", force: bool = False) -> bool:
        """True if the value is to be sent now (`force`: it is, in any case); it then counts as sent."""
        now = clock.ticks()
        self._age_ms = min(self._age_ms + clock.ticks_diff(now, self._seen_at), _AGE_MOST_MS)
        self._seen_at = now
        if self._sent is not None and not force:
            if self._age_ms < self._soonest_ms:
                return False
            same = abs(value - self._sent) < self.delta
            if same and not (self._latest_ms and self._age_ms >= self._latest_ms):
                return False
        self._sent = value
        self._age_ms = 0
        return True


def _limits(spec: "Spec") -> tuple[float | None, float | None]:
    pair = spec.get("clamp")
    if pair is None:
        return None, None
    if isinstance(pair, (list, tuple)) and len(pair) == 2:
        low, high = pair
        if type(low) in (int, float) and type(high) in (int, float) and low <= high:
            return low, high
    raise spec.fault("clamp", "a list of two numbers, [lowest, highest],")


class Filters:
    """The filters of one sensor; an entry "*" makes one for each numeric value that has none of its own."""

    def __init__(self, entry: "Any", where: str, fields: tuple) -> None:
        """`fields` of the driver; empty if it does not know them yet: then names are not checked."""
        from .spec import Spec

        if not isinstance(entry, dict):
            raise Spec({"filters": entry}, where).fault("filters", "an object of value names")
        self._entry = entry
        self._where = where + ".filters"
        self._made: "dict[str, Filter | None]" = {}
        names = [f[0] for f in fields]
        for name in entry:
            if name != "*" and names and name not in names:
                raise Spec(entry, self._where).fault(name, "one of %s, * as name" % ", ".join(names))
            self._make(name, 0)  # to check it, whether or not it is ever used
        for field in fields:
            if field[2] is not None:
                self.of(field[0], field[2])

    def rename(self, name: str, new: str) -> None:
        """The value has another name from now on."""
        for table in (self._entry, self._made):
            if name in table:
                table[new] = table.pop(name)

    def of(self, name: str, precision: int) -> Filter | None:
        """The filter of the value `name`; None if it has none."""
        if name not in self._made:
            key = name if name in self._entry else "*"
            self._made[name] = self._make(key, precision) if key in self._entry else None
        return self._made[name]

    def _make(self, key: str, precision: int) -> Filter:
        from .spec import Spec  # not kept in RAM: see sensors.unload()

        return Filter(Spec(self._entry[key], "%s.%s" % (self._where, key)), precision)
