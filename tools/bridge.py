"""`python -m tools bridge PLATFORM ...`: a mosquitto configuration between the nodes and a cloud that takes TLS only.

The nodes speak plain MQTT (platform `plain`, base topic nodes/NAME) to a mosquitto in their own network; mosquitto
speaks TLS to the cloud and checks its certificate. docs/bridge.md says why, and how to run it. The output holds
secrets: it is written readable by its owner only.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from tools import identity as _lib_path  # noqa: F401  (puts lib/ on the path)

DEBIAN_CAS = "/etc/ssl/certs/ca-certificates.crt"
YEAR = 365 * 86400  # s


class BadBridge(ValueError):
    """A value that no bridge can be made of; the text names the option."""


class Kind(str, Enum):
    """Clouds that need a bridge."""

    aws = "aws"
    azure = "azure"
    hivemq = "hivemq"
    emqx = "emqx"


@dataclass
class Bridge:
    """What a bridge is made of. `device`: for Azure, the one node that it is for, as a bridge is one device there."""

    kind: Kind
    host: str
    port: int = 8883
    client_id: str = ""
    user: str = ""
    password: str = ""
    certificate: str = ""
    key: str = ""
    ca: str = DEBIAN_CAS
    device: str = ""
    prefix: str = "nodes"
    listen: str = "127.0.0.1"
    listen_port: int = 1883
    password_file: str = ""
    notes: list[str] = field(default_factory=list)


def check(b: Bridge) -> None:
    """Raise BadBridge if something is missing, or could break out of its line of the configuration."""
    for name, value in vars(b).items():
        if isinstance(value, str) and not isinstance(value, Enum) and re.search(r"[\x00-\x1f\x7f]", value):
            raise BadBridge(f"--{name.replace('_', '-')}: control characters in it")
    for name in ("host", "prefix", "device", "client_id"):
        if re.search(r"[\s+#\"']", getattr(b, name)):
            raise BadBridge(f"--{name.replace('_', '-')}: blanks, quotes, + or # in it")
    wanted = {
        Kind.aws: ("host", "client_id", "certificate", "key"),
        Kind.azure: ("host", "device", "password"),
        Kind.hivemq: ("host", "user", "password"),
        Kind.emqx: ("host", "user", "password"),
    }[b.kind]
    for name in wanted:
        if not getattr(b, name):
            raise BadBridge(f"--{name.replace('_', '-')}: wanted for {b.kind.value}")
    if b.listen not in ("127.0.0.1", "localhost", "::1") and not b.password_file:
        raise BadBridge("--password-file: wanted when the listener is open to the network (mosquitto_passwd makes one)")


def azure_identity(b: Bridge, now: int, life: int = YEAR) -> None:
    """Client id, user and token of the device; `b.password` is its key before and the token after."""
    import cloud

    settings = {"platform": "azure", "product": b.host, "device": b.device, "secret": b.password, "expiry": life}
    try:
        b.client_id, b.user, b.password = cloud.create(settings, {}, {"id": b.device}).credentials(now)
    except ValueError as e:
        raise BadBridge(str(e)) from e
    end = time.strftime("%Y-%m-%d", time.gmtime(now + life))
    b.notes.append(f"The token in remote_password ends on {end}: make this file again before.")


def topics(b: Bridge) -> list[str]:
    """The `topic` lines: what goes up, what comes down, and under which name."""
    base = f"{b.prefix}/"
    if b.kind is Kind.azure:
        local, remote = f"{base}{b.device}/", f"devices/{b.device}/messages/"
        return [
            f'topic "" out 1 {local}telemetry {remote}events/',
            f"topic # in 1 {local}cmd/ {remote}devicebound/",
        ]
    up = ("telemetry", "status", "info", "reply")
    return [f"topic +/{name} out 1 {base} {base}" for name in up] + [
        f"topic +/cmd in 1 {base} {base}",
        f"topic +/cmd/+ in 1 {base} {base}",
    ]


def configuration(b: Bridge) -> str:
    """The text of mosquitto.conf (mosquitto 2.0)."""
    check(b)
    found = [
        f"# mosquitto: the nodes of this network to {b.kind.value}, made by `python -m tools bridge`. Holds secrets.",
        *[f"# {note}" for note in b.notes],
        "",
        "# The nodes come here, without TLS. Open it to the nodes' network only.",
        f"listener {b.listen_port} {b.listen}",
        f"allow_anonymous {'false' if b.password_file else 'true'}",
    ]
    if b.password_file:
        found.append(f"password_file {b.password_file}")
    found += [
        "set_tcp_nodelay true",
        "",
        f"connection {b.kind.value}",
        f"address {b.host}:{b.port}",
        f"remote_clientid {b.client_id or b.kind.value + '-bridge'}",
    ]
    if b.user:
        found.append(f"remote_username {b.user}")
    if b.password:
        found.append(f"remote_password {b.password}")
    found += [
        "",
        "# TLS: the cloud must show a certificate for its host name, signed by one of these.",
        f"bridge_cafile {b.ca}",
        "bridge_insecure false",
        "bridge_tls_version tlsv1.2",
    ]
    if b.certificate:
        found += [f"bridge_certfile {b.certificate}", f"bridge_keyfile {b.key}"]
    found += [
        "",
        "# No mosquitto-only extensions: the clouds close the connection on them.",
        "bridge_protocol_version mqttv311",
        "try_private false",
        "notifications false",
        "bridge_attempt_unsubscribe false",
        "cleansession true",
        f"bridge_outgoing_retain {'false' if b.kind is Kind.azure else 'true'}",
        "keepalive_interval 60",
        "start_type automatic",
        "restart_timeout 5 60",
        "",
        *topics(b),
    ]
    return "\n".join(found) + "\n"


def command(
    kind: Annotated[Kind, typer.Argument(metavar="PLATFORM", help="aws, azure, hivemq or emqx")],
    host: Annotated[str, typer.Option(help="the cloud's host name, as its console shows it")],
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("mosquitto-bridge.conf"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8883,
    client_id: Annotated[str, typer.Option(help="of the bridge; AWS: what its policy allows")] = "",
    user: Annotated[str, typer.Option(help="HiveMQ, EMQX")] = "",
    password: Annotated[str, typer.Option(envvar="BRIDGE_PASSWORD", help="HiveMQ, EMQX; Azure: the device key")] = "",
    certificate: Annotated[str, typer.Option(help="AWS: device certificate, PEM file")] = "",
    key: Annotated[str, typer.Option(help="AWS: its key, PEM file")] = "",
    ca: Annotated[str, typer.Option(help="trusted authorities, PEM file")] = DEBIAN_CAS,
    device: Annotated[str, typer.Option(help="Azure: device id, and name of the node")] = "",
    prefix: Annotated[str, typer.Option(help="the nodes' base topics are PREFIX/NAME")] = "nodes",
    listen: Annotated[str, typer.Option(help="this machine's address in the nodes' network")] = "127.0.0.1",
    listen_port: Annotated[int, typer.Option(min=1, max=65535)] = 1883,
    password_file: Annotated[str, typer.Option(help="the nodes' users, made with mosquitto_passwd")] = "",
) -> None:
    """Write a mosquitto configuration that carries the nodes' messages to a cloud that takes TLS only."""
    b = Bridge(kind, host, port, client_id, user, password, certificate, key, ca, device, prefix)
    b.listen, b.listen_port, b.password_file = listen, listen_port, password_file
    try:
        check(b)
        if kind is Kind.azure:
            azure_identity(b, int(time.time()))
        text = configuration(b)
    except BadBridge as e:
        typer.echo(str(e), err=True)
        raise typer.Exit(1) from e
    out.unlink(missing_ok=True)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    typer.echo(f"{out}: start it with `mosquitto -c {out}`")
    typer.echo(f"nodes: platform plain, broker {listen}:{listen_port}, base topic {prefix}/{device or 'NAME'}")
    for note in b.notes:
        typer.echo(note)


if __name__ == "__main__":
    typer.run(command)
