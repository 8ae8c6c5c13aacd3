"""New settings from the page on their way over a restart: they are checked and tried where nothing else needs the heap.

    store()   "new": what the form asked for lies in /setup.json, and the node restarts
    resume()  at the start: checked; "faults", or "staged" (settings.stage) and one more restart
    resume()  "staged": the settings on trial (attempt.py), or "failed" where the trial did not survive a power cut
    failed()  "failed", with the step and the reason; the old settings run from the next start on
    kept()    they work: promoted, and nothing is pending any more

So the page finds the outcome again whatever happens, and offers what was typed for correction. The file may hold secrets
that were typed, as the settings' own file does; the page never shows them. It is replaced whole, by rename.
"""

import json
import os

import settings

from .log import INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log import Log
    from .node import Node

_FILE = "setup.json"
_PAGE = "setup.page"
_LINES = 8  # faults that are kept


def store(patch: dict, directory: str = "/") -> None:
    """Keep `patch`, an object for settings.patch(), for the next start. Raises OSError."""
    _keep(directory, {"state": "new", "patch": patch})


def _keep(directory: str, held: dict) -> None:
    file = directory + _FILE
    with open(file + ".new", "w") as f:
        json.dump(held, f)
    os.rename(file + ".new", file)


def _failed(directory: str, patch: dict, step: str, reason: str) -> None:
    _keep(directory, {"state": "failed", "patch": patch, "step": step, "reason": reason, "news": True})


def read(directory: str = "/") -> dict:
    """What is kept; {} if nothing or nothing readable is."""
    try:
        with open(directory + _FILE) as f:
            held = json.load(f)
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) and isinstance(held.get("patch"), dict) else {}


def forget(directory: str = "/") -> None:
    """Nothing is pending any more."""
    if _FILE in os.listdir(directory):
        os.remove(directory + _FILE)


def page_next(said: str, directory: str = "/") -> None:
    """The next start is for the page: without MQTT, until the page was left alone for a while. said: why MQTT had no
    connection, for the page."""
    with open(directory + _PAGE, "w") as f:
        f.write(said)


def page_now(node: "Node", directory: str) -> None:
    """This start is for the page, this one only."""
    with open(directory + _PAGE) as f:
        node.said = f.read(120)
    os.remove(directory + _PAGE)
    node.mute = "page"


def erase(directory: str = "/") -> None:
    """Factory reset: all settings go, and what is pending."""
    settings.reset(directory)
    forget(directory)


def failed(step: str, reason: str, directory: str = "/") -> None:
    """The settings on trial did not work: the next start is with the old ones."""
    settings.drop("%s: %s" % (step, reason), directory)
    _failed(directory, read(directory).get("patch") or {}, step, reason)


def kept(directory: str = "/") -> None:
    """The settings on trial work: make them the current ones."""
    _keep(directory, {"state": "kept", "patch": {}})
    settings.promote(directory)
    forget(directory)


def resume(directory: str, log: "Log") -> "tuple[str, dict | None, bool]":
    """What is to be done at this start: ("restart" "trial" "news" or "", settings on trial, is their network new).

    "news": the outcome has not been shown yet.
    """
    held = read(directory)
    state = held.get("state")
    if state == "new":
        patch = held["patch"]
        _failed(directory, patch, "save", "cut")  # if the next lines end the node
        try:
            _prepare(patch, directory, log)
        except Exception as e:  # noqa: BLE001  whatever it is, the node goes on with the old settings
            log(WARNING, "new settings: %s: %s" % (type(e).__name__, e))
            _failed(directory, patch, "save", str(e))
        return "restart", None, False  # the names that a full check brings into memory stay there until then
    if state in ("staged", "kept"):
        found = settings.trial(directory)
        if found is not None and state == "staged":
            log(INFO, "new settings: on trial")
            return "trial", found, bool(held.get("fresh"))
        if state == "kept" and not settings.dropped(directory):
            forget(directory)
            return "", None, False
        _failed(directory, held["patch"], "save", "cut")
        return "restart", None, False
    if held.get("news"):
        held["news"] = False
        _keep(directory, held)
        return "news", None, False
    return "", None, False


def _prepare(patch: dict, directory: str, log: "Log") -> None:
    old = settings.load(directory)[0]
    merged, faults = settings.patch(old, patch)
    if faults:
        log(WARNING, "new settings: %s" % faults[0])
        _keep(directory, {"state": "faults", "patch": patch, "faults": faults[:_LINES], "news": True})
        return
    networks = merged["wifi"]["networks"]
    fresh = bool(networks) and networks[0] not in old["wifi"]["networks"]
    _keep(directory, {"state": "staged", "patch": patch, "fresh": fresh})
    settings.stage(merged, directory)
