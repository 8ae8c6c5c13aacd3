"""Finds Python that the ESP8266 build of MicroPython 1.29 lacks although CPython and the unix VM have it.

`python -m tools.lint_device [PATH …]` (default: all device code) prints `file:line: what: why` for each and
exits 1 if there is one. typecheck_device.py takes the methods listed here out of the type stubs. A line that may differ
(a fallback for CPython) ends in `# device: ok, <reason>`; a whole file for CPython is named `…_cpython.py`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DEVICE_PATHS = ("lib", "boot.py", "main.py", "firmware/device", "firmware/slim")
WAIVER = "# device: ok,"

MISSING_MODULES = frozenset(
    "__future__ abc argparse base64 collections.abc contextlib copy dataclasses datetime enum functools hmac inspect"
    " itertools logging queue secrets string threading traceback typing unittest uuid warnings zlib".split()
)
MISSING_BUILTINS = frozenset(
    "NotImplemented vars ascii compile complex execfile ConnectionError ConnectionResetError ConnectionRefusedError"
    " ConnectionAbortedError BrokenPipeError TimeoutError BlockingIOError InterruptedError FileNotFoundError"
    " FileExistsError PermissionError IsADirectoryError NotADirectoryError ModuleNotFoundError UnicodeDecodeError"
    " UnicodeEncodeError RecursionError aiter anext breakpoint".split()
)
# Methods of str, bytes and bytearray that are compiled out. The type check knows the receiver's type; here only names
# that nothing else bears are looked for.
MISSING_TEXT_METHODS = frozenset(
    "partition rpartition splitlines center ljust rjust zfill title capitalize casefold swapcase translate maketrans"
    " expandtabs removeprefix removesuffix isalnum isascii isdecimal isidentifier isnumeric isprintable istitle"
    " format_map".split()
)
AMBIGUOUS_METHODS = frozenset("center title translate".split())
MISSING_METHODS = (MISSING_TEXT_METHODS - AMBIGUOUS_METHODS) | frozenset(
    "bit_length bit_count is_integer as_integer_ratio hexdigest iter_unpack tobytes _replace _asdict"
    " with_traceback add_done_callback".split()
)
MISSING_ATTRIBUTES = {
    "random": "choice choices gauss randint random randrange sample shuffle uniform",
    "hashlib": "md5 new sha224 sha384 sha512 blake2b blake2s pbkdf2_hmac",
    "math": "inf nan tau isclose factorial gamma lgamma erf erfc sinh cosh tanh asinh acosh atanh log1p comb perm prod",
    "binascii": "crc32 crc_hqx",
    "time": "monotonic perf_counter strftime strptime process_time monotonic_ns perf_counter_ns",
    "errno": "EPIPE ENETUNREACH EWOULDBLOCK EINTR ENOSPC",
    "json": "JSONDecodeError JSONEncoder JSONDecoder",
    "re": "findall finditer fullmatch split escape IGNORECASE MULTILINE DOTALL",
    "struct": "iter_unpack Struct",
    "collections": "defaultdict Counter ChainMap",
    "asyncio": "Queue Semaphore BoundedSemaphore Condition shield timeout timeout_at TaskGroup wait as_completed"
    " to_thread get_running_loop IncompleteReadError ensure_future Barrier Runner",
    "socket": "SO_KEEPALIVE SO_SNDBUF SO_RCVBUF create_connection gethostbyname",
    "sys": "getsizeof exc_info settrace",
}
_MISSING_ATTRIBUTES = {name: frozenset(names.split()) for name, names in MISSING_ATTRIBUTES.items()}
# keyword -> the calls that do not take it
MISSING_KEYWORDS = {
    "split": {"sep", "maxsplit"},
    "rsplit": {"sep", "maxsplit"},
    "to_bytes": {"length", "byteorder", "signed"},
    "from_bytes": {"byteorder", "signed"},
    "print": {"flush"},
    "zip": {"strict"},
    "decode": {"encoding", "errors"},
    "encode": {"encoding", "errors"},
}
_DUNDERS = frozenset("__setattr__ __delattr__ __init_subclass__ __set_name__ __class_getitem__ __del__".split())


class Fault(NamedTuple):
    """One finding: the line (from 1), what stands there, why it fails on the chip."""

    line: int
    what: str
    why: str


def lint(source: str, filename: str = "<string>") -> list[Fault]:
    """Faults of one file by line. Raises SyntaxError if it is not Python."""
    lines = source.splitlines()
    faults = _Visitor()
    faults.visit(ast.parse(source, filename))
    return sorted(f for f in set(faults.found) if WAIVER not in lines[f.line - 1])


class _Visitor(ast.NodeVisitor):
    """Walks one module and keeps what it finds in `found`."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._guarded = 0  # inside the body of `try: … except ImportError`

    def _add(self, node: ast.AST, what: str, why: str) -> None:
        self.found.append(Fault(getattr(node, "lineno", 1), what, why))

    # -- imports ------------------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> None:
        if _never(node.test):
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        guards = any("ImportError" in ast.dump(h.type) for h in node.handlers if h.type)
        self._guarded += guards
        for statement in node.body:
            self.visit(statement)
        self._guarded -= guards
        for child in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        self._module(node, node.module)
        for alias in node.names:
            if alias.name in _MISSING_ATTRIBUTES.get(node.module, ()):
                self._add(node, f"{node.module}.{alias.name}", "is not in this port's module")

    def _module(self, node: ast.AST, name: str) -> None:
        if not self._guarded and (name in MISSING_MODULES or name.split(".", 1)[0] in MISSING_MODULES):
            self._add(node, f"import {name}", "the chip has no such module; guard it with try/except ImportError")

    # -- names, attributes, calls -------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in MISSING_BUILTINS:
            self._add(node, node.id, "is not a builtin of this port (catch OSError and compare errno)")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.attr in _MISSING_ATTRIBUTES.get(node.value.id, ()):
            self._add(node, f"{node.value.id}.{node.attr}", "is not in this port's module")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function, name = node.func, _called_name(node)
        if isinstance(function, ast.Attribute) and name in MISSING_METHODS:
            self._add(node, f".{name}()", "method is compiled out on this port")
        for keyword in node.keywords:
            if keyword.arg in MISSING_KEYWORDS.get(name, ()):
                self._add(node, f"{name}({keyword.arg}=)", "takes no such keyword here; give it by position")
        if name == "pow" and isinstance(function, ast.Name) and len(node.args) > 2:
            self._add(node, "pow(a, b, c)", "raises NotImplementedError")
        if name == "iter" and isinstance(function, ast.Name) and len(node.args) > 1:
            self._add(node, "iter(f, sentinel)", "takes one argument here")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        for side in (node.left, node.right):
            if isinstance(side, ast.Call) and _called_name(side) in ("ticks_ms", "ticks_us", "ticks_cpu"):
                self._add(node, "arithmetic with ticks", "they wrap around; use ticks_diff and ticks_add")
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        step = node.slice.step if isinstance(node.slice, ast.Slice) else None
        if step is not None and not (isinstance(step, ast.Constant) and step.value == 1):
            self._add(node, "[a:b:step]", "only a list takes a step; loop, or make a list first")
        self.generic_visit(node)

    # -- syntax -------------------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> None:
        self._add(node, "match", "is a syntax error in MicroPython")
        self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> None:
        if node.posonlyargs:
            self._add(node.posonlyargs[0], "def f(a, /)", "positional-only parameters are a syntax error")
        for child in (*node.defaults, *(d for d in node.kw_defaults if d)):  # annotations are not evaluated on the chip
            self.visit(child)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> None:
        if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and any(
            isinstance(e, ast.Starred) for e in node.elts
        ):
            self._add(node, "[*a, b]", "unpacking in a display is a syntax error; add the lists")
        self.generic_visit(node)

    visit_List = visit_Tuple = visit_Set = _sequence  # noqa: N815  (ast's names)

    def visit_Dict(self, node: ast.Dict) -> None:
        if None in node.keys:
            self._add(node, "{**a}", "unpacking in a display is a syntax error; use dict.update")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, complex):
            self._add(node, repr(node.value), "no complex numbers on this port")

    def visit_TryStar(self, node: ast.AST) -> None:
        self._add(node, "except*", "is a syntax error in MicroPython")
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is None:
            self._add(node, "bare except", "hides KeyboardInterrupt and CancelledError; name the exception")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            self._add(node.target, "async comprehension", "is a syntax error in MicroPython")
        self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name in _DUNDERS:
            self._add(node, f"def {node.name}", "is never called on this port")
        for decorator in node.decorator_list:
            self.visit(decorator)
            if not isinstance(decorator, (ast.Name, ast.Attribute, ast.Call)):
                self._add(decorator, "@expression", "a decorator is a dotted name, or a call of one")
        self.visit(node.args)
        for child in node.body:
            self.visit(child)
        if isinstance(node, ast.AsyncFunctionDef) and _is_generator(node):
            self._add(node, "async generator", "has no __aiter__ here; write a class with __aiter__ and __anext__")

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if node.keywords:
            self._add(node, "class keyword", "no metaclasses or class keywords on this port")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value:
            self.visit(node.value)


def _never(test: ast.expr) -> bool:
    """True for `TYPE_CHECKING` and for `False`, which the compiler leaves out: the body is for the type checker."""
    if isinstance(test, ast.Constant):
        return test.value is False
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _called_name(call: ast.Call) -> str:
    """`f` of `f()` and of `a.f()`, else ""."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_generator(function: ast.AsyncFunctionDef) -> bool:
    """True if the body itself (not a function inside it) yields."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return False


def device_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Every .py file under the paths that exist, in order, but those named `…_cpython.py`: twins for the host."""
    for path in paths:
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []
        yield from (file for file in found if not file.stem.endswith("_cpython"))


def main(arguments: list[str]) -> int:
    """Lint the files; returns the exit code."""
    faults = 0
    paths = [Path(a) for a in arguments] or [ROOT / p for p in DEVICE_PATHS]
    for path in device_files(paths):
        for fault in lint(path.read_text(encoding="utf-8"), str(path)):
            print(f"{path}:{fault.line}: {fault.what}: {fault.why}")
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
