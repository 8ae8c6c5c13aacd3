"""settings.json as the node itself would have stored it: checked, and with the checksum line that spares it the check.

The one place through which host tools reach lib/settings.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[1] / "lib"

if str(LIB) not in sys.path:
    sys.path.insert(0, str(LIB))

import settings  # noqa: E402  (lib/ is no installed package)

__all__ = ["SettingsError", "settings", "stored"]


class SettingsError(Exception):
    """The settings are refused; the text has a line for each fault."""


def stored(wanted: Mapping[str, Any]) -> bytes:
    """The bytes of settings.json for these settings. Raises SettingsError with every fault, by name."""
    notes: list[str] = []
    clean, faults = settings.validate(dict(wanted), notes)
    if faults:
        raise SettingsError("\n".join(faults))
    with tempfile.TemporaryDirectory(prefix="settings-") as folder:
        settings.save(clean, folder)
        return (Path(folder) / "settings.json").read_bytes()
