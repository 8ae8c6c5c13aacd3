"""Makes one file of those that a package always loads together: each module costs about 300 bytes of heap for itself.

What `__init__.py` imports at its top, and what that imports at its top, stands in `__init__.py` afterwards, in the order
in which it would be run; other files get it from the package then. Works on folded texts (fold.py). Where each line comes
from is told by the places that `bundle` returns, so that tracebacks can be read (names.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Places = list[tuple[int, str, int]]  # from this line on: this file, from this line of it on


class BundleError(Exception):
    """Files that are loaded together do not go together; the text says which, and why."""


@dataclass
class _Bundle:
    """A package's `__init__.py` in the making."""

    package: str
    files: Mapping[str, str]
    kept: set[str]
    lines: list[str] = field(default_factory=list)
    places: Places = field(default_factory=list)
    modules: list[str] = field(default_factory=list)  # that are in it
    owners: dict[str, str] = field(default_factory=dict)  # file by name defined at the top

    def add(self, path: str) -> None:
        """Put a file here, and before it what it imports at its top."""
        text = self.files[path]
        tree = ast.parse(text)
        for name in _defined(tree):
            other = self.owners.setdefault(name, path)
            if other != path:
                raise BundleError(f"{path} and {other} are loaded together, and both define {name}")
        lines = text.splitlines(keepends=True)
        at = 1
        for node in tree.body:
            match node:
                case ast.ImportFrom(module=str(module), level=1) if self._goes_in(module):
                    self._take(lines, at, node.lineno, path)
                    at = (node.end_lineno or 0) + 1
                    if any(alias.asname for alias in node.names):
                        raise BundleError(f"{path}:{node.lineno}: what is loaded together can't have two names")
                    if module not in self.modules:
                        self.modules.append(module)
                        self.add(f"{self.package}/{module}.py")
        self._take(lines, at, len(lines) + 1, path)

    def _take(self, lines: list[str], first: int, behind: int, path: str) -> None:
        if behind > first:
            self.places.append((len(self.lines) + 1, path, first))
            self.lines += lines[first - 1 : behind - 1]

    def _goes_in(self, module: str) -> bool:
        return f"{self.package}/{module}.py" in self.files and module not in self.kept


def bundle(files: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Places]]:
    """Texts by path -> (the same with fewer files, places by path of what was bundled). Raises BundleError."""
    done = dict(files)
    places: dict[str, Places] = {}
    gone: dict[str, set[str]] = {}
    trees = {path: ast.parse(text) for path, text in files.items()}
    for path in files:
        package, _, name = path.partition("/")
        if name == "__init__.py":
            made = _Bundle(package, files, set(_as_objects(package, trees)))
            made.add(path)
            if made.modules:
                done[path] = "".join(made.lines)
                places[path] = made.places
                gone[package] = set(made.modules)
    for package, modules in gone.items():
        for module in modules:
            del done[f"{package}/{module}.py"]
    return {path: _redirected(path, text, gone) for path, text in done.items()}, places


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def _as_objects(package: str, trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """Modules that somebody uses as such (`from . import packet`), or names in a text: these stay modules."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=None, level=1, names=names) if path.startswith(package + "/"):
                    yield from (alias.name for alias in names)
                case ast.ImportFrom(module=str(module), level=0, names=names) if module == package:
                    yield from (alias.name for alias in names)
                case ast.Import(names=names):
                    yield from (alias.name.partition(".")[2] for alias in names if alias.name.startswith(package + "."))
                case ast.Constant(value=str(value)) if value.startswith(package + ".") or path.startswith(
                    package + "/"
                ):
                    yield value.removeprefix(package + ".")


def _redirected(path: str, text: str, gone: Mapping[str, set[str]]) -> str:
    """`from .packet import x` of a module that is in `__init__.py` now: `from . import x`."""
    package = path.partition("/")[0]
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        home, _, module = (package, "", node.module) if node.level else node.module.partition(".")
        if module in gone.get(home, ()):
            new = ast.unparse(ast.ImportFrom("" if node.level else home, node.names, node.level))
            first, last = node.lineno, node.end_lineno or node.lineno
            indent = lines[first - 1][: node.col_offset]
            lines[first - 1 : last] = [indent + new + "\n"] + ["\n"] * (last - first)
    return "".join(lines)
