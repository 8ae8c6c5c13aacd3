"""The cable or the power goes at any moment of a deployment: the board boots the old program or the new one, whole."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deploy_world import Cable, Project, deploy, factory_image, files_on

from tools import deploy as deployer
from tools.errors import ToolError
from tools.vboard import Board
from tools.vboard.board import OFF

CUTS = 10  # in each way; `make soak`: 100
MOST_WHOLE_WRITES = 140  # that fill an empty board, about
MOST_WRITES = 450  # flash writes of the start of the board that takes the files, about


def found(board: Board, since: int) -> set[str]:
    """Versions of the parts of the program that runs."""
    log = board.wait_for(" end\n", timeout=30, since=since)
    return set(log[log.index("versions ") : log.index(" end\n")].split()[1:])


class Rounds:
    """Deployments of one version after another on one board, with a cut in each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.project = Project(folder / "project")
        self.board = Board(factory_image(folder / "flash.bin"))
        self.version, self.old = 1, "1"
        self.outcome = {"old": 0, "new": 0}
        self.where: list[int] = []
        self.board.power_on()
        deploy(self.board, self.project.build())
        found(self.board, 0)

    def next(self) -> None:
        self.version += 1
        self.project.version(str(self.version))

    def check(self, where: int) -> None:
        """Power on; what runs then is the old or the new program, and the same at the next start."""
        self.board.power_off()
        for _ in range(2):
            mark = self.board.mark()
            self.board.power_on()
            parts = found(self.board, mark)
            assert parts in ({self.old}, {str(self.version)}), f"cut at {where}: {parts}, was {self.old}"
            new = parts == {str(self.version)}
            self.old = parts.pop()
            self.board.power_off()
        self.outcome["new" if new else "old"] += 1
        self.where.append(where)

    def length(self) -> int:
        """Bytes that pass the cable in a whole deployment."""
        self.next()
        cable = Cable(self.board)
        try:
            deploy(cable.path, self.project.build())
        finally:
            cable.close()
        self.check(0)
        self.outcome = {"old": 0, "new": 0}
        return cable.passed


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Rounds]:
    made = Rounds(tmp_path, int(os.environ.get("SEED", "1")))
    yield made
    made.board.close()


def cable_pulled(rounds: Rounds, count: int) -> None:
    """USB: the data lines and the power go together."""
    length = rounds.length()
    for _ in range(count):
        rounds.next()
        rounds.board.power_on()
        at = rounds.random.randrange(1, length + 200)
        cable = Cable(rounds.board, at, rounds.board.power_off)
        try:
            deploy(cable.path, rounds.project.build())
            assert at > length * 0.7, "the deployment ended well although the cable was pulled"
        except ToolError:
            pass  # what it says is tested elsewhere
        finally:
            cable.close()
        rounds.check(at)


def power_cut(rounds: Rounds, count: int) -> None:
    """The power fails in the nth write to the flash since a start, with half of that write done."""
    for _ in range(count):
        rounds.next()
        at = rounds.random.randrange(1, MOST_WRITES)
        rounds.board.power_off()
        rounds.board.power_on(cut_after=at)
        cable = Cable(rounds.board)
        try:
            deploy(cable.path, rounds.project.build())
        except ToolError:
            assert rounds.board.state == OFF
        finally:
            cable.close()
        rounds.check(at)


@pytest.mark.timeout(300)
def test_the_cable_is_pulled(rounds: Rounds) -> None:
    cable_pulled(rounds, CUTS)
    print(rounds.outcome, sorted(rounds.where))
    assert rounds.outcome["old"] and sum(rounds.outcome.values()) == CUTS


@pytest.mark.timeout(300)
def test_the_power_fails_while_files_arrive(rounds: Rounds) -> None:
    power_cut(rounds, CUTS)
    print(rounds.outcome, sorted(rounds.where))
    assert rounds.outcome["old"] and sum(rounds.outcome.values()) == CUTS


