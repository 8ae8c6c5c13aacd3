"""Gives the names of the program short ones before it is compiled, as a linker strips symbols.

MicroPython keeps every distinct name in RAM for good, in a table that grows by doubling, also when the code runs in
place from flash; only the firmware's own names cost nothing. So every name that the program makes itself is replaced by
one that the firmware has anyway (firmware/names.txt), or by one or two letters when those are used up. Names that never
meet share one: attributes and functions of a package must differ from each other, arguments only within their file.

Kept are the names of the firmware, exceptions (their names are shown), and what others may use: firmware/public.txt.
Lines stay where they are, so that tracebacks fit the source; what a short name stands for is in the table returned.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from string import ascii_letters

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"

_WORD = re.compile(r"[A-Za-z_]\w*")
_PATH = re.compile(r"\b([a-z]\w*)\.([A-Za-z_]\w*)")  # "module.function" in a text
_F_STRING = ""
_F_TOKENS = (tokenize.STRING, getattr(tokenize, "FSTRING_START", tokenize.STRING))
_BY_NAME = ("getattr", "setattr", "hasattr", "delattr")


class PrivacyError(Exception):
    """A package uses another one's private name."""


@dataclass
class Firmware:
    """Names that are not ours. everywhere: in ROM on the chip and in the VM; board: on the chip and on the virtual board;
    taken: any that a port or Python has; public: of the program, for others."""

    everywhere: list[str] = field(default_factory=list)
    board: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    public: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, folder: Path = FIRMWARE) -> Firmware:
        """From names.txt (a section for each of the first three) and public.txt."""
        everywhere, board, chip = (part.split() for part in re.split(r"\[\w+\]", _read(folder / "names.txt"))[1:])
        taken = {*everywhere, *board, *chip}
        return cls(everywhere, board, taken, set(_read(folder / "public.txt").split()))


def _read(path: Path) -> str:
    return "\n".join(line.partition("#")[0] for line in path.read_text().splitlines())


@dataclass
class _Name:
    """Where a name of the program occurs. shared: as more than an argument or a variable of one file. wide: on objects of
    other packages, perhaps."""

    files: set[str] = field(default_factory=set)
    count: int = 0
    shared: bool = False
    wide: bool = False


