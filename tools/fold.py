"""Takes out of a source text what the chip's compiler cannot know to be unneeded, before names are made short.

What only the type checker reads, `__all__`, tests for which Python this is, and constants: `X = const(3)` of one file
stands as 3 wherever another imports it, as the compiler does within one file for names that begin with an underscore.
Lines stay where they are, so that tracebacks fit the source.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping

_CHECKING = ("TYPE_CHECKING",)
_DEVICE = "sys.implementation.name"


def fold(files: Mapping[str, str]) -> dict[str, str]:
    """Source texts by path -> the same, smaller when compiled."""
    trees = {path: ast.parse(text) for path, text in files.items()}
    constants = {path: _constants(tree) for path, tree in trees.items()}
    reached = {node.attr for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    done = {}
    for path, text in files.items():
        imported: dict[str, str] = {}
        lines = text.splitlines(keepends=True)
        gone: list[tuple[int, int]] = []
        for first, last, new in _statements(path, trees[path], constants, imported):
            if any(a <= first and last <= b for a, b in gone):
                continue  # inside of one that has gone
            gone.append((first, last))
            indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
            lines[first - 1 : last] = [indent + new + "\n"] + ["\n"] * (last - first)
        own = {name: "_" + name for name in constants[path] if name[0] != "_" and name not in reached}
        done[path] = _substituted("".join(lines), {**own, **imported})
    return done


def _constants(tree: ast.Module) -> dict[str, int]:
    """`NAME = const(...)` of whole numbers at the top of a file."""
    found: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"), args=[value])):
                try:
                    number = eval(compile(ast.Expression(value), "", "eval"), {"__builtins__": {}}, dict(found))
                except NameError:  # made of something else than constants of this file
                    continue
                if isinstance(number, int):
                    found[name] = int(number)
    return found


def _statements(
    path: str, tree: ast.Module, constants: Mapping[str, Mapping[str, int]], imported: dict[str, str]
) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, what stands there instead). Adds to `imported` what names of other files stand for."""
    for node in ast.walk(tree):
        last = getattr(node, "end_lineno", 0)
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Constant(value=False), orelse=[]):
                yield node.lineno, last, "pass"
            case ast.Assign(targets=[ast.Name(id="TYPE_CHECKING" | "__all__")]):
                yield node.lineno, last, "pass"
            case ast.If(test=ast.Compare(left=left, ops=[op])) if ast.unparse(left) == _DEVICE and isinstance(
                op, (ast.Eq, ast.NotEq)
            ):
                chosen = node.body if isinstance(op, ast.Eq) else node.orelse
                if all(isinstance(part, ast.ImportFrom) for part in chosen):  # stands at the top, then
                    yield node.lineno, last, "; ".join(ast.unparse(part) for part in chosen) or "pass"
                else:
                    yield node.lineno, node.lineno, "if True:" if isinstance(op, ast.Eq) else "if False:"
            case ast.Try(body=[ast.ImportFrom(module="micropython", names=[ast.alias(name="const")])]):
                yield node.lineno, last, "pass"
            case ast.ImportFrom() if node.col_offset == 0 or node.module != "micropython":
                source = constants.get(_file_of(path, node, constants), {})
                others: list[ast.alias] = []
                for alias in node.names:
                    if alias.name in source and alias.name[0] != "_":
                        imported[alias.asname or alias.name] = f"({source[alias.name]})"
                    elif alias.name != "const":
                        others.append(alias)
                if len(others) < len(node.names):
                    shorter = ast.ImportFrom(node.module, others, node.level)
                    yield node.lineno, last, ast.unparse(shorter) if others else "pass"


def _file_of(path: str, node: ast.ImportFrom, files: Mapping[str, object]) -> str:
    """The file that an import is from, "" if it is not one of ours."""
    parts = path.split("/")[: -node.level] if node.level else []
    name = "/".join(parts + (node.module or "").split(".")).strip("/")
    return name + ".py" if name + ".py" in files else name + "/__init__.py" if name + "/__init__.py" in files else ""


def _substituted(text: str, new: Mapping[str, str]) -> str:
    """`text` with other words for some names; attributes and keywords of calls are not names."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for i in range(len(tokens) - 1, -1, -1):
        token = tokens[i]
        if token.type == tokenize.NAME and token.string in new and tokens[i - 1].string != ".":
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + new[token.string] + line[token.end[1] :]
    return "".join(lines)
