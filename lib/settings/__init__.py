"""Settings of the node: one schema table; load, validate, change, redact, save so that no power cut hurts.

    cfg, notes = settings.load("/")         # never raises for what the files hold; notes say what was wrong
    new, faults = settings.patch(cfg, {"mqtt": {"keepalive": 120}})
    if not faults:
        settings.stage(new, "/")            # then, on the next connect: settings.trial, and promote or drop
    settings.release()                      # what is not needed while the node runs leaves the heap

`cfg` is a plain dict by section: `cfg["wifi"]["networks"][0]["ssid"]`. docs/settings.md lists every field, and which of
them are absent until they are set. Only this file stays in memory: a function's module is brought in when the function
is used, and `release()` lets go of them all. Their types are in __init__.pyi, as names cost memory here.
"""

import sys

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


def __getattr__(name: str):
    """A public function, brought in from its module, or a module of this package."""
    homes = (  # a text in flash, not a list in RAM
        " stamp: load trial store: save stage promote drop dropped reset change: patch show: redact text: from_text parse "
        "rules: validate defaults checks: MARK faults: wanted ssid: ssid_bytes reader: parse_json writer: to_text "
        "schema: Field fields sections find is_open words: help_of section_help "
    )
    at = homes.find(" %s " % name)
    if at >= 0:
        end = homes.rfind(":", 0, at)
        home = homes[homes.rfind(" ", 0, end) + 1 : end]
        return getattr(__import__("settings." + home, None, None, (name,)), name)
    if not name.startswith("_"):
        try:
            return __import__("settings." + name, None, None, ("x",))
        except ImportError:
            pass
    raise AttributeError(name)


def release(only: str = "") -> None:
    """Let the heap have what only loading and changing need; the next use brings it back. `only`: of these modules."""
    for name in list(sys.modules):
        if name.startswith("settings.") and (not only or name[9:] in only.split()):
            del sys.modules[name]
            globals().pop(name[9:], None)
