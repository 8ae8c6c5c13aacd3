"""For all tests: the brokers, and the rule on skips.

A test may skip only because a program is missing on a plain machine (`need("chromium")`). Where CI=true nothing may be
missing, so any skip is turned into a failure there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.brokers import EmbeddedBroker, Mosquitto, find_program

REQUIRED = os.environ.get("CI") == "true"


# Files of which only one may run at a time: they look at all processes of this machine, or at port 1883.
ALONE = {"test_make_run.py", "test_run_runner.py", "test_run_portal.py", "test_run_broker.py", "test_flash_docs.py"}


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script's background job begins with Ctrl-C ignored, and what the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class ByFile(LoadFileScheduling):
    """The tests of a file share boards and brokers: with several workers (`-n`), each file goes to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "alone" if Path(file).name in ALONE else file


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRED and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped where CI=true: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """`need("mosquitto")` -> path of the program, or the test is skipped with a word on why."""

    def find(program: str) -> str:
        path = find_program(program)
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return find


@pytest.fixture
def mosquitto(need: Callable[[str], str], tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto on 127.0.0.1; ended with the test, whatever its outcome."""
    with Mosquitto(need("mosquitto"), tmp_path) as broker:
        yield broker


@pytest.fixture
def amqtt() -> Iterator[EmbeddedBroker]:
    """The broker of `make run` on a free port of 127.0.0.1; ended with the test, whatever its outcome."""
    broker = EmbeddedBroker()
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
