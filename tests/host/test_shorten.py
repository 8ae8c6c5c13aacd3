"""Short names: the program stays the same, and what others rely on keeps its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import firmware_names
from tools.shorten import Firmware, PrivacyError, shorten

FIRMWARE = Firmware(everywhere=["append", "clear", "copy"], taken={"append", "clear", "copy", "core", "sleep"})
SOURCE = '''"""A counter."""


class Counter:
    """Counts in _steps."""

    def __init__(self, _first, step=1):
        self._count = _first
        self.step = step
        self.append = 0

    def advance(self):
        setattr(self, "_count", getattr(self, "_count") + self.step)

    def total(self):
        self.advance()
        return self._count, "say _count", __name__, hasattr(self, "step"), hasattr(self, "steps")


def make():
    return Counter(_first=3, step=2)


RESULT = make().total()
'''


def short_of(*files: tuple[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    packages: dict[str, dict[str, str]] = {}
    for path, text in files:
        packages.setdefault(path.split("/")[0], {})[path] = text
    done, tables = shorten(packages, FIRMWARE)
    return {path: text for sources in done.values() for path, text in sources.items()}, tables


def result_of(source: str) -> object:
    names: dict[str, object] = {"__name__": "here"}
    exec(compile(source, "here", "exec"), names)
    return [value for value in names.values() if isinstance(value, tuple)]


def test_a_shortened_program_does_the_same_on_the_same_lines() -> None:
    done, tables = short_of(("p/a.py", SOURCE))
    short = done["p/a.py"]
    assert result_of(short) == result_of(SOURCE) != []
    assert short.count("\n") == SOURCE.count("\n")
    for name in ("advance", "make", "Counter(", "total"):
        assert name not in short.replace('"""A counter."""', "")
    assert set(tables["p/a.py"].values()) == {
        "Counter", "RESULT", "_count", "_first", "advance", "make", "step", "total",
    }  # fmt: skip


def test_names_of_the_firmware_come_first_where_they_are_not_used() -> None:
    done, _ = short_of(("p/a.py", "def one():\n    return 1\n"))
    assert done["p/a.py"] == "def append():\n    return 1\n"
    done, _ = short_of(("p/a.py", "def one(x):\n    x.append(1)\n"))
    assert done["p/a.py"] == "def copy(clear):\n    clear.append(1)\n"


def test_names_of_the_firmware_stay() -> None:
    text = "from asyncio import core, sleep\nqueue = core._io_queue\nsleep(s=1)\n"
    done, _ = short_of(("p/a.py", text))
    assert done["p/a.py"] == text.replace("queue =", "append =")


def test_files_agree_and_an_argument_shares_its_name_with_another_files() -> None:
    done, _ = short_of(
        ("p/a.py", "def one(first):\n    return first\n"), ("p/b.py", "from .a import one\ndef other(then): pass\n")
    )
    assert done["p/a.py"] == "def append(clear):\n    return clear\n"
    assert done["p/b.py"] == "from .a import append\ndef clear(copy): pass\n"


def test_attributes_of_a_package_never_meet() -> None:
    _done, tables = short_of(
        ("p/a.py", "class A:\n    def __init__(self):\n        self.first = 1\n"),
        ("p/b.py", "def set(thing):\n    thing.second = 2\n    thing.third = 3\n"),
        ("q/a.py", "def far(thing):\n    thing.fourth = 4\n"),
    )
    back = {name: new for table in tables.values() for new, name in table.items()}
    assert len({back[name] for name in ("first", "second", "third", "fourth")}) == 4


def test_a_function_that_a_text_names_is_found_there() -> None:
    done, _ = short_of(
        ("p/a.py", "def reach(): pass\ndef far(): pass\ndef kept(): pass\n"),
        ("p/b.py", 'call("a.reach")\nTABLE = """\nup a.far\n"""\nword = "kept"\nother = "b.reach p.far"\n'),
    )
    assert done["p/a.py"] == "def clear(): pass\ndef append(): pass\ndef kept(): pass\n"
    assert done["p/b.py"].startswith('call("a.clear")\ncopy = """\nup a.append\n"""\n')
    assert done["p/b.py"].endswith('"kept"\nc = "b.reach p.far"\n')


def test_a_function_that_a_text_names_behind_an_escape_is_refused() -> None:
    with pytest.raises(PrivacyError, match=r"p/b\.py:2: an escape before a\.reach"):
        short_of(("p/a.py", "def reach(): pass\n"), ("p/b.py", 'x = 1\nTABLE = "up\\na.reach"\n'))


def test_exceptions_keep_their_names() -> None:
    done, _ = short_of(("p/a.py", "class Odd(ValueError): pass\nclass Refused(Odd): pass\nclass Plain: pass\n"))
    assert done["p/a.py"] == "class Odd(ValueError): pass\nclass Refused(Odd): pass\nclass append: pass\n"


def test_another_packages_private_name_is_refused_by_name() -> None:
    with pytest.raises(PrivacyError, match=r"q/a\.py:2: _secret is private to p"):
        short_of(("p/a.py", "class A:\n    _secret = 1\n"), ("q/a.py", "import p\nprint(p.A._secret)\n"))


def test_an_f_string_is_refused_by_place() -> None:
    with pytest.raises(PrivacyError, match=r"p/a\.py:2: an f-string"):
        short_of(("p/a.py", "x = 1\ny = f'{x}'\n"))


def test_more_names_than_letters_stay_distinct() -> None:
    many = "".join(f"_name{i} = {i}\n" for i in range(200))
    done, tables = short_of(("p/a.py", many))
    assert len(set(done["p/a.py"].split()[::3])) == 200
    assert len(tables["p/a.py"]) == 200


def test_what_is_given_as_the_firmwares_name_is_in_its_rom() -> None:
    free = set(Firmware.load().everywhere)
    assert firmware_names.in_rom(sorted(free)) == free


def test_every_name_of_the_device_code_that_is_in_rom_is_known_to_be() -> None:
    """Or an attribute of the firmware could be renamed. `python -m tools.firmware_names` brings the list up to date."""
    lib = Path(__file__).resolve().parents[2] / "lib"
    words = {w for path in lib.rglob("*.py") for w in re.findall(r"[A-Za-z_]\w*", path.read_text(encoding="utf-8"))}
    assert firmware_names.in_rom(sorted(words)) - Firmware.load().taken - firmware_names.python_words() == set()


def test_the_image_is_made_of_short_names(tmp_path: Path) -> None:
    from tools.image import build_image

    image = build_image(tmp_path / "flash.bin")
    assert b"_look_after" not in image.romfs and b"_look_at_ap" not in image.romfs
