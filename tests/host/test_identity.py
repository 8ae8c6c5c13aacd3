"""`identity`: what the node will present, from a settings file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tools.identity import HIDDEN, BadSettings, command, identity

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "config").glob("*.json"))
SECRET = "AAECAwQFBgcICQoLDA0ODw=="
ALIYUN = {"platform": "aliyun", "product": "a1Zb0cDeFgH", "device": "esp8266-01", "secret": "0123456789abcdef"}
CLOUDS: dict[str, dict[str, Any]] = {
    "plain": {"mqtt": {"brokers": [{"host": "broker.lan"}], "user": "u", "password": "hush-hush"}},
    "aliyun": {"cloud": ALIYUN},
    "tencent": {"cloud": {"platform": "tencent", "product": "ABCDE12345", "device": "d", "secret": SECRET}},
    "onenet": {"cloud": {"platform": "onenet", "product": "123", "device": "d", "secret": SECRET}},
    "azure": {"cloud": {"platform": "azure", "product": "hub", "device": "d", "secret": SECRET}},
    "thingsboard": {"cloud": {"platform": "thingsboard", "secret": "hush-hush"}},
    "adafruitio": {"cloud": {"platform": "adafruitio", "secret": "hush-hush"}, "mqtt": {"user": "alice"}},
    "thingspeak": {
        "cloud": {"platform": "thingspeak", "product": "9"},
        "mqtt": {"client_id": "c", "user": "u", "password": "hush-hush"},
    },
    "aws": {"cloud": {"platform": "aws", "device": "t"}, "mqtt": {"brokers": [{"host": "x.amazonaws.com"}]}},
}


def run(tmp_path: Path, content: str | dict[str, Any], *options: str) -> tuple[int, str]:
    file = tmp_path / "settings.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [str(file), *options])
    return done.exit_code, done.output


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_in_config_makes_an_identity(path: Path) -> None:
    """So its placeholders have the shape of the real values, and only those have to be typed."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if path.stem == "default":
        with pytest.raises(BadSettings, match=r"mqtt\.brokers"):
            identity(raw, "esp-1")
        return
    found = identity(raw, "esp-1", 1700000000)
    assert found["host"] and found["publishes"]
    assert found["tls"] == (path.stem in ("aws", "azure", "emqx", "hivemq")), "those take TLS only"
    assert not found["tls"] or not re.fullmatch(r"[\d.]+", found["host"]), "a cloud's host, not a bridge"


@pytest.mark.parametrize("name", CLOUDS)
def test_secrets_are_hidden_unless_asked_for(name: str) -> None:
    found = identity(CLOUDS[name], "esp-1", 1700000000)
    shown = identity(CLOUDS[name], "esp-1", 1700000000, show_secrets=True)
    assert found["host"] and found["port"] and found["client_id"]
    text = json.dumps(found)
    for secret in ("hush-hush", SECRET, "0123456789abcdef"):
        assert secret not in text
    if shown["password"]:
        assert found["password"] == HIDDEN and shown["password"] not in text
    if name == "thingsboard":
        assert found["user"] == HIDDEN and shown["user"] == "hush-hush"
    if name == "thingspeak":
        assert found["subscribes"] == [] and found["will"] is None
    assert found["publishes"][0]["topic"]


def test_as_the_worked_example(tmp_path: Path) -> None:
    settings = {"cloud": dict(ALIYUN, secret="0123456789abcdef0123456789abcdef", method="hmacsha1")}
    code, output = run(tmp_path, settings, "--json", "--show-secrets")
    found = json.loads(output)
    assert code == 0
    assert found["client_id"] == "esp8266-01|securemode=3,signmethod=hmacsha1|"
    assert found["user"] == "esp8266-01&a1Zb0cDeFgH"
    assert found["password"] == "e225cb39d106779aeae68fa8781aa9f145cc6330"
    assert (found["host"], found["port"], found["tls"]) == (
        "a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com",
        1883,
        False,
    )


def test_for_people(tmp_path: Path) -> None:
    code, output = run(tmp_path, CLOUDS["plain"], "--id", "esp-abc")
    assert code == 0
    assert "broker.lan:1883" in output and "node/esp-abc/telemetry" in output and HIDDEN in output
    assert "hush-hush" not in output and "Without TLS" in output


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "not JSON"),
        ('{"mqtt": {"keepalive": 1}}', "mqtt.keepalive"),
        ('{"cloud": {"platform": "aliyun", "product": "a/b", "device": "d", "secret": "s"}}', "cloud.product"),
        ('{"mqtt": {"brokers": []}}', "mqtt.brokers"),
    ],
)
def test_faults_are_said_in_a_line(content: str, word: str, tmp_path: Path) -> None:
    code, output = run(tmp_path, content)
    assert code == 1 and word in output and "Traceback" not in output


def test_a_missing_file(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [str(tmp_path / "none.json")])
    assert done.exit_code == 1 and "No such file" in done.output


def test_the_clock_is_used_for_tokens() -> None:
    settings = {"cloud": dict(CLOUDS["azure"]["cloud"], expiry=3600)}
    assert "se=1700003600" in identity(settings, "x", 1700000000, show_secrets=True)["password"]
    with pytest.raises(BadSettings):
        identity({"cloud": {"platform": "nonsense"}}, "x")
