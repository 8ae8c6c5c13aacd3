"""The constants of lib/settings/stamp.py are what the table in schema.py says."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lib"))

import settings
from settings import rules, schema, stamp


def defaults() -> str:
    return json.dumps(settings.defaults())


def entries() -> str:
    """Defaults of an entry by the name of its list."""
    found = {}
    for section in schema.sections():
        for field in schema.fields(section):
            if field.kind == "list":
                item = {}
                for inner in schema.fields(field.item):
                    if not inner.optional and not inner.must:
                        item[inner.name] = inner.default
                found[field.name or section] = item
    return json.dumps(found)


def test_constants() -> None:
    table = hashlib.sha256(f"{schema.VERSION}\n{schema.TABLE}".encode()).hexdigest()[:8]
    wanted = (table, defaults(), entries())
    assert wanted == (stamp.TABLE, stamp.DEFAULTS, stamp.ENTRIES), "stamp.py needs:\n" + "\n".join(wanted)


def test_names_of_lists_are_distinct_from_each_other_and_from_fields() -> None:
    """whole() finds lists by their name alone."""
    lists = [f.name or s for s in schema.sections() for f in schema.fields(s) if f.kind == "list"]
    others = [f.name for s in schema.sections() for f in schema.fields(s) if f.kind != "list"]
    assert len(set(lists)) == len(lists)
    assert not set(lists) & set(others)


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
