"""The board boots the image as the chip does: mounts, order, resets, deep sleep, power cuts, heap."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tools.vboard import Board, BoardError

MakeBoard = Callable[..., Board]
PROMPT = ">>> "


def test_boot_py_runs_before_main_py_and_the_repl_comes_last(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    log = board.wait_for(PROMPT)
    assert log.index("boot ran") < log.index("main ran") < log.index(PROMPT)


def test_main_py_is_skipped_if_boot_py_raises(make_board: MakeBoard) -> None:
    board = make_board(boot="print('boot ran')\nraise ValueError('no')\n")
    board.power_on()
    log = board.wait_for(PROMPT)
    assert "ValueError: no" in log
    assert "main ran" not in log


def test_littlefs_is_at_root_and_romfs_at_rom(make_board: MakeBoard) -> None:
    main = (
        "import os, sys\nprint(sorted(os.listdir('/')), os.listdir('/rom'), os.statvfs('/')[:3])\n"
        "import node\nprint(node.__file__, sys.path)\nprint(open('settings.json').read())\n"
    )
    board = make_board(main=main, lib={"node/__init__.py": "print('node imported')\n"})
    board.power_on()
    log = board.wait_for(PROMPT)
    assert "['boot.py', 'main.py', 'rom', 'settings.json'] ['node'] (4096, 4096, 763)" in log
    assert "node imported" in log
    assert "/rom/node/__init__.mpy ['', '.frozen', '/rom', '/rom/lib', '/lib', '/']" in log
    assert '"name": "demo"' in log or '"name":"demo"' in log


def test_asyncio_is_there(make_board: MakeBoard) -> None:
    board = make_board(main="import asyncio\nasync def f(): print('ran', 6 * 7)\nasyncio.run(f())\n")
    board.power_on()
    board.wait_for("ran 42")


def test_reset_causes(make_board: MakeBoard) -> None:
    board = make_board(main="import machine\nprint('cause', machine.reset_cause())\n")
    board.power_on()
    board.wait_for("cause 0")
    board.wait_for(PROMPT)
    mark = board.mark()
    board.type("machine.reset()\r")
    board.wait_for("cause 4", since=mark)
    mark = board.mark()
    board.reset()
    board.wait_for("cause 6", since=mark)
    board.wait_for(PROMPT, since=mark)
    board.type("machine.deepsleep(1)\r")
    board.wait_for("cause 5", since=mark)
    board.power_off()
    mark = board.mark()
    board.power_on()
    board.wait_for("cause 0", since=mark)


def test_soft_reset_keeps_the_cause_and_the_rtc_memory(make_board: MakeBoard) -> None:
    board = make_board(main="import machine\nprint('cause', machine.reset_cause(), machine.RTC().memory())\n")
    board.power_on()
    board.wait_for(PROMPT)
    board.type("machine.RTC().memory(b'kept\\x00\\xff'); machine.soft_reset()\r")
    board.wait_for("MPY: soft reboot\nboot ran\ncause 0 b'kept\\x00\\xff'")


@pytest.mark.parametrize("how", ["machine.reset()", "machine.deepsleep(100)"])
def test_rtc_memory_outlives_resets_and_deep_sleep_but_no_power_cut(make_board: MakeBoard, how: str) -> None:
    main = f"""
import machine
rtc = machine.RTC()
n = len(rtc.memory())
print("found", n)
if n < 492:
    rtc.memory(bytes(492))
    {how}
try:
    rtc.memory(bytes(493))
except ValueError:
    print("too long")
"""
    board = make_board(main=main)
    board.power_on()
    log = board.wait_for("too long")
    assert log.index("found 0") < log.index("found 492")
    board.power_off()
    mark = board.mark()
    board.power_on()
    board.wait_for("found 0\n", since=mark)


def test_deep_sleep_takes_its_time_and_the_board_is_off_meanwhile(make_board: MakeBoard) -> None:
    board = make_board(main="import machine\nprint('up', machine.reset_cause())\n", options={"speed": 10})
    board.power_on()
    board.wait_for(PROMPT)
    board.type("machine.deepsleep(20000)\r")
    board.wait_until(lambda: board.state == "asleep")
    assert board.pid is None
    board.wait_for("up 5", timeout=10)


def test_a_clock_that_was_set_outlives_a_reset_and_starts_in_2000_after_a_power_cut(make_board: MakeBoard) -> None:
    board = make_board(main="import time, machine\nprint('year', time.gmtime()[0], time.gmtime(0)[0])\n")
    board.power_on()
    board.wait_for("year 2000 2000")
    board.wait_for(PROMPT)
    board.type("machine.RTC().datetime((2031, 5, 6, 0, 7, 8, 9, 0))\r")
    board.type("machine.reset()\r")
    board.wait_for("year 2031 2000")
    board.power_off()
    mark = board.mark()
    board.power_on()
    board.wait_for("year 2000", since=mark)


def test_the_watchdog_resets_a_node_that_hangs_and_not_one_that_feeds(make_board: MakeBoard) -> None:
    main = """
