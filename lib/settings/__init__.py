"""Settings of the node: one schema table; load, validate, change, redact, save so that no power cut hurts.

    cfg, notes = settings.load("/")         # never raises for what the files hold; notes say what was wrong
    new, faults = settings.patch(cfg, {"mqtt": {"keepalive": 120}})
    if not faults:
        settings.stage(new, "/")            # then, on the next connect: settings.trial, and promote or drop
    settings.release()                      # what is not needed while the node runs leaves the heap

`cfg` is a plain dict by section: `cfg["wifi"]["networks"][0]["ssid"]`. docs/settings.md lists every field. Nothing but these
functions stays in memory: each brings in the module it needs, and `release()` lets go of them all.
"""

import sys

MARK = "********"  # what redact() puts for a secret


def load(directory: str = "/") -> tuple:
    """`(settings, notes)`: current, last good, or default settings, and lines to log. See store.load."""
    from . import store

    return store.load(directory)


def save(settings: dict, directory: str = "/") -> bool:
    """Make `settings` the current ones; False if they already were. ValueError, OSError: the old ones stay."""
    from . import store

    return store.save(settings, directory)


def stage(settings: dict, directory: str = "/") -> None:
    """Store `settings` as the candidate for the next `trial()`."""
    from . import store

    store.stage(settings, directory)


def trial(directory: str = "/") -> "dict | None":
    """The candidate's settings, now on trial, or None. Each candidate is handed out once."""
    from . import store

    return store.trial(directory)


def promote(directory: str = "/") -> None:
    """The settings on trial become the current ones."""
    from . import store

    store.promote(directory)


def drop(reason: str, directory: str = "/") -> None:
    """The settings on trial are forgotten, the reason (up to 160 bytes) is kept."""
    from . import store

    store.drop(reason, directory)


def dropped(directory: str = "/") -> str:
    """Why the last candidate was dropped, or ""."""
    from . import store

    return store.dropped(directory)


def reset(directory: str = "/") -> None:
    """Factory reset: forget everything."""
    from . import store

    store.reset(directory)


def validate(raw, notes: "list | None" = None) -> tuple:
    """`(clean, faults)`; unknown names go to `notes`. See rules.validate."""
    from . import rules

    return rules.validate(raw, notes)


def defaults() -> dict:
    """Settings of a new node."""
    return validate({})[0]


def patch(settings: dict, changes) -> tuple:
    """`(merged, faults)`: a partial object over `settings`. Empty or absent secrets are kept. See change.patch."""
    from . import change

    return change.patch(settings, changes)


def from_text(pairs) -> tuple:
    """`(changes, faults)` from `("mqtt.port", "1883")` pairs of a form or command line. See change.from_text."""
    from . import change

    return change.from_text(pairs)


def parse_json(data: bytes):
    """Strict, bounded JSON; ValueError says what is wrong and in which line."""
    from . import reader

    return reader.parse(data)


def redact(settings: dict) -> dict:
    """A copy that may be shown: `MARK` for each secret that is set."""
    from . import change

    return change.redact(settings)


def to_text(settings: dict):
    """Lines of the JSON file of `settings`, only what differs from the default; secrets included."""
    from . import writer

    yield "{\n"
    yield from writer.lines(settings)


def fields(section: str = ""):
    """Every `schema.Field` of a section or list entry, or of all sections."""
    from . import schema

    return schema.fields(section)


def sections(items: bool = False):
    """Names of the sections, or of the kinds of list entries."""
    from . import schema

    return schema.sections(items)


def help_of(field, language: str = "en") -> tuple:
    """`(label, help)` of a field, in "en" or "zh"."""
    from . import words

    return words.of(field, language)


def ssid_bytes(network: dict) -> bytes:
    """The SSID of an entry of wifi.networks as it is on the air."""
    digits = network.get("ssid_hex")
    if digits:
        return bytes([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])
    return network["ssid"].encode()


def release() -> None:
    """Let the heap have what only loading and changing need; the next call brings it back."""
    package = sys.modules[__name__]
    for name in ("schema", "rules", "reader", "writer", "migrate", "store", "change", "words", "help_en", "help_zh"):
        if sys.modules.pop(__name__ + "." + name, None) is not None and hasattr(package, name):
            delattr(package, name)
