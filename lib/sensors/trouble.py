"""What went wrong with a reading, in words. Loaded when something did, and let go after."""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

_MOST = 100  # characters


def text(what: "Any", field: "tuple | None") -> str:
    """Why an exception was raised; or, with a field of the driver, why `what` is not a value of it."""
    if field is None:
        return _error(what)[:_MOST]
    name, _, precision, low, high = field
    return ("%s: %s" % (name, _value(what, precision, low, high)))[:_MOST]


def _value(value: "Any", precision: int | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "no value"
    if isinstance(value, Exception):
        return _error(value)
    if precision is None:
        return "text wanted, got %s" % repr(value)[:40]
    if type(value) not in (int, float, bool):
        return "a number wanted, got %s" % repr(value)[:40]
    if value - value != 0:
        return "not a finite number"
    return "%s is outside %s to %s" % (value, low, high)


def _error(error: Exception) -> str:
    name = type(error).__name__
    said = str(error)
    if isinstance(error, ReadError) and said:
        return said
    return "%s: %s" % (name, said) if said else name
