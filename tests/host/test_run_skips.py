"""A skip is a word on a plain machine and a failure where CI=true; an expected failure is neither."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_TEST = "def test_one(need):\n    need('no-such-program')\n"
AT_IMPORT = "import pytest\npytest.importorskip('no_such_module')\n"
EXPECTED = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_one():\n    assert False\n"


@pytest.mark.parametrize("body", [IN_TEST, AT_IMPORT])
def test_skip_passes_at_home_and_fails_in_ci(tmp_path: Path, body: str) -> None:
    assert run_pytest(tmp_path, body, ci="")[0] in (0, 5)  # 5: nothing was collected
    code, output = run_pytest(tmp_path, body, ci="true")
    assert code not in (0, 5)
    assert "nothing may be skipped" in output


def test_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, EXPECTED, ci="true")[0] == 0


def run_pytest(folder: Path, body: str, ci: str) -> tuple[int, str]:
    """Run one test file with the project's conftest as plugin."""
    (folder / "test_it.py").write_text(body)
    env = dict(os.environ, CI=ci, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", os.devnull, "--rootdir", str(folder)]
    done = subprocess.run([*command, str(folder)], env=env, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
