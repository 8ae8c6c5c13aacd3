"""Modules of a package put into one file: what they import from each other is there, and what others import is found."""

from __future__ import annotations

import pytest

from tools.bundle import BundleError, bundle

FILES = {
    "p/__init__.py": "import sys\n\n\ndef load():\n    return sys\n\n\nfrom .a import A\n",
    "p/a.py": "import sys\nfrom . import load\nfrom .b import (\n    one,\n    TWO,\n)\n\n\nclass A:\n    x = load\n\n"
    "    def y(self):\n        return one(), TWO\n",
    "p/b.py": "TWO = 2\n\n\ndef one():\n    from .a import A\n\n    return A\n",
    "p/cold.py": "def f():\n    from .a import A\n    from .b import one as uno\n    from .other import z\n",
    "q/cold.py": "from .a import A\n",
}
PARTS = {"p/__init__.py": ("p/a.py", "p/b.py")}


def test_one_file_stands_for_all() -> None:
    done = bundle(FILES, PARTS)
    assert sorted(done) == ["p/__init__.py", "p/cold.py", "q/cold.py"]
    space: dict[str, object] = {}
    exec(compile(done["p/__init__.py"], "p", "exec"), space)
    made = space["A"]()  # type: ignore[operator]
    assert made.y() == (made.__class__, 2) and "import A" not in done["p/__init__.py"]


def test_lines_of_the_first_file_stay_and_the_others_follow_whole() -> None:
    text = bundle(FILES, PARTS)["p/__init__.py"]
    before = FILES["p/__init__.py"].splitlines()
    assert text.splitlines()[: len(before) - 1] == before[:-1]
    assert text.count("\n") == sum(FILES[path].count("\n") for path in ("p/__init__.py", "p/a.py", "p/b.py"))


def test_neighbours_import_from_the_package_and_strangers_are_left_alone() -> None:
    done = bundle(FILES, PARTS)
    assert "from . import A" in done["p/cold.py"] and "from . import one as uno" in done["p/cold.py"]
    assert "from .other import z" in done["p/cold.py"]
    assert done["q/cold.py"] == FILES["q/cold.py"]


def test_a_name_for_two_things_is_refused() -> None:
    with pytest.raises(BundleError, match="TWO"):
        bundle({**FILES, "p/a.py": "TWO = 3\n"}, PARTS)


def test_nothing_happens_where_a_part_is_missing() -> None:
    files = {path: text for path, text in FILES.items() if path != "p/b.py"}
    assert bundle(files, PARTS) == files
