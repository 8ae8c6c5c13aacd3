"""The two-VM runner: which VM am I in, and does a failure count."""

import sys

from check import raises


def test_runs_in_a_known_vm():
    assert sys.implementation.name in ("cpython", "micropython")


def test_raises_reports_the_missing_exception():
    error = raises(AssertionError, raises, ValueError, int, "5")
    assert "ValueError" in str(error)
