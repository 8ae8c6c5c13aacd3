"""`make provision`: rows of a CSV, questions, keys, labels, and a board over its serial port."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.e2e.deploy_world import factory_image, files_on
from tools import provision, questions
from tools.errors import ToolError
from tools.label import Label
from tools.settings_file import settings
from tools.user_settings import content
from tools.vboard import Board

ROOT = Path(__file__).resolve().parents[2]
HEADING = "device.name,wifi.networks.0.ssid,wifi.networks.0.key,mqtt.brokers.0.host,mqtt.keepalive,sensors.0.type\n"


def table(folder: Path, rows: dict[int, str]) -> Path:
    """50 nodes, in lines 2 to 51; `rows` are put in place of theirs."""
    lines = [rows.get(n, f"node{n},home,secret-key,10.0.0.1,60,sim") for n in range(2, 52)]
    path = folder / "nodes.csv"
    path.write_text(HEADING + "\n".join(lines) + "\n")
    return path


def test_50_nodes_with_three_bad_rows(tmp_path: Path) -> None:
    bad = {
        7: "node7,home,short,10.0.0.1,60,sim",
        20: "node20,home,secret-key,10.0.0.1,5000,sim",
        33: "node2,home,,10.0.0.1,,",
    }
    out = io.StringIO()
    refused = provision.provision_csv(
        table(tmp_path, bad), tmp_path / "out", settings.defaults(), Console(file=out, width=200)
    )
    assert [row.line for row in refused] == [7, 20, 33]
    said = out.getvalue().splitlines()
    assert re.match(r"nodes.csv, line 7: wifi.networks.0.key: .*8 to 63 characters", said[0]) and "short" not in said[0]
    assert re.match(r"nodes.csv, line 20: mqtt.keepalive: .5000..*10 to 1200", said[1])
    assert said[2] == "nodes.csv, line 33: device.name: node2 is in line 2 already"
    assert said[3].startswith("47 nodes written")
    made = {p.name for p in (tmp_path / "out").iterdir()}
    assert made == {f"node{n}" for n in range(2, 52)} - {"node7", "node20", "node33"}
    keys = set()
    for folder in (tmp_path / "out").iterdir():
        cfg, notes = settings.load(str(folder))
        assert not notes
        assert cfg["device"]["name"] == cfg["wifi"]["ap_ssid"] == folder.name
        keys.add(cfg["wifi"]["ap_key"])
        assert stat.S_IMODE((folder / "settings.json").stat().st_mode) == 0o600
        assert cfg["wifi"]["ap_key"] in (folder / "label.txt").read_text()
    assert len(keys) == 47


def test_the_command_ends_with_1_if_a_row_is_refused(tmp_path: Path) -> None:
    def run(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools", "provision", "--csv", str(path), "--out", str(tmp_path / "out")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert run(table(tmp_path, {})).returncode == 0
    done = run(table(tmp_path, {9: "node9"}))
    assert done.returncode == 0, "a name alone is enough"
    done = run(table(tmp_path, {9: "node9,home,secret-key,10.0.0.1,60,sim,one too many"}))
    assert done.returncode == 1 and "line 9: 7 cells, the heading has 6" in done.stdout
    (tmp_path / "other.csv").write_text("name,ssid\nx,y\n")
    done = run(tmp_path / "other.csv")
    assert done.returncode == 1 and "the first line must name the columns" in done.stderr


@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    refused = provision.provision_csv(
        table(tmp_path, {2: f"{name},home,secret-key,10.0.0.1,60,sim"}),
        tmp_path / "out",
        settings.defaults(),
        Console(file=io.StringIO()),
    )
    assert [row.line for row in refused] == [2]


def test_an_access_point_key_is_made_once_and_kept() -> None:
    cfg = provision.with_access_point(settings.defaults())
    assert re.fullmatch("[2-9a-hj-km-np-z]{12}", cfg["wifi"]["ap_key"])
    assert provision.with_access_point(cfg)["wifi"]["ap_key"] == cfg["wifi"]["ap_key"]
    assert provision.new_key() != provision.new_key()


def test_the_label_says_how_to_join() -> None:
    label = Label('a "b" <c>', "se;mi\\co:lon", 'k,"ey<1>', "192.168.4.1")
    assert label.uri == 'WIFI:T:WPA;S:se\\;mi\\\\co\\:lon;P:k\\,\\"ey<1>;;'
    assert Label("x", "open one", "", "192.168.4.1").uri == "WIFI:T:nopass;S:open one;;"
    text = label.text()
    assert "http://192.168.4.1/" in text and "\u2580" in text
    texts = [element.text for element in ElementTree.fromstring(label.svg()).iter() if element.tag.endswith("}text")]
    assert texts[0] == 'a "b" <c>' and texts[2] == 'key   k,"ey<1>'


def test_questions_are_asked_again_until_the_answer_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["kitchen", "home", "short", "long enough", "10.0.0.1:1884", "", "", "dht22", "D2"])
    secret = []
    monkeypatch.setattr(
        Console,
        "input",
        lambda self, prompt="", *, password=False, stream=None: (secret.append(password), next(answers))[1],
    )
    out = io.StringIO()
    pairs = questions.ask(Console(file=out, width=120), settings.defaults())
    assert dict(pairs)["wifi.networks.0.key"] == "long enough"
    assert secret == [False, False, True, True, False, False, True, False, False]
    assert "8 to 63 characters" in out.getvalue()
    cfg, faults = provision.merged(settings.defaults(), pairs)
    assert not faults and cfg["mqtt"]["brokers"][0] == {"host": "10.0.0.1", "port": 1884, "tls": False}
    assert cfg["sensors"] == [{"type": "dht22", "pin": "D2"}]


def test_what_is_known_is_offered_and_stays_unless_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [
        ("device.name", "kitchen"),
        ("wifi.networks.0.ssid", "home"),
        ("wifi.networks.0.key", "very secret"),
        ("mqtt.brokers.0.host", "10.0.0.1:1884"),
        ("mqtt.user", "u"),
    ]
    base, faults = provision.merged(settings.defaults(), known)
    assert not faults

    def after(*answers: str) -> tuple[dict[str, Any], str]:
        left, said = iter(answers), io.StringIO()
        monkeypatch.setattr(
            Console, "input", lambda self, prompt="", **_: (said.write(str(prompt) + "\n"), next(left))[1]
        )
        cfg, faults = provision.merged(base, questions.ask(Console(file=said), base))
        assert not faults
        return cfg, said.getvalue()

    cfg, said = after("", "", "", "", "", "", "")
    assert cfg == base
    assert "[kitchen]" in said and "[********]" in said and "very secret" not in said
    cfg, _ = after("", "", "", "10.0.0.2", "-", "", "adc")
    assert cfg["mqtt"]["brokers"] == [{"host": "10.0.0.2", "port": 1884, "tls": False}] and "user" not in cfg["mqtt"]
    cfg, _ = after("", "guests", "", "", "", "", "")
    assert cfg["wifi"]["networks"] == [{"ssid": "guests", "hidden": False}], "another network, another key"


def test_a_new_name_is_the_access_points_too() -> None:
    base = provision.with_access_point(provision.merged(settings.defaults(), [("device.name", "a")])[0])
    cfg = provision.with_access_point(provision.merged(base, [("device.name", "b")])[0], base)
    assert cfg["wifi"]["ap_ssid"] == "b" and cfg["wifi"]["ap_key"] == base["wifi"]["ap_key"]


def test_a_table_with_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufeffdevice.name;mqtt.brokers.0.host\r\na;10.0.0.1\r\n".encode())
    (row,) = provision.read_csv(path, settings.defaults())
    assert not row.faults and row.cfg["mqtt"]["brokers"][0]["host"] == "10.0.0.1"


def test_set_wants_name_and_value() -> None:
    with pytest.raises(ToolError, match="wanted NAME=VALUE"):
        provision.parse_assignments(["mqtt.keepalive"])


def test_a_board_gets_settings_and_gives_them_back_without_secrets(tmp_path: Path) -> None:
    image = factory_image(tmp_path / "flash.bin", {"main.py": b"print('node runs')\n"})
    quiet = Console(file=io.StringIO())
    with Board(image) as board:
        board.power_on()
        board.wait_for("node runs")
        mark = board.mark()
        pairs = [("device.name", "kitchen"), ("wifi.networks.0.ssid", "home"), ("wifi.networks.0.key", "very secret")]
        cfg = provision.provision_board(board.console_path, pairs, None, quiet)
        board.wait_for("node runs", since=mark)
        key = cfg["wifi"]["ap_key"]
        cfg = provision.provision_board(board.console_path, [("mqtt.keepalive", "90")], None, quiet)
        assert cfg["wifi"]["ap_key"] == key and cfg["wifi"]["networks"][0]["key"] == "very secret"
        with pytest.raises(ToolError, match=r"nothing was written:\nmqtt.keepalive: .*10 to 1200"):
            provision.provision_board(board.console_path, [("mqtt.keepalive", "1")], None, quiet)
        out = io.StringIO()
        provision.show_board(board.console_path, Console(file=out, width=200))
        assert "very secret" not in out.getvalue() and key not in out.getvalue()
        lines = dict(line.split(maxsplit=1) for line in out.getvalue().splitlines())
        assert lines["mqtt.keepalive"] == "90" and lines["wifi.networks.0.key"] == lines["wifi.ap_key"] == "********"
        assert "mqtt.qos" not in lines, "a default"
    on_board = files_on(image)
    assert on_board["settings.json"] == content(cfg)
    assert "settings.put" not in on_board
    assert json.loads(on_board["settings.json"])["device"] == {"name": "kitchen"}
