"""Files that are loaded together are one in the image, and each line is found again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.bundle import BundleError, bundle
from tools.names import Names

FILES = {
    "p/__init__.py": '"""A package."""\n\nimport sys\n\n\ndef load():\n    return sys\n\n\n'
    "from .client import Client\nLAST = 1\n",
    "p/client.py": '"""The client."""\nfrom . import load\nfrom .packet import (\n    Decoder,\n)\n\n\nclass Client(Decoder):\n'
    "    def late(self):\n        from .cold import f\n        return f() + load().maxsize\n",
    "p/packet.py": "class Decoder:\n    x = 1\n",
    "p/cold.py": "from .packet import Decoder\n\n\ndef f():\n    return Decoder.x\n",
    "q.py": "from p.packet import Decoder\nimport p\nprint(Decoder.x, p.Client().late() - p.sys.maxsize, p.LAST)\n",
}


def run(folder: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return subprocess.run([sys.executable, "q.py"], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_bundled_program_does_the_same(tmp_path: Path) -> None:
    done, places = bundle(FILES)
    assert sorted(done) == ["p/__init__.py", "p/cold.py", "q.py"]
    assert run(tmp_path / "whole", FILES) == run(tmp_path / "bundled", done) == "1 1 1\n"
    assert list(places) == ["p/__init__.py"]


def test_every_line_is_found_again() -> None:
    done, places = bundle(FILES)
    names = Names({"p/__init__.py": {"names": {"pop": "late"}, "lines": places["p/__init__.py"]}})
    for number, line in enumerate(done["p/__init__.py"].splitlines(), 1):
        said = names.long(f'  File "p", line {number}, in pop')
        file, source = said.split('"')[1], int(said.split("line ")[1].split(",")[0])
        assert said.endswith("in late")
        original = FILES[file.removeprefix("lib/")].splitlines()[source - 1]
        assert original == line


@pytest.mark.parametrize(
    "use", ["from . import packet\n", "import p.packet\n", "x = 'packet'\n", "from p import packet\n"]
)
def test_a_module_that_is_used_as_such_stays_one(use: str) -> None:
    done, _ = bundle(FILES | {"p/other.py": use})
    assert "p/packet.py" in done


def test_two_files_that_define_the_same_are_named() -> None:
    with pytest.raises(BundleError, match=r"p/packet\.py and p/__init__\.py .* both define load"):
        bundle(FILES | {"p/packet.py": "class Decoder: pass\ndef load(): pass\n"})


def test_another_name_for_what_goes_in_is_refused_by_place() -> None:
    with pytest.raises(BundleError, match=r"p/client\.py:1: .* two names"):
        bundle(FILES | {"p/client.py": "from .packet import Decoder as D\n"})
