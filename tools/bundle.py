"""Puts the modules of a package that are always loaded together into one file, before names are made short.

Each module costs a table of its names in RAM, and one more entry for each name that it imports from its neighbours. The
lines of the file that takes the others stay where they are; the others follow behind it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

BUNDLES: Mapping[str, Sequence[str]] = {
    "mqtt/__init__.py": ("mqtt/client.py", "mqtt/packet.py", "mqtt/session.py", "mqtt/transport.py"),
}


class BundleError(Exception):
    """Two modules of a bundle use one name for two things."""


def bundle(files: Mapping[str, str], bundles: Mapping[str, Sequence[str]] = BUNDLES) -> dict[str, str]:
    """Source texts by path -> the same with bundles made, where all their files are there. Raises BundleError."""
    done = dict(files)
    for target, parts in bundles.items():
        if target not in done or any(part not in done for part in parts):
            continue
        package = target.rpartition("/")[0]
        inside = {_module(part) for part in parts}
        whole = (target, *parts)
        _check_names({path: done[path] for path in whole}, package, inside)
        joined = "".join(_without(done[path], inside) for path in whole)
        for part in parts:
            del done[part]
        for path, text in done.items():
            if path != target and path.rpartition("/")[0] == package:
                done[path] = _redirected(text, inside)
        done[target] = joined
    return done


def _module(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _inner_imports(tree: ast.Module, inside: set[str]) -> Iterator[ast.ImportFrom]:
    """Imports of a part of the bundle, and (`from . import x`) of the package itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and (node.module is None or node.module in inside):
            yield node


def _without(text: str, inside: set[str]) -> str:
    """`text` less the imports of what is in the same file now."""
    return _replaced(text, inside, lambda node: "pass")


def _redirected(text: str, inside: set[str]) -> str:
    """`text` with the imports of a part taken from the package."""
    return _replaced(text, inside, lambda node: ast.unparse(ast.ImportFrom(None, node.names, 1)))


def _replaced(text: str, inside: set[str], new: Callable[[ast.ImportFrom], str]) -> str:
    lines = text.splitlines(keepends=True)
    for node in _inner_imports(ast.parse(text), inside):
        indent = lines[node.lineno - 1][: node.col_offset]
        lines[node.lineno - 1] = indent + new(node) + "\n"
        for row in range(node.lineno, node.end_lineno or node.lineno):
            lines[row] = "\n"
    return "".join(lines)


def _check_names(texts: Mapping[str, str], package: str, inside: set[str]) -> None:
    """A name at the top of two parts must come from the same place."""
    seen: dict[str, str] = {}
    for path, text in texts.items():
        tree = ast.parse(text)
        inner = list(_inner_imports(tree, inside))
        for node in tree.body:
            for name, source in _bound(node, path) if node not in inner else ():
                if seen.setdefault(name, source) != source:
                    raise BundleError(f"{package}: {name} is {seen[name]} and {source}")


def _bound(node: ast.stmt, path: str) -> list[tuple[str, str]]:
    """(name, where it is from) of what a statement at the top of a module makes."""
    match node:
        case ast.Import(names=names):
            return [(alias.asname or alias.name, alias.name) for alias in names]
        case ast.ImportFrom(module=module, names=names):
            return [(alias.asname or alias.name, f"{module}.{alias.name}") for alias in names]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [(name, path)]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [(name, path)]
    return []
