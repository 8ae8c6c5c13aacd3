"""Short private names: the program stays the same, privacy is checked."""

from __future__ import annotations

import pytest

from tools.shorten import PrivacyError, shorten

SOURCE = '''"""A counter."""


class Counter:
    """Counts in _steps."""

    def __init__(self, _first, step=1):
        self._count = _first
        self.step = step

    def _advance(self):
        setattr(self, "_count", getattr(self, "_count") + self.step)

    def value(self):
        self._advance()
        return self._count, f"{self._count}", "say _count", __name__


def _make():
    return Counter(_first=3, step=2)


RESULT = _make().value()
'''


def result_of(source: str) -> object:
    names: dict[str, object] = {"__name__": "here"}
    exec(compile(source, "here", "exec"), names)
    return names["RESULT"]


def test_a_shortened_program_does_the_same_on_the_same_lines() -> None:
    done, table = shorten({"p": {"p/a.py": SOURCE}})
    short = done["p"]["p/a.py"]
    assert result_of(short) == result_of(SOURCE)
    assert short.count("\n") == SOURCE.count("\n")
    assert "self._advance" not in short and "_make" not in short
    assert sorted(table["p"].values()) == ["_advance", "_count", "_first", "_make"]


def test_what_is_public_keeps_its_name() -> None:
    done, _ = shorten({"p": {"p/a.py": SOURCE}})
    for name in ("Counter", "value", "step", "__init__", "__name__", "RESULT", "say _count"):
        assert name in done["p"]["p/a.py"]


def test_files_of_a_package_agree_and_packages_share_the_stock() -> None:
    done, _ = shorten(
        {
            "p": {"p/a.py": "def _one():\n    return 1\n", "p/b.py": "from .a import _one\n"},
            "q": {"q/a.py": "_other = 1\n"},
        }
    )
    assert done["p"]["p/b.py"] == "from .a import _a\n"
    assert done["q"]["q/a.py"] == "_a = 1\n"


def test_a_name_of_the_platform_is_left_alone() -> None:
    done, _ = shorten({"p": {"p/a.py": "from asyncio import core\nqueue = core._io_queue\n"}})
    assert "core._io_queue" in done["p"]["p/a.py"]


def test_another_packages_private_name_is_refused_by_name() -> None:
    with pytest.raises(PrivacyError, match=r"q/a\.py:2: _secret is private to p"):
        shorten({"p": {"p/a.py": "class A:\n    _secret = 1\n"}, "q": {"q/a.py": "import p\nprint(p.A._secret)\n"}})


def test_more_names_than_letters_stay_distinct() -> None:
    many = "".join(f"_name{i} = {i}\n" for i in range(200))
    done, table = shorten({"p": {"p/a.py": many}})
    assert len(set(done["p"]["p/a.py"].split()[::3])) == 200
    assert len(table["p"]) == 200
