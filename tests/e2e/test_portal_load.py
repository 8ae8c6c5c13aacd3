"""Many networks and many visitors at the page of a real node in the chip's heap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from portal_phone import Phone, fresh_node

LISTED = 20  # networks on the page, as lib/portal/networks.py has it


def memory(phone: Phone) -> int:
    """Bytes that the node says it has free, on a page that is whole."""
    page = phone.page("</html>", "</script>")
    found = re.search(r">Free memory<.*?(\d+)", page, re.S)
    assert found, page[-1500:]
    return int(found[1])


def test_forty_networks_in_the_air_and_the_page_still_loads(tmp_path: Path) -> None:
    with fresh_node(tmp_path) as (board, phone):
        for number in range(40):
            board.air.add(f"network number {number:02} & <its> \u4e2d\u6587", "secret123", rssi=-40 - number)
        board.power_on()
        page = phone.page("network number 00")
        names = re.findall(r"network number (\d\d) & <its> \u4e2d\u6587", page)
        assert names == [f"{number:02}" for number in range(LISTED)]
        for _ in range(10):
            assert memory(phone) > 0
        assert "MemoryError" not in board.log


@pytest.mark.parametrize("times", [40, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_page_loads_leave_the_heap_as_it_was(tmp_path: Path, times: int) -> None:
    with fresh_node(tmp_path) as (board, phone):
        board.air.add("home", "secret123")
        board.power_on()
        phone.page("home")
        before = max(memory(phone) for _ in range(10))
        for _ in range(times):
            memory(phone)
        after = max(memory(phone) for _ in range(10))
        print(f"{times} loads: {before} -> {after} bytes free")
        assert after > before - 500
        assert "MemoryError" not in board.log