class Blank:
    """Deployments to a board with base firmware only, or with WIPE=1; after a cut it has no program, or all of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.project = Project(folder / "project")
        self.built = self.project.build(settings=b'{"device": {"name": "x"}}')
        self.board = Board(factory_image(folder / "flash.bin"))
        self.factory = self.board.flash.read_bytes()
        self.outcome = {"none": 0, "all": 0}

    def cable(self, at: int, wipe: bool) -> int:
        """Deploy, the cable and its power gone after `at` bytes (0: never); returns how many have passed."""
        self.board.power_on()
        cable = Cable(self.board, at, self.board.power_off)
        try:
            deploy(cable.path, self.built, wipe=wipe)
        except ToolError:
            assert at
        finally:
            cable.close()
        return cable.passed

    def writes(self, at: int, wipe: bool) -> None:
        """Deploy, the power gone in the nth write to the flash after the board has been taken."""
        self.board.power_on(cut_after=at)
        cable = Cable(self.board)
        try:
            deploy(cable.path, self.built, wipe=wipe)
        except ToolError:
            assert self.board.state == OFF
        finally:
            cable.close()

    def check(self, at: int) -> None:
        self.board.power_off()
        for _ in range(2):
            mark = self.board.mark()
            self.board.power_on()
            self.board.wait_until(
                lambda mark=mark: any(w in self.board.console.since(mark) for w in (">>> ", " end\n"))
            )
            log = self.board.console.since(mark)
            self.board.power_off()
        whole = "versions 1 1 1 end" in log
        assert whole or files_on(self.board.flash).keys() <= {"boot.py", "stay"}, f"cut at {at}: {log}"
        assert "corrupt" not in log and "Traceback" not in log
        self.outcome["all" if whole else "none"] += 1


def blank_cuts(folder: Path, count: int) -> dict[str, int]:
    made = Blank(folder, int(os.environ.get("SEED", "1")))
    with made.board:
        length = made.cable(0, False)
        made.check(0)
        for i in range(count):
            wipe = i % 2 == 1  # over what the round before has left
            if not wipe:
                made.board.flash.write_bytes(made.factory)
            if i % 4 < 2:
                at = made.random.randrange(1, length + 200)
                made.cable(at, wipe)
            else:
                at = made.random.randrange(1, MOST_WHOLE_WRITES)
                made.writes(at, wipe)
            made.check(at)
    print(made.outcome)
    return made.outcome


@pytest.mark.timeout(300)
def test_the_cable_or_the_power_goes_while_an_empty_board_is_filled(tmp_path: Path) -> None:
    assert blank_cuts(tmp_path, CUTS)["none"]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_an_empty_board_and_a_hundred_cuts(tmp_path: Path) -> None:
    outcome = blank_cuts(tmp_path, 100)
    assert outcome["none"] and outcome["all"]


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", [cable_pulled, power_cut])
def test_a_hundred_cuts(rounds: Rounds, way: Callable[[Rounds, int], None]) -> None:
    way(rounds, 100)
    print(rounds.outcome, sorted(rounds.where))
    assert rounds.outcome["old"]


@pytest.mark.timeout(300)
def test_the_power_fails_in_each_write_that_puts_the_new_program_in_place(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the switch on it is the new program, wherever the board is stopped, and however often."""
    board = rounds.board
    monkeypatch.setattr(deployer, "_switch", lambda wire, _: wire.run(deployer.SWITCH_OVER))
    rounds.next()
    deploy(board, rounds.project.build())
    board.power_off()
    staged = board.flash.read_bytes()
    new = {str(rounds.version)}
    cuts = 0
    while True:
        board.flash.write_bytes(staged)
        mark = board.mark()
        board.power_on(cut_after=cuts + 1)
        board.wait_until(lambda mark=mark: board.state == OFF or " end\n" in board.console.since(mark))
        if board.state != OFF:
            break  # it was through before that many writes
        cuts += 1
        board.power_on(cut_after=cuts)  # and once more, in what is left
        board.wait_until(lambda mark=mark: board.state == OFF or " end\n" in board.console.since(mark))
        board.power_off()
        mark = board.mark()
        board.power_on()
        assert found(board, mark) == new, f"cut in write {cuts}"
        board.power_off()
        assert not [path for path in files_on(board.flash) if "stag" in path]
    print("cuts:", cuts)
    assert cuts > 10
