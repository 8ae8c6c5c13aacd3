"""Reads tracebacks of a board for a person: private names in them are short (shorten.py), here they are long again.

build/names.json has what the last build here has shortened; for a board with another build the names may be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tools.image import ROOT

NAMES = ROOT / "build" / "names.json"
_FRAME = re.compile(r'^(\s*File "(?:/rom/)?(\w+)[^"]*", line \d+, in )(\w+)\s*$')
_WORD = re.compile(r"\b_[a-z][a-z0-9]?\b")
_ERROR = re.compile(r"^\w*(Error|Exception|Interrupt|Exit)\b")


class Names:
    """Goes over the lines of a console in their order."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._tables = tables
        self._last = ""  # package of the last frame of a traceback

    @classmethod
    def of_last_build(cls, path: Path = NAMES) -> Names:
        """Without a build here, nothing is changed."""
        try:
            return cls(json.loads(path.read_text()))
        except (OSError, ValueError):
            return cls({})

    def long(self, line: str) -> str:
        """The line with the names of the source."""
        frame = _FRAME.match(line)
        if frame:
            self._last = frame[2]
            return frame[1] + self._tables.get(frame[2], {}).get(frame[3], frame[3])
        if self._last and _ERROR.match(line):
            table = self._tables.get(self._last, {})
            self._last = ""
            return _WORD.sub(lambda word: table.get(word[0], word[0]), line)
        return line