def shorten(
    packages: Mapping[str, Mapping[str, str]], firmware: Firmware | None = None
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Source texts by package and path -> (the same with short names, short name -> name by path).

    Raises PrivacyError.
    """
    firmware = firmware or Firmware.load()
    files = {path: text for sources in packages.values() for path, text in sources.items()}
    trees = {path: ast.parse(text) for path, text in files.items()}
    _check(packages, trees)
    ours = set().union(*map(_defined, trees.values())) - _kept(files, trees, firmware)
    called = {
        path.split("/")[0] + ":" + path.split("/")[1].removesuffix(".py") + "." + node.name
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and path.count("/") == 1
    }
    names, others = _occurrences(files, ours, called)
    package_of = {path: package for package, sources in packages.items() for path in sources}
    _widen(names, packages, trees, package_of)
    short = _coloured(names, others, firmware, package_of)
    done: dict[str, dict[str, str]] = {}
    tables = {}
    for package, sources in packages.items():
        done[package] = {path: _renamed(path, text, trees[path], called, short) for path, text in sources.items()}
        for path in sources:
            tables[path] = {short[name]: name for name, where in names.items() if path in where.files}
    return done, tables


# --- which names


def _defined(tree: ast.Module) -> set[str]:
    """The names that a file makes and that cost memory: all but the variables of functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Attribute(ctx=ast.Store()):
                found.add(node.attr)
            case ast.arg():
                found.add(node.arg)
            case ast.alias(asname=str(name)):
                found.add(name)
            case ast.Global(names=names):
                found.update(names)
        if isinstance(node, (ast.Module, ast.ClassDef)):
            found |= _top(node)
    return found


def _top(node: ast.Module | ast.ClassDef) -> set[str]:
    """The names that a module or a class itself has."""
    found: set[str] = set()
    work: list[ast.stmt] = list(node.body)
    while work:
        part = work.pop()
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(part.name)
            continue
        found.update(n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        work.extend(n for n in ast.iter_child_nodes(part) if isinstance(n, ast.stmt))
    return found


def _kept(files: Mapping[str, str], trees: Mapping[str, ast.Module], firmware: Firmware) -> set[str]:
    """What keeps its name."""
    modules = _modules(files)
    kept = firmware.taken | firmware.public | _RESERVED | modules
    texts, functions = set(), set()
    for tree in trees.values():
        for node in ast.walk(tree):
            match node:
                case ast.ClassDef(name=name, bases=bases) if name.endswith("Refused") or any(
                    ast.unparse(base).endswith(("Error", "Exception")) for base in bases
                ):
                    kept.add(name)
                case ast.FunctionDef(name="__getattr__"):  # finds functions by their names in texts
                    for part in ast.walk(node):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            kept.update(_WORD.findall(part.value))
                case ast.Import(names=names):
                    kept.update(part for alias in names for part in alias.name.split("."))
                case ast.ImportFrom(module=str(module), level=0, names=names) if module.split(".")[0] not in modules:
                    kept.update(module.split("."), (alias.name for alias in names))
                case ast.Call(func=ast.Name(id="namedtuple"), args=[_, fields]):
                    kept.update(_WORD.findall(ast.unparse(fields)))
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"))) if (
                    name[0] == "_"
                ):
                    kept.add(name)  # the compiler leaves no trace of it, because of the underscore
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    functions.add(name)
                case ast.Constant(value=str(text)):
                    texts.add(text)
    kept |= {name for name in functions & texts if name[0] != "_"}  # looked up by name, perhaps
    return kept | {name for name in set().union(*map(_defined, trees.values())) if re.fullmatch(r"__\w+__", name)}


def _modules(files: Iterable[str]) -> set[str]:
    return {part.removesuffix(".py") for path in files for part in path.split("/")}


def _check(packages: Mapping[str, Mapping[str, str]], trees: Mapping[str, ast.Module]) -> None:
    owned = {p: {n for path in s for n in _defined(trees[path]) if n[0] == "_"} for p, s in packages.items()}
    for package, sources in packages.items():
        for path in sources:
            for node in ast.walk(trees[path]):
                if isinstance(node, ast.Attribute) and node.attr[0] == "_" and node.attr not in owned[package]:
                    for other, names in owned.items():
                        if other != package and node.attr in names and not node.attr.startswith("__"):
                            raise PrivacyError(f"{path}:{node.lineno}: {node.attr} is private to {other}")


# --- where they occur


def _occurrences(
    files: Mapping[str, str], ours: set[str], called: set[str]
) -> tuple[dict[str, _Name], dict[str, set[str]]]:
    """Our names with where they occur, and the other names of each file."""
    names: dict[str, _Name] = {}
    modules = _modules(files)
    others: dict[str, set[str]] = {path: set(modules) for path in files}
    for path, text in files.items():
        tops = (_top(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))
        of_classes: set[str] = set().union(*tops)
        for row, _, _, word, attribute in _words(path, text, called):
            if word == _F_STRING:
                raise PrivacyError(f"{path}:{row + 1}: an f-string, whose names cannot be told before Python 3.12")
            if word not in ours:
                others[path].add(word)
                continue
            name = names.setdefault(word, _Name())
            name.files.add(path)
            name.count += 1
            name.shared |= attribute or word in of_classes
    for name in names.values():
        name.shared |= len(name.files) > 1
    return names, others


def _widen(
    names: Mapping[str, _Name],
    packages: Mapping[str, Mapping[str, str]],
    trees: Mapping[str, ast.Module],
    package_of: Mapping[str, str],
) -> None:
    """A name in several packages, and an attribute that a package sets but no class of it has, differ from all others."""
    for name in names.values():
        name.wide = len({package_of[path] for path in name.files}) > 1
    for sources in packages.values():
        own: set[str] = set()
        strange: set[str] = set()
        for path in sources:
            for node in ast.walk(trees[path]):
                if isinstance(node, ast.ClassDef):
                    own |= _top(node)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    (own if ast.unparse(node.value) == "self" else strange).add(node.attr)
        for word in strange - own:
            if word in names:
                names[word].wide = True


def _words(path: str, text: str, called: set[str]) -> Iterator[tuple[int, int, int, str, bool]]:
    """(row, from, to, word, is it an attribute?) of every name of a text; of functions that a text names as
    "module.function", too."""
    before, inside = "", 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, start = token.start
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield row - 1, start, token.end[1], token.string, before == "."
        elif token.type in _F_TOKENS and token.string[0] in "fF":
            yield row - 1, start, token.end[1], _F_STRING, False
        elif token.type == tokenize.STRING and inside:  # not one that stands alone, as docstrings do
            package = path.split("/", 1)[0] + ":"
            places = [found for found in _PATH.finditer(token.string) if package + found[0] in called]
            for found in _PATH.finditer(str(ast.literal_eval(token.string))):
                if package + found[0] in called and found[0] not in [place[0] for place in places]:
                    raise PrivacyError(f"{path}:{row}: an escape before {found[0]} hides it")
            for found in places:
                ahead = token.string[: found.start(2)]
                column = len(ahead.rpartition("\n")[2]) + (0 if "\n" in ahead else start)
                yield row - 1 + ahead.count("\n"), column, column + len(found[2]), found[2], True
        before = token.string
        if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            inside = 0
        elif token.type not in (tokenize.COMMENT, tokenize.NL):
            inside = 1


def _coloured(
    names: Mapping[str, _Name], others: Mapping[str, set[str]], firmware: Firmware, package_of: Mapping[str, str]
) -> dict[str, str]:
    """name -> its short form. The more places a name is in, the earlier it is served."""
    blocked = {path: set(words) for path, words in others.items()}  # by file: what may not be given there
    free = [w for w in firmware.everywhere + firmware.board if not w.startswith("_") and w not in _STREAM | _RESERVED]
    short: dict[str, str] = {}
    order = sorted(names, key=lambda w: (not names[w].wide, not names[w].shared, -names[w].count, w))
    for word in order:
        name = names[word]
        if name.wide:
            scope = set(others)
        elif name.shared:
            package = package_of[next(iter(name.files))]
            scope = {path for path in others if package_of[path] == package}
        else:
            scope = name.files
        short[word] = next(new for new in _stock(free) if not any(new in blocked[path] for path in scope))
        for path in scope:
            blocked[path].add(short[word])
    return short


_STREAM = frozenset("read readinto readline write ioctl close send args value errno".split())  # firmware asks for them
_RESERVED = frozenset(dir(builtins)) | frozenset(keyword.kwlist) | {"const", "self", "main"}


def _stock(free: list[str]) -> Iterator[str]:
    yield from free
    yield from ascii_letters
    for pair in product(ascii_letters, ascii_letters):
        if "".join(pair) not in _RESERVED:
            yield "".join(pair)


# --- the text


def _renamed(path: str, text: str, tree: ast.Module, called: set[str], short: Mapping[str, str]) -> str:
    """`text` with short names; also where a function or an attribute is named by a text as a whole."""
    changes: dict[int, list[tuple[int, int, str]]] = {}
    for row, start, end, word, _ in _words(path, text, called):
        if word in short:
            changes.setdefault(row, []).append((start, end, short[word]))
    for node in ast.walk(tree):
        place: ast.expr | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _BY_NAME:
            place = node.args[1]
        elif isinstance(node, ast.Constant) and str(node.value)[:1] == "_":
            place = node
        if isinstance(place, ast.Constant) and isinstance(place.value, str) and place.value in short:
            line = text.splitlines()[place.lineno - 1].encode()
            start, end = (len(line[:at].decode()) for at in (place.col_offset, place.end_col_offset))
            changes.setdefault(place.lineno - 1, []).append((start, end, f'"{short[place.value]}"'))
    lines = text.splitlines(keepends=True)
    for number, places in changes.items():
        for start, end, new in sorted(set(places), reverse=True):
            lines[number] = lines[number][:start] + new + lines[number][end:]
    return "".join(lines)
