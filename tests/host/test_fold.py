"""What the chip's compiler is not given to see."""

from __future__ import annotations

from tools.fold import fold


def test_a_constant_of_another_file_stands_as_its_number_and_its_import_goes() -> None:
    done = fold(
        {
            "p/a.py": "ONE = const(1)\nTWO = const(ONE + 1)\n\n\ndef f():\n    return ONE\n",
            "p/b.py": "from .a import (\n    ONE,\n    f,\n)\nprint(ONE + f())\n",
            "q/c.py": "from p.a import TWO\nprint(TWO)\n",
        }
    )
    assert done["p/a.py"] == "_ONE = const(1)\n_TWO = const(_ONE + 1)\n\n\ndef f():\n    return _ONE\n"
    assert done["p/b.py"] == "from .a import f\n\n\n\nprint((1) + f())\n"
    assert done["q/c.py"] == "pass\nprint((2))\n"


def test_a_constant_that_is_reached_as_an_attribute_stays() -> None:
    done = fold({"p/a.py": "ONE = const(1)\n", "p/b.py": "from . import a\nprint(a.ONE)\n"})
    assert done["p/a.py"] == "ONE = const(1)\n"


def test_what_only_the_checker_and_the_host_read_is_gone_and_lines_stay() -> None:
    text = """__all__ = ("f",)
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .b import ONE
try:
    from micropython import const
except ImportError:

    def const(value):
        return value


if sys.implementation.name == "micropython":
    from .a import x
else:
    from .b import x
"""
    expected = ["pass", "pass", "pass", "", "", "", "pass", *[""] * 7, "from .a import x", *[""] * 3]
    assert fold({"p/c.py": text, "p/b.py": "ONE = const(1)\n"})["p/c.py"].splitlines() == expected
