"""Reads tracebacks of a board for a person: the program's own names in them are short (shorten.py), here they are long again.

build/names.json has what the last build here has shortened; for a board with another build the names may be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.image import ROOT, module_name

NAMES = ROOT / "build" / "names.json"
_FRAME = re.compile(r'^(\s*File ")([\w.]+)(", line )(\d+)(, in )([\w<>]+)\s*$')  # the file is a module's name
_ERROR = re.compile(r"^\w*(Error|Exception|Refused|Interrupt|Exit)\b")
_QUOTED = re.compile(
    r"(?<=attribute ')\w+(?=')|(?<=argument ')\w+(?=')|(?<=name ')\w+(?=')|(?<=')\w+(?=' object)"
)  # as MicroPython words it


class Names:
    """Goes over the lines of a console in their order."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """tables: by path in lib/ `names`, name by short name, and `lines`, where its lines come from (bundle.Places)."""
        self._files = {module_name(path): path for path in tables}
        self._tables = tables
        self._last = ""  # file of the last frame of a traceback

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
            self._last = self._files.get(frame[2], "")
            if not self._last:
                return line
            table = self._tables[self._last]
            file, line_number = _source(table["lines"], int(frame[4]))
            return f"{frame[1]}lib/{file}{frame[3]}{line_number}{frame[5]}{table['names'].get(frame[6], frame[6])}"
        if self._last and _ERROR.match(line):
            names = self._tables[self._last]["names"]
            self._last = ""
            return _QUOTED.sub(lambda word: names.get(word[0], word[0]), line)
        return line


def _source(places: Sequence[tuple[int, str, int]], line: int) -> tuple[str, int]:
    """File and line of the source."""
    first, file, source = next(place for place in reversed(places) if place[0] <= line)
    return file, source + line - first
