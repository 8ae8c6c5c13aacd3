"""Heap of settings and WiFi, from ROMFS: what stays while the node runs, and what a change takes for a moment."""

from __future__ import annotations

import pytest

from tests.bench.settings_heap import SettingsHeap

STEADY = 5120  # B, with the names that no other part of a node would share
ROOM = {"load": 8192, "patch": 10752, "faults": 14336, "redact": 6144, "save": 13824}  # B in one piece
FIRST = 1024  # B left by the first use: names of the table


@pytest.fixture(scope="module")
def heap(tmp_path_factory: pytest.TempPathFactory) -> SettingsHeap:
    return SettingsHeap(tmp_path_factory.mktemp("heap"))


def test_steady_state(heap: SettingsHeap) -> None:
    whole, part, known = heap.steady()
    print(f"settings and WiFi keep {whole} B, of it settings {part} B; without names {known} B")
    assert whole <= STEADY


@pytest.mark.parametrize("what", ROOM)
def test_room_that_is_needed_for_a_moment(heap: SettingsHeap, what: str) -> None:
    assert heap.run(what, ROOM[what]) == "enough"


@pytest.mark.parametrize("what", ["patch", "faults", "redact"])
def test_a_hundred_changes_leave_nothing_behind(heap: SettingsHeap, what: str) -> None:
    first, more = heap.left(what)
    print(f"{what}: {first} B after the first, {more} B after a hundred more")
    assert first <= FIRST
    assert more <= 64
