"""`bridge`: the text of the mosquitto configuration."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tools.bridge import BadBridge, Bridge, Kind, azure_identity, command, configuration

GOOD: dict[Kind, dict[str, Any]] = {
    Kind.aws: {
        "host": "x-ats.iot.eu-west-1.amazonaws.com",
        "client_id": "bridge",
        "certificate": "c.pem",
        "key": "k.pem",
    },
    Kind.azure: {"host": "hub.azure-devices.net", "device": "n1", "password": "AAECAwQFBgcICQoLDA0ODw=="},
    Kind.hivemq: {"host": "x.s1.eu.hivemq.cloud", "user": "u", "password": "pass word"},
    Kind.emqx: {"host": "x.emqxsl.com", "user": "u", "password": "p"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_always_checks_the_certificate(kind: Kind) -> None:
    lines = configuration(Bridge(kind, **GOOD[kind])).splitlines()
    assert "bridge_insecure false" in lines and "try_private false" in lines and "notifications false" in lines
    assert any(line.startswith("bridge_cafile /") for line in lines)
    assert f"address {GOOD[kind]['host']}:8883" in lines


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_missing_is_named(kind: Kind) -> None:
    for name in GOOD[kind]:
        with pytest.raises(BadBridge, match="--" + name.replace("_", "-")):
            configuration(Bridge(kind, **{**GOOD[kind], name: ""}))


def test_nothing_can_break_out_of_its_line() -> None:
    for name, value in {
        "host": "h\nallow_anonymous true",
        "password": "p\nbridge_insecure true",
        "prefix": "a b",
        "user": "u\r",
        "ca": "/x\n",
    }.items():
        with pytest.raises(BadBridge, match="--" + name):
            configuration(Bridge(Kind.hivemq, **{**GOOD[Kind.hivemq], name: value}))


def test_an_open_listener_wants_passwords() -> None:
    with pytest.raises(BadBridge, match="password-file"):
        configuration(Bridge(Kind.emqx, **GOOD[Kind.emqx], listen="192.168.1.10"))
    text = configuration(Bridge(Kind.emqx, **GOOD[Kind.emqx], listen="192.168.1.10", password_file="/etc/p"))
    assert "allow_anonymous false" in text and "password_file /etc/p" in text


def test_azure_presents_a_device() -> None:
    b = Bridge(Kind.azure, **GOOD[Kind.azure])
    azure_identity(b, 1900000000 - 3600, 3600)
    text = configuration(b)
    assert "remote_clientid n1\n" in text
    assert "remote_username hub.azure-devices.net/n1/?api-version=2021-04-12\n" in text
    assert "remote_password SharedAccessSignature sr=hub.azure-devices.net%2Fdevices%2Fn1&sig=" in text
    assert 'topic "" out 1 nodes/n1/telemetry devices/n1/messages/events/\n' in text
    assert "2030-03-17" in text


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    out = tmp_path / "bridge.conf"
    out.write_text("old")
    options = ["emqx", "--host", "x.emqxsl.com", "--user", "u", "--out", str(out)]
    done = CliRunner().invoke(app, options, env={"BRIDGE_PASSWORD": "hush-hush"})
    assert done.exit_code == 0 and "hush-hush" not in done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "remote_password hush-hush" in out.read_text()
    assert CliRunner().invoke(app, [*options[:-2], "--password", ""]).exit_code == 1