import machine, time
print("cause", machine.reset_cause())
if machine.reset_cause() == 0:
    wdt = machine.WDT()
    for _ in range(8):
        time.sleep_ms(500)
        wdt.feed()
    print("fed for 4 s")
    while True:
        pass
"""
    board = make_board(main=main)
    board.power_on()
    log = board.wait_for("cause 3", timeout=15)
    assert "fed for 4 s" in log


def test_files_written_before_a_power_cut_are_there_after_it(make_board: MakeBoard) -> None:
    main = """
import os
print("files", sorted(os.listdir("/")))
with open("written", "w") as f:
    f.write("x" * 5000)
print("size", os.stat("written")[6])
while True:
    pass
"""
    board = make_board(main=main)
    board.power_on()
    board.wait_for("size 5000")
    pid = board.pid
    board.power_off()
    assert pid and not alive(pid)
    mark = board.mark()
    board.power_on()
    board.wait_for("'written']", since=mark)


def test_power_can_fail_in_any_write_and_the_filesystem_still_mounts(make_board: MakeBoard) -> None:
    main = """
import os
print("state", open("a").read()[:3] if "a" in os.listdir("/") else None)
with open("a.new", "w") as f:
    f.write("new" + "x" * 3000)
os.rename("a.new", "a")
print("saved")
"""
    board = make_board(main=main, files={"a": "old" + "y" * 3000})
    states = set()
    for cut in range(1, 400, 23):
        mark = board.mark()
        board.power_on(cut_after=cut)
        board.wait_until(lambda mark=mark: board.state == "off" or PROMPT in board.console.since(mark))
        log = board.console.since(mark)
        states.add(log.split("state ")[1][:3])
        board.power_off()
        if "saved" in log:
            break
    assert states <= {"old", "new"}
    assert "old" in states
    assert "saved" in log


def test_a_node_finds_76_kib_and_gets_memory_error_beyond(make_board: MakeBoard) -> None:
    main = """
import gc
gc.collect()
print("free", gc.mem_free())
kept = []
try:
    while True:
        kept.append(bytes(1024))
except MemoryError:
    n = len(kept)
    kept = None
    print("took", n)
"""
    big = "def f():\n    return '" + "x" * 60000 + "'\n"
    board = make_board(main=main, lib={"big.py": big})  # the ROMFS does not count
    board.power_on()
    log = board.wait_for(PROMPT)
    free = int(log.split("free ")[1].split()[0])
    taken = int(log.split("took ")[1].split()[0])
    assert 72_000 < free < 76_000  # LittleFS takes its buffers, as on the chip
    assert 60 <= taken <= 74


def test_code_in_romfs_runs_in_place(make_board: MakeBoard) -> None:
    text = "x" * 20000
    main = "import gc\ngc.collect()\na = gc.mem_free()\nimport big\ngc.collect()\nprint('cost', a - gc.mem_free())\n"
    board = make_board(main=main, lib={"big.py": f"def f():\n    return b'{text}'\n"})
    board.power_on()
    cost = int(board.wait_for("\nMicroPython").split("cost ")[1].split()[0])
    assert cost < 2000


def test_a_garbled_filesystem_is_told_and_nothing_hangs(make_board: MakeBoard) -> None:
    board = make_board()
    with board.flash.open("r+b") as file:
        file.seek(0x100000)
        file.write(b"\x00" * 8192)
    board.power_on()
    board.wait_for("The filesystem appears to be corrupted")
    board.wait_for(PROMPT)


def test_two_boards_run_at_once(make_board: MakeBoard, make_image: Callable[..., object]) -> None:
    one, two = make_board(name="1.bin"), make_board(name="2.bin")
    for board in (one, two):
        board.power_on()
    for board in (one, two):
        board.wait_for(PROMPT)
    assert one.console_path != two.console_path


def test_a_closed_board_says_so(make_board: MakeBoard) -> None:
    board = make_board()
    board.close()
    with pytest.raises(BoardError, match="closed"):
        board.power_on()


def test_a_missing_image_is_told_to_who_switches_on(make_board: MakeBoard) -> None:
    board = make_board()
    board.flash.unlink()
    with pytest.raises(FileNotFoundError):
        board.power_on()


def test_pins_and_adc_are_wired_to_the_host(make_board: MakeBoard) -> None:
    main = """
from machine import ADC, Pin, Signal
led, button = Signal(Pin(2, Pin.OUT, value=1), invert=True), Pin(5, Pin.IN, Pin.PULL_UP)
print("before", button.value(), ADC(0).read())
led.on()
"""
    board = make_board(main=main)
    board.set_adc(512)
    board.power_on()
    board.wait_for("before 1 512")
    board.wait_for(PROMPT)
    board.wait_until(lambda: board.pin(2) == 0, timeout=20)  # the VM does not wait until the host knows
    board.set_pin(5, 0)
    board.type("'level', button()\r")
    board.wait_for("('level', 0)")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
