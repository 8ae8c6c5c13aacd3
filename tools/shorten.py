"""Gives the private names of a package short ones before it is compiled, as a linker strips symbols.

MicroPython keeps every distinct name in RAM for good (about 12 bytes, in a table that grows by doubling), also when the
code runs in place from flash. Names that begin with one underscore are a package's own business, so each package gets
them from the same small stock: `_a`, `_b`, ... Lines stay where they are, so that tracebacks fit the source; what a
short name stands for is in the table that `shorten` returns.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping

_PRIVATE = re.compile(r"_[A-Za-z]\w*")
_NAME = re.compile(r"\b_[A-Za-z]\w*")
_FIELD = re.compile(r"\{[^{}]*\}")  # of an f-string
_FIRST = "abcdefghijklmnopqrstuvwxyz"
_REST = _FIRST + "0123456789"


class PrivacyError(Exception):
    """A package uses another one's private name, which its short form would break."""


def shorten(packages: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Source texts by package and path -> (the same with short names, short name -> name by package).

    Raises PrivacyError.
    """
    owned = {package: set().union(*map(_defined, files.values())) for package, files in packages.items()}
    for package, files in packages.items():
        for path, text in files.items():
            _check(package, path, text, owned)
    done, tables = {}, {}
    for package, files in packages.items():
        count: Counter[str] = Counter()
        for text in files.values():
            count.update(t.string for t in _tokens(text) if t.type == tokenize.NAME and t.string in owned[package])
        short = dict(
            zip([name for name, _ in sorted(count.items(), key=lambda c: (-c[1], c[0]))], _stock(), strict=False)
        )
        done[package] = {path: _renamed(text, short) for path, text in files.items()}
        tables[package] = {new: old for old, new in short.items()}
    return done, tables


def _stock() -> Iterator[str]:
    for a in _FIRST:
        yield "_" + a
    for a in _FIRST:
        for b in _REST:
            yield "_" + a + b


def _defined(text: str) -> set[str]:
    """The private names that a file makes: functions, classes, arguments, variables, attributes."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return {name for name in found if _PRIVATE.fullmatch(name)}


def _check(package: str, path: str, text: str, owned: Mapping[str, set[str]]) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr not in owned[package]:
            for other, names in owned.items():
                if other != package and node.attr in names:
                    raise PrivacyError(f"{path}:{node.lineno}: {node.attr} is private to {other}")


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _renamed(text: str, short: Mapping[str, str]) -> str:
    """Names, and strings that are such a name as a whole (for getattr and setattr), in their short form."""
    lines = text.splitlines(keepends=True)
    changes: dict[int, list[tuple[int, int, str]]] = {}
    for token in _tokens(text):
        new = None
        if token.type == tokenize.NAME:
            new = short.get(token.string)
        elif token.type == tokenize.STRING and token.string[1:-1] in short:
            new = token.string[0] + short[token.string[1:-1]] + token.string[-1]
        elif token.type == tokenize.STRING and token.string[0] in "fF":  # before Python 3.12 one token as a whole
            new = _FIELD.sub(lambda f: _NAME.sub(lambda n: short.get(n[0], n[0]), f[0]), token.string)
        if new is not None:
            changes.setdefault(token.start[0] - 1, []).append((token.start[1], token.end[1], new))
    for number, places in changes.items():
        for start, end, new in reversed(places):
            lines[number] = lines[number][:start] + new + lines[number][end:]
    return "".join(lines)
