"""`python -m tools identity SETTINGS.json`: what the node will present to its broker, and say there.

With these values a user can try the same connection with another MQTT client. Works from the settings alone: nothing is
connected to. Secrets are hidden unless asked for.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "lib") not in sys.path:
    sys.path.insert(0, str(ROOT / "lib"))

HIDDEN = "********"
SAMPLE = [("temperature", 23.5, "°C", 1)]
AXTLS = (
    "The ESP8266 cannot check certificates, and has no ECDHE: many clouds refuse it. docs/bridge.md has the way round."
)
CLEAR = "Without TLS everything, the password too, can be read on the way."


class BadSettings(ValueError):
    """Settings that no identity can be made of; each argument is one line on what is wrong."""


def identity(raw: dict[str, Any], device_id: str, now: int | None = None, show_secrets: bool = False) -> dict[str, Any]:
    """The identity as a JSON-able dict. `raw`: the settings file's content; `now`: Unix time for tokens that end.

    Raises BadSettings with all faults.
    """
    import cloud
    import settings

    cfg, faults = settings.validate(raw)
    if faults:
        raise BadSettings(*faults)
    device = {"id": device_id, "name": cfg["device"].get("name") or device_id}
    try:
        platform = cloud.create(cfg["cloud"], cfg["mqtt"], device)
        client_id, user, password = platform.credentials(int(time.time()) if now is None else now)
    except ValueError as e:
        raise BadSettings(str(e)) from e
    secret_user = cfg["cloud"].get("platform") == "thingsboard"  # there the user name is the access token
    names = tuple(entry["name"] for entry in cfg.get("outputs", []))
    report = platform.report(SAMPLE)
    will = platform.will()
    host, port, tls = platform.brokers[0]
    return {
        "platform": platform.kind,
        "host": host,
        "port": port,
        "tls": tls,
        "other_brokers": [{"host": h, "port": p, "tls": t} for h, p, t in platform.brokers[1:]],
        "client_id": client_id,
        "user": HIDDEN if secret_user and user and not show_secrets else user,
        "password": HIDDEN if password and not show_secrets else password,
        "token_renewed": None if platform.renew_at is None else platform.renew_at,
        "client_certificate": getattr(platform, "cert", None),
        "keepalive": platform.keepalive,
        "clean_session": platform.clean_only or cfg["mqtt"].get("clean_session", True),
        "will": {"topic": will[0], "payload": will[1], "retain": will[3]} if will else None,
        "qos": platform.qos,
        "retain": platform.retain,
        "seconds_between_publishes": platform.publish_interval / 1000,
        "publishes": [{"topic": t, "example": p if isinstance(p, str) else p.hex()} for t, p, _ in report],
        "subscribes": [topic for topic, _ in platform.subscriptions(names, ("restart",))],
        "notes": [AXTLS] if tls else [CLEAR],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The identity for people."""
    text = [f"{'broker':<18}{found['host']}:{found['port']}{' with TLS' if found['tls'] else ''}"]
    text += [f"{'or':<18}{b['host']}:{b['port']}{' with TLS' if b['tls'] else ''}" for b in found["other_brokers"]]
    for name in ("platform", "client_id", "user", "password", "client_certificate"):
        text.append(f"{name.replace('_', ' '):<18}{'-' if found[name] is None else found[name]}")
    if found["token_renewed"]:
        text.append(
            f"{'token renewed':<18}{time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(found['token_renewed']))}"
        )
    text.append(f"{'keepalive':<18}{found['keepalive']} s")
    text.append(f"{'session':<18}{'clean' if found['clean_session'] else 'kept'}")
    will = found["will"]
    text.append(f"{'will':<18}{will['topic'] + ' ' + will['payload'] if will else 'none'}")
    for message in found["publishes"]:
        text.append(f"{'publishes':<18}{message['topic']}  {message['example']}  (QoS {found['qos']})")
    text += [f"{'subscribes':<18}{topic}" for topic in found["subscribes"]]
    return [*text, "", *found["notes"]]


def command(
    file: Annotated[Path, typer.Argument(metavar="SETTINGS.json", help="the node's settings")],
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="passwords and tokens too")] = False,
    device_id: Annotated[str, typer.Option("--id", help="the node's own name, as its console says it")] = "node-000000",
) -> None:
    """Show what the node will present to its broker: host, port, TLS, client id, user, password, topics."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        found = identity(raw, device_id, show_secrets=show_secrets)
    except OSError as e:
        typer.echo(f"{file}: {e.strerror}", err=True)
        raise typer.Exit(1) from e
    except BadSettings as e:
        for fault in e.args:
            typer.echo(f"{file}: {fault}", err=True)
        raise typer.Exit(1) from e
    except ValueError as e:  # not JSON, or not UTF-8
        typer.echo(f"{file}: not JSON: {e}", err=True)
        raise typer.Exit(1) from e
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(lines(found)))


if __name__ == "__main__":
    typer.run(command)
