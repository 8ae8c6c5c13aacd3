"""What a tool says when it cannot go on."""

from __future__ import annotations


class ToolError(Exception):
    """The tool cannot do what was asked; the text says why and what to do, for a person, without a traceback."""
