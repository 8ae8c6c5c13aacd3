"""A settings.json of the user: read and checked by the node's own rules before anything goes anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.settings_file import SettingsError, settings, stored


def read(path: Path) -> dict[str, Any]:
    """What the file says, checked. Raises ToolError that lists every fault."""
    try:
        given = settings.parse_json(path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ToolError(f"{path} is no JSON: {error}") from error
    return checked(given, str(path))


def checked(given: object, where: str) -> dict[str, Any]:
    """`given` with defaults for what is missing. Raises ToolError, each line of which begins with `where`."""
    clean, faults = settings.validate(given)
    if faults:
        raise ToolError("\n".join(f"{where}: {fault}" for fault in faults))
    return dict(clean)


def content(cfg: dict[str, Any]) -> bytes:
    """settings.json as the node itself would have stored it. Raises ToolError."""
    try:
        return stored(cfg)
    except SettingsError as error:
        raise ToolError(str(error)) from error
