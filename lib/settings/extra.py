"""Keys that the table does not have: an open entry (a sensor's) may hold some, its driver checks them."""

from . import schema
from .checks import made_of, utf8

_INT = 0x3FFFFFFF  # the chip's small int
_TEXT = 64
_LIST = 16
_DEPTH = 3


def add_further(item: str, raw: dict, dotted: str, clean: dict, faults: list, notes: list) -> None:
    """Keys of `raw` that the table does not have: into `clean` if the item is open, else noted."""
    for key, value in raw.items():
        if isinstance(key, str) and schema.row_of(item, key):
            continue
        if not schema.is_open(item):
            from .faults import unknown

            notes.append(unknown(dotted, key))
        elif is_name(key) and _fits(value, _DEPTH):
            clean[key] = value
        else:
            from .faults import named, shown

            faults.append(
                "%s: %s cannot be kept, wanted a short name with a number, true, false, text of at most %d bytes "
                "or a few of these" % (named(dotted, key), shown(value), _TEXT)
            )


def _fits(value, depth: int) -> bool:
    """Is it a bool, small int, finite float, short text, or a few of these in a list or dict?"""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -_INT <= value <= _INT
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, str):
        data = utf8(value)
        return data is not None and len(data) <= _TEXT
    if not depth or not isinstance(value, (list, dict)) or len(value) > _LIST:
        return False
    for inner in value:
        if isinstance(value, dict):
            if inner != "*" and not is_name(inner):
                return False
            inner = value[inner]
        if not _fits(inner, depth - 1):
            return False
    return True


def is_name(key) -> bool:
    """ASCII letters, digits and _, at most 24, no digit first."""
    if not isinstance(key, str) or not 0 < len(key) <= 24:
        return False
    data = utf8(key)
    return data is not None and made_of(data, b"_") and not 48 <= data[0] < 58
