"""The virtual radio and link, seen by code on the board: joining takes its time, status codes, faults."""

from __future__ import annotations

from collections.abc import Callable

from echo_server import EchoServer

from tools.vboard import Board

MakeBoard = Callable[..., Board]
PROMPT = ">>> "
SPEED = 20  # so many times faster than a real radio

JOIN = """
import network, time
sta = network.WLAN(network.STA_IF)
network.WLAN(network.AP_IF).active(False)
sta.active(True)
sta.connect(%r, %r)
seen = []
while len(seen) < 2 or seen[-1] == network.STAT_CONNECTING:
    if sta.status() not in seen:
        seen.append(sta.status())
    time.sleep_ms(2)
print("status", seen, sta.isconnected(), sta.ifconfig()[0])
"""

CHAT = (
    JOIN % ("home", "secret")
    + """
import socket
def dial():
    s = socket.socket()
    s.settimeout(1)
    s.connect(socket.getaddrinfo("broker.local", 1883)[0][-1])
    return s
def ask(s, text):
    try:
        s.write(text)
        return s.read(len(text))
    except OSError as e:
        return "errno %d" % e.errno
s = dial()
print("answer", ask(s, b"hello"))
"""
)


def join(make_board: MakeBoard, ssid: str, key: str) -> Board:
    board = make_board(main=JOIN % (ssid, key), options={"speed": SPEED})
    board.air.add("home", "secret")
    board.power_on()
    return board


def test_joining_takes_its_time_and_ends_with_an_address(make_board: MakeBoard) -> None:
    join(make_board, "home", "secret").wait_for("status [1, 5] True 192.168.1.")


def test_a_wrong_key_is_status_2(make_board: MakeBoard) -> None:
    join(make_board, "home", "wrong").wait_for("status [1, 2] False 0.0.0.0")


def test_no_such_access_point_is_status_3(make_board: MakeBoard) -> None:
    join(make_board, "elsewhere", "secret").wait_for("status [1, 3] False 0.0.0.0")


def test_credentials_outlive_a_power_cut_and_the_sdk_connects_by_itself(make_board: MakeBoard) -> None:
    board = join(make_board, "home", "secret")
    board.wait_for("status [1, 5]")
    board.wait_for(PROMPT)
    board.power_off()
    board.power_on()
    board.wait_until(lambda: board.silicon.online() == (True, True))


def test_bytes_tuples_and_errors_cross_the_border(make_board: MakeBoard) -> None:
    main = """
import network
sta = network.WLAN()
sta.active(True)
found = sta.scan()
print("scan", type(found), type(found[0]), found[0][0], len(found[0][1]), found[0][2:])
for bad in (lambda: sta.config(ssid="x"), lambda: sta.config("nonsense"), lambda: network.WLAN(7)):
    try:
        bad()
    except Exception as e:
        print("raised", repr(e))
"""
    board = make_board(main=main, options={"speed": SPEED})
    board.air.add(b"caf\xc3\xa9", "secret123", channel=3, rssi=-50)
    board.power_on()
    log = board.wait_for(PROMPT)
    assert "scan <class 'list'> <class 'tuple'> b'caf\\xc3\\xa9' 6 (3, -50, 3, 0)" in log
    assert "raised OSError('AP required',)" in log
    assert "raised ValueError('unknown config param',)" in log
    assert "raised ValueError()" in log


def chat(make_board: MakeBoard, echo: EchoServer) -> Board:
    names = {"broker.local": ("127.0.0.1", echo.port)}
    board = make_board(main=CHAT, options={"speed": SPEED, "names": names})
    board.air.add("home", "secret")
    board.power_on()
    board.wait_for("answer b'hello'")
    board.wait_for(PROMPT)
    return board


def ask(board: Board, expression: str, timeout: float = 20) -> str:
    """Evaluate on the board's REPL; returns the line that comes back."""
    mark = board.mark()
    board.type(f"print('<' + str({expression}) + '>')\r")
    log = board.wait_for(">\n", since=mark, timeout=timeout)
    return log.split("\n<")[-1].split(">\n")[0]


def test_a_host_name_leads_through_the_link(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    assert bytes(echo.received) == b"hello"
    assert board.link.opened == 1


def test_stall_delays_and_loses_nothing(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    board.link.stall()
    assert ask(board, "ask(s, b'one')") == "errno 110"
    board.link.restore()
    assert ask(board, "s.read(3)") == "b'one'"


def test_black_hole_is_silence_then_a_reset(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    board.link.black_hole()
    assert ask(board, "ask(s, b'lost')") == "errno 110"
    board.link.restore()
    mark = board.mark()
    assert ask(board, "ask(s, b'late')") in ("errno 104", "b''")
    assert bytes(echo.received) == b"hello"
    assert echo.ends == []  # the server still believes
    assert ask(board, "ask(dial(), b'again')") == "b'again'", board.console.since(mark)


def test_reset_reaches_both_sides(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    board.link.reset()
    assert ask(board, "ask(s, b'x')") in ("errno 104", "errno 32")
    board.wait_until(lambda: echo.ends == ["RST"])


def test_without_an_address_nothing_connects_and_no_name_is_known(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    assert ask(board, "sta.disconnect()") == "None"
    board.type("try:\r    dial()\rexcept OSError as e:\r    print('refused', e)\r\r\r")
    board.wait_for("refused -2")
    assert ask(board, "ask(s, b'x')") == "errno 110"  # the old connection is dead, and nobody says so
    assert echo.ends == []


def test_an_access_point_that_dies_is_a_black_hole_until_the_radio_notices(
    make_board: MakeBoard,
    echo: EchoServer,
) -> None:
    board = chat(make_board, echo)
    point = board.air.points[0]
    board.air.change(point, up=False)
    assert ask(board, "ask(s, b'x')") == "errno 110"
    board.wait_until(lambda: not board.silicon.online()[0])
    board.air.change(point, up=True)
    board.wait_until(lambda: board.silicon.online() == (True, True))
    assert ask(board, "ask(dial(), b'back')") == "b'back'"


def test_a_power_cut_sends_no_fin(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    board.power_off()
    mark = board.mark()
    board.power_on()
    board.wait_for("answer b'hello'", since=mark)
    assert echo.connected == 2
    assert echo.ends == []


def test_an_unknown_name_is_error_minus_2(make_board: MakeBoard, echo: EchoServer) -> None:
    board = chat(make_board, echo)
    board.type("try:\r    socket.getaddrinfo('nowhere.local', 1)\rexcept OSError as e:\r    print('no', e)\r\r\r")
    board.wait_for("no -2")
