"""`make provision`: settings for one board or for many, checked by the node's own rules before anything is written.

Each node gets a key for its own access point, and a label with its QR code to stick on it. One board: over the serial
port, on top of what it has. Many: a folder for each row of a CSV file, for `make flash ALL=1 SETTINGS=…`.
"""

from __future__ import annotations

import csv
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from tools import onboard
from tools.deploy import verify
from tools.errors import ToolError
from tools.label import Label
from tools.questions import ask, with_port
from tools.settings_file import settings
from tools.user_settings import content
from tools.wire import Wire

KEY_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like something else
KEY_LENGTH = 12  # 59 bits
PRIVATE = 0o600


@dataclass(frozen=True)
class Row:
    """A node of a CSV file: its settings, or what is wrong with them."""

    line: int
    name: str
    cfg: dict[str, Any]
    faults: tuple[str, ...]


def new_key() -> str:
    """A key for a node's access point."""
    return "".join(secrets.choice(KEY_SIGNS) for _ in range(KEY_LENGTH))


def with_access_point(cfg: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings with a key of its own for the access point, and its name, which the label shows.

    before: if the node's name has changed since, and the access point bore it, that changes too.
    """
    wifi = dict(cfg["wifi"])
    if (
        before
        and wifi.get("ap_ssid")
        and wifi["ap_ssid"] == before["wifi"].get("ap_ssid") == before["device"].get("name")
    ):
        del wifi["ap_ssid"]
    if not wifi["ap_open"]:
        wifi["ap_key"] = wifi.get("ap_key") or new_key()
    wifi["ap_ssid"] = wifi.get("ap_ssid") or cfg["device"].get("name") or "node"
    return {**cfg, "wifi": wifi}


def merged(base: Mapping[str, Any], pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], list[str]]:
    """`base` with `(dotted name, text)` on top, and the faults."""
    changes, faults = settings.from_text(with_port(list(pairs)))
    if faults:
        return dict(base), faults
    for section, change in changes.items():
        if isinstance(change, list):
            changes[section] = _overlaid(base.get(section) or [], change)
        else:
            for name, value in change.items():
                if isinstance(value, list):
                    change[name] = _overlaid(base[section].get(name) or [], value)
    cfg, faults = settings.patch(dict(base), changes)
    return cfg, faults


def _overlaid(old: list[Any], new: list[Any]) -> list[Any]:
    """Items of a list with what is new on top of each; one of another type is new as a whole."""
    found = []
    for i in range(max(len(old), len(new))):
        item, was = new[i] if i < len(new) else {}, old[i] if i < len(old) else {}
        if isinstance(item, dict) and isinstance(was, dict) and item.get("type", was.get("type")) == was.get("type"):
            item = {key: value for key, value in {**was, **item}.items() if value is not None}
        found.append(item)
    return found


def parse_assignments(texts: Iterable[str]) -> list[tuple[str, str]]:
    """`name=value` of the command line. Raises ToolError."""
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ToolError(f"--set {text}: wanted NAME=VALUE, such as mqtt.keepalive=120")
        pairs.append((name.strip(), value))
    return pairs


# -- many nodes


def read_csv(path: Path, base: Mapping[str, Any]) -> list[Row]:
    """The rows; the heading has dotted names, empty cells leave a setting as it is. Raises ToolError for the file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(
                file, delimiter=";" if first.count(";") > first.count(",") else ","
            )  # as Excel writes it
            heading = [name.strip() for name in next(reader, [])]
            if "device.name" not in heading:
                raise ToolError(f"{path}: the first line must name the columns, device.name among them")
            lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ToolError(f"{path} cannot be read: {error}") from error
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
        rows.append(_row(line, heading, cells, base, seen))
    return rows


def _row(line: int, heading: list[str], cells: list[str], base: Mapping[str, Any], seen: dict[str, int]) -> Row:
    pairs = [(name, cell) for name, cell in zip(heading, cells, strict=False) if cell != ""]
    name = dict(pairs).get("device.name", "")
    faults: list[str] = []
    if len(cells) > len(heading):
        faults.append(f"{len(cells)} cells, the heading has {len(heading)}")
    if not name:
        faults.append("device.name: missing")
    elif name in seen:
        faults.append(f"device.name: {name} is in line {seen[name]} already")
    elif folder_name(name) != name:
        faults.append(f"device.name: {name} cannot be the name of a folder")
    cfg, more = merged(base, pairs)
    seen.setdefault(name, line)
    return Row(line, name, cfg, tuple(faults + more))


def provision_csv(path: Path, out: Path, base: Mapping[str, Any], console: Console) -> list[Row]:
    """A folder in `out` for each good row; returns the bad ones, for which nothing is written."""
    rows = read_csv(path, base)
    good = [row for row in rows if not row.faults]
    for row in good:
        write_folder(out / row.name, with_access_point(row.cfg))
    for row in rows:
        for fault in row.faults:
            console.print(Text(f"{path.name}, line {row.line}: {fault}", style="red"), soft_wrap=True)
    console.print(f"{len(good)} nodes written to {out}, {len(rows) - len(good)} rows refused", soft_wrap=True)
    return [row for row in rows if row.faults]


def folder_name(name: str) -> str:
    """The name of a node as that of a folder: it cannot lead elsewhere, and Windows takes it."""
    return re.sub(r'[/\\:*?"<>|\x00-\x1f]|^\.+', "_", name)


def write_folder(folder: Path, cfg: Mapping[str, Any]) -> Label:
    """settings.json, label.txt and label.svg, for the owner's eyes only."""
    label = Label.of(cfg)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (
        ("settings.json", content(dict(cfg))),
        ("label.txt", label.text().encode()),
        ("label.svg", label.svg().encode()),
    ):
        target = folder / name
        target.touch(PRIVATE)
        target.chmod(PRIVATE)
        target.write_bytes(data)
    return label


# -- one board


def read_board(wire: Wire) -> dict[str, Any]:
    """The settings on the board, defaults if it has none. The board must listen. Raises ToolError."""
    text = wire.run("try:\n print(open('/settings.json').read(),end='')\nexcept OSError:pass")
    if not text.strip():
        return dict(settings.defaults())
    try:
        clean, faults = settings.validate(settings.parse_json(text.encode()))
    except ValueError as error:
        raise ToolError(f"the settings on the board are damaged: {error}\nStart afresh: FRESH=1.") from error
    if faults:
        raise ToolError("the settings on the board have faults; start afresh with FRESH=1:\n" + "\n".join(faults))
    return dict(clean)


def provision_board(
    port: str, pairs: list[tuple[str, str]], base: Mapping[str, Any] | None, console: Console, questions: bool = False
) -> dict[str, Any]:
    """Write `pairs` on top of `base`, or of what the board has; returns the settings. Nothing is written with a fault.

    questions: a person is asked for the rest, while the node is out.
    """
    with Wire(port) as wire:
        wire.take(console)
        wire.restart(onboard.STAY, console)
        try:
            before = read_board(wire) if base is None else base
            cfg, faults = merged(before, [*pairs, *ask(console, before)] if questions else pairs)
            if faults:
                raise ToolError("nothing was written:\n" + "\n".join(faults))
            cfg = with_access_point(cfg, before)
            data = content(cfg)
            wire.run(onboard.TOOLS)
            wire.put("/settings.put", data, lambda _: None)
            verify(wire, "/settings.put", data)
            wire.run("os.rename('/settings.put','/settings.json')")
        finally:
            wire.leave(onboard.RESTART)
    return cfg


def show_board(port: str, console: Console) -> None:
    """Read the settings back; secrets are not shown. The node restarts."""
    with Wire(port) as wire:
        wire.take(console)
        wire.restart(onboard.STAY, console)
        try:
            show(read_board(wire), console)
        finally:
            wire.leave(onboard.RESTART)


def show(cfg: Mapping[str, Any], console: Console) -> None:
    """What differs from the defaults, a line each, under the names that --set and a CSV file use; secrets as stars."""
    plain = dict(_flat("", settings.defaults()))
    found = [(name, text) for name, text in _flat("", settings.redact(dict(cfg))) if plain.get(name) != text]
    width = max((len(name) for name, _ in found), default=0)
    for name, text in found:
        console.print(Text(f"{name:<{width}}  {text}"), soft_wrap=True)
    if not found:
        console.print("all settings have their defaults")


def _flat(name: str, at: object) -> Iterator[tuple[str, str]]:
    """Dotted names and values as text."""
    if isinstance(at, dict | list):
        for key, inner in at.items() if isinstance(at, dict) else enumerate(at):
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    elif at is not None:
        yield name, at if isinstance(at, str) else json.dumps(at)
