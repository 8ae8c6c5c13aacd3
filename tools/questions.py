"""What `make provision` asks a person at a terminal, each question again until the node's own rules accept the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.prompt import Prompt
from rich.text import Text

from tools.settings_file import settings

NONE = "-"  # the answer that takes a setting away
SSID, KEY = "wifi.networks.0.ssid", "wifi.networks.0.key"
SENSOR, PIN = "sensors.0.type", "sensors.0.pin"
WITH_PIN = ("dht22", "ds18b20", "digital", "counter")
# name, question, is it secret
QUESTIONS = (
    ("device.name", "name of the node", False),
    (SSID, "WiFi network (SSID)", False),
    (KEY, "its key", True),
    ("mqtt.brokers.0.host", "MQTT broker, host or host:port", False),
    ("mqtt.user", "user at the broker", False),
    ("mqtt.password", "password at the broker", True),
    (SENSOR, "first sensor (docs/sensors.md)", False),
    (PIN, "its pin, as D2 or GPIO number", False),
)

Pairs = list[tuple[str, str]]


def ask(console: Console, base: Mapping[str, Any]) -> Pairs:
    """Put the questions; what `base` has is offered. Returns what changes, as (dotted name, text)."""
    answers: Pairs = []
    console.print(f"An empty answer leaves a setting as it is, {NONE} takes it away.")
    for name, question, secret in QUESTIONS:
        known = value(base, name)
        if name == PIN and dict(answers).get(SENSOR) not in WITH_PIN:
            continue
        if name == KEY and dict(answers).get(SSID, value(base, SSID)) != value(base, SSID):
            answers.append((KEY, ""))  # the key that is known is another network's
            known = ""
        shown = f" [{'********' if secret else known}]" if known else ""
        while answer := Prompt.ask(
            Text(question + shown), console=console, password=secret, default="", show_default=False
        ):
            pairs = with_port([(name, "" if answer == NONE else answer)])
            _, faults = settings.from_text(pairs)
            if not faults:
                answers += pairs
                break
            console.print(Text(faults[0], style="red"), soft_wrap=True)
    return answers


def value(cfg: Mapping[str, Any], name: str) -> str:
    """The setting of that dotted name as text, "" if there is none."""
    at: Any = cfg
    for step in name.split("."):
        try:
            at = at[int(step)] if isinstance(at, list) else at[step]
        except (KeyError, IndexError, ValueError):
            return ""
    return "" if at is None else str(at)


def with_port(pairs: Pairs) -> Pairs:
    """`…host` = `name:port` becomes two settings."""
    found: Pairs = []
    for name, text in pairs:
        host, colon, port = text.rpartition(":")
        if name.startswith("mqtt.brokers.") and name.endswith(".host") and colon and port.isdigit() and ":" not in host:
            found += [(name, host), (name.removesuffix("host") + "port", port)]
        else:
            found.append((name, text))
    return found
