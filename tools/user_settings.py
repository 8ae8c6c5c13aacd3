"""A settings.json of the user: read and checked by the node's own rules (lib/settings) before it goes anywhere."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.image import ROOT

if str(ROOT / "lib") not in sys.path:
    sys.path.append(str(ROOT / "lib"))

import settings as rules


def read(path: Path) -> dict[str, Any]:
    """The settings in the file, complete. Raises ToolError that lists every fault."""
    try:
        given = rules.parse_json(path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ToolError(f"{path} is no JSON: {error}") from error
    return checked(given, str(path))


def checked(given: object, where: str) -> dict[str, Any]:
    """`given` with defaults for what is missing. Raises ToolError, each line of which begins with `where`."""
    clean, faults = rules.validate(given)
    if faults:
        raise ToolError("\n".join(f"{where}: {fault}" for fault in faults))
    return dict(clean)


def content(cfg: Mapping[str, Any]) -> bytes:
    """settings.json as the node itself would write it, checksum included."""
    with tempfile.TemporaryDirectory(prefix="settings-") as folder:
        rules.save(dict(cfg), folder)
        return (Path(folder) / "settings.json").read_bytes()
