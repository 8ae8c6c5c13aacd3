"""The constants of lib/settings/stamp.py and initial.py are what the table in schema.py says."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lib"))

from settings import initial, rules, schema, stamp


def default_lines() -> str:
    """What initial.py should say, a line a section or item."""
    lines = [""]
    for section in schema.sections():
        whole = schema.find(section)
        lines.append(f"{section} {json.dumps([] if whole else made_of_fields(section))}")
    lines.append("")
    lines += [f"{item} {json.dumps(made_of_fields(item))}" for item in schema.sections(items=True)]
    return "\n".join(lines) + "\n"


def made_of_fields(section: str) -> dict:
    return {f.name: f.default for f in schema.fields(section) if not f.optional and not f.must}


def test_constants() -> None:
    table = hashlib.sha256(f"{schema.VERSION}\n{schema.TABLE}".encode()).hexdigest()[:8]
    assert table == stamp.TABLE, f"stamp.py needs: {table}"
    assert default_lines() == initial.TEXT, f"initial.py needs:\n{default_lines()}"
    assert list(initial.sections()) == list(schema.sections())
    kinds = [*schema.sections(), *schema.sections(items=True)]
    secrets = [f"{kind}.{f.name}" for kind in kinds for f in schema.fields(kind) if f.secret]
    assert sorted(initial.SECRETS.split()) == sorted(secrets)


def test_lists_are_the_plural_of_their_entries_and_named_once() -> None:
    """whole() and redact() know a list's entries by its name alone."""
    lists = [(f.name or s, f.item) for s in schema.sections() for f in schema.fields(s) if f.kind == "list"]
    others = [f.name for s in schema.sections() for f in schema.fields(s) if f.kind != "list"]
    assert lists and all(name == item + "s" for name, item in lists)
    assert not {name for name, _ in lists} & set(others)


def test_whole_of_a_table_of_lists_is_what_the_rules_make() -> None:
    raw = {
        "wifi": {"networks": [{"ssid": "a"}, {"ssid": "b", "hidden": True}]},
        "mqtt": {"brokers": [{"host": "h"}, {"host": "i", "tls": True, "port": 8883}]},
        "sensors": [{"type": "sim", "filters": {"*": {"delta": 1}}}],
        "outputs": [{"name": "relay", "pin": 5}],
    }
    clean, faults = rules.validate(raw)
    assert faults == []
    assert stamp.whole(raw) == clean
