"""Reads one sensor's entry of the settings, field by field, and says clearly what is wrong with it.

A driver asks for its fields here; `done()` refuses what nobody asked for, so a mistyped field name is not ignored.
"""

from . import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any


class SpecError(ValueError):
    """The settings entry cannot make a sensor; the text names the field and what was wanted."""


class Spec:
    """One entry, e.g. {"type": "dht22", "pin": "D4", "period": 60}. A field without a default is required."""

    def __init__(self, entry: "Any", where: str = "") -> None:
        if not isinstance(entry, dict):
            raise SpecError(
                '%s: an object such as {"type": "dht22", "pin": "D4"} wanted, not %s'
                % (where or "sensor", repr(entry)[:40])
            )
        self._entry = entry
        self._asked: "list[str]" = []
        self.where = where or str(entry.get("name") or entry.get("type") or "sensor")[:32]

    def fault(self, field: str, wanted: str) -> SpecError:
        """The error for `field`, to be raised by the caller."""
        if field not in self._entry:
            return SpecError("%s.%s: missing; %s wanted" % (self.where, field, wanted))
        return SpecError("%s.%s: %s wanted, not %s" % (self.where, field, wanted, repr(self._entry[field])[:40]))

    def get(self, field: str, default: "Any" = None) -> "Any":
        """The raw value of `field`, unchecked."""
        if field not in self._asked:
            self._asked.append(field)
        return self._entry.get(field, default)

    def integer(self, field: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number in low … high."""
        value = self.get(field, default)
        if type(value) is not int or not low <= value <= high:
            raise self.fault(field, "a whole number from %d to %d" % (low, high))
        return value

    def number(self, field: str, low: float, high: float, default: float | None = None) -> float:
        """A number in low … high, with or without a fraction."""
        value = self.get(field, default)
        if type(value) not in (int, float) or not low <= value <= high:
            raise self.fault(field, "a number from %s to %s" % (low, high))
        return value

    def boolean(self, field: str, default: bool) -> bool:
        """True or false."""
        value = self.get(field, default)
        if type(value) is not bool:
            raise self.fault(field, "true or false")
        return value

    def choice(self, field: str, options: str, default: str | None = None) -> str:
        """One of the words in `options`, which are separated by spaces."""
        value = self.get(field, default)
        if not isinstance(value, str) or value not in options.split():
            raise self.fault(field, "one of " + ", ".join(options.split()))
        return value

    def text(self, field: str, longest: int, default: str | None = None) -> str:
        """Text of at most `longest` characters; empty only if that is the default."""
        value = self.get(field, default)
        if not isinstance(value, str) or len(value) > longest or (not value and default != ""):
            raise self.fault(field, "text of at most %d characters" % longest)
        return value

    def word(self, field: str, default: str | None = None) -> str:
        """A name that fits a topic and a JSON key: 1 … 32 of a-z, A-Z, 0-9, `_` and `-`."""
        value = self.get(field, default)
        if not is_word(value):
            raise self.fault(field, "a name of 1 to 32 letters, digits, _ or -")
        return value

    def is_word(self, value: "Any") -> bool:
        """True for what word() takes."""
        return is_word(value)

    def pin(self, field: str, board: "Any", use: str, pull: str = "", default: str | int | None = None) -> int:
        """The GPIO number of a pin that may serve as `use` (see pins.rule); it is taken for this sensor."""
        value = self.get(field, default)
        if value is None:
            raise self.fault(field, 'a pin name such as "D4"')
        from .pins import claim

        try:
            return claim(board, value, use, pull, self.where)
        except ValueError as e:
            raise SpecError("%s.%s: %s" % (self.where, field, e))

    def done(self) -> None:
        """Refuse every field that was not asked for."""
        for field in self._entry:
            if field not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise SpecError("%s.%s: unknown field; known are %s" % (self.where, str(field)[:32], known))


def is_word(value: "Any") -> bool:
    """True for 1 … 32 of a-z, A-Z, 0-9, `_` and `-`."""
    if not isinstance(value, str) or not 1 <= len(value) <= 32:
        return False
    return all("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c in "_-" for c in value)
