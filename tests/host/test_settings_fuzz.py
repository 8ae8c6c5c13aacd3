"""Anything at all as a settings file or change: never an exception, and what is JSON reads as Python reads it."""

from __future__ import annotations

import json
from unicodedata import category

import settings
from hypothesis import given
from hypothesis import strategies as st
from settings import judge, migrate, reader, rules

ATOMS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = TEXTS | st.sampled_from(["ssid", "key", "type", "pin", "host", "port", "networks", "brokers", "qos", "name"])
VALUES = st.recursive(
    ATOMS | TEXTS, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEYS, v, max_size=4), max_leaves=8
)
OBJECTS = st.dictionaries(st.sampled_from([*settings.sections(), "schema", "x"]), VALUES, max_size=4)


def depth(value: object) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inside), default=-1)


@given(VALUES, st.booleans())
def test_reads_what_python_writes(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        found = reader.parse_json(text.encode())
    except reader.Malformed as e:
        assert depth(value) > 6 or "digits" in e.args[0]
        return
    assert found == value


@given(st.binary(max_size=200) | st.text('{}[]",:\\ue+-.0123456789 truefalsn\n', max_size=60).map(str.encode))
def test_accepts_nothing_that_python_refuses(data: bytes) -> None:
    try:
        found = reader.parse_json(data)
    except reader.Malformed as e:
        assert "\n" not in e.args[0]
        return
    assert json.loads(data) == found


@given(OBJECTS)
def test_any_object_is_valid_or_has_faults(raw: dict) -> None:
    notes: list[str] = []
    clean, faults = rules.validate(raw, notes)
    for line in faults + notes:
        assert ": " in line and all(category(c) != "Cc" for c in line), line
    if not faults:
        assert rules.validate(clean) == (clean, [])
        assert judge.decode("".join(settings.to_text(clean)).encode(), []) == clean
        assert settings.patch(clean, settings.redact(clean)) == (clean, [])


@given(VALUES | OBJECTS)
def test_any_change_is_applied_or_has_faults(changes: object) -> None:
    merged, faults = settings.patch(settings.defaults(), changes)
    assert faults or rules.validate(merged) == (merged, [])


@given(
    st.lists(st.tuples(st.sampled_from(["mqtt.qos", "wifi.networks.0.key", "sensors.0.x", "sensors"]) | TEXTS, TEXTS))
)
def test_any_text_pairs(pairs: list[tuple[str, str]]) -> None:
    changes, faults = settings.from_text(pairs)
    assert isinstance(changes, dict) and all(isinstance(f, str) for f in faults)


@given(st.integers(-3, 3) | ATOMS | TEXTS)
def test_any_schema_version(version: object) -> None:
    try:
        assert migrate.migrate({"schema": version}) == {"schema": 1}
    except ValueError as e:
        assert version != 1 or isinstance(version, (bool, float)), e
