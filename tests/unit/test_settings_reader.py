"""The strict JSON reader: what it takes, what it refuses and in which line, bounded in depth and length."""

import settings
from check import raises


def refused(data):
    return raises(ValueError, settings.parse_json, data).args[0]


def test_values():
    cases = (
        (b"{}", {}),
        (b" [ ] ", []),
        (b'{"a" : [1, -2, 0.5, 1e3, true, false, null, "x"]}', {"a": [1, -2, 0.5, 1000.0, True, False, None, "x"]}),
        (b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"', '"\\/\b\f\n\r\té'),
        ('"Zürich 苏 😀"'.encode(), "Zürich 苏 😀"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"0", 0),
        (b"-0.25E-1", -0.025),
    )
    for data, value in cases:
        found = settings.parse_json(data)
        assert found == value and type(found) is type(value), data


def test_not_json():
    words = b'[1,] {a:1} 01 1. .5 +1 - 1.e5 1e --1 NaN Infinity -Infinity tru nul \'a\' [1 {"a": "a "\\x" "\\u12" "\\'
    more = [b"[1 2]", b"{} x", b'{"a" 1}', b'{"a":1,}', b"\xef\xbb\xbf{}", b'"\\u 123"', b'"a\nb"', b'"\x00"']
    for data in words.split(b" ") + more:
        assert refused(data), data


def test_says_the_line():
    assert refused(b'{\n"a": 1,\n"b": x}') == "line 3: a value is missing, or a text without quotes"
    assert refused(b'{\n"a": 1\n"b": 2}') == 'line 3: "," or "}" is missing'
    assert refused(b'{\n"a": [1,\n') == "line 3: ends in the middle"
    assert refused(b"") == "empty" == refused(b" \n")


def test_doubled_names():
    assert refused(b'{"a": 1,\n"a": 2}') == 'line 2: "a" is there twice'


def test_depth_and_digits_are_bounded():
    assert settings.parse_json(b"[" * 7 + b"]" * 7)
    assert "nested more than 6 deep" in refused(b"[" * 4096)
    assert "nested more than 6 deep" in refused(b'{"a":' * 1000)
    assert "more than 20 digits" in refused(b"9" * 4000)
    assert "is too large" in refused(b"1e999")


def test_text_must_be_utf8():
    for data in (b'"\xff"', b'"\xc3"', b'"\xed\xa0"'):
        assert "not UTF-8" in refused(data)
    for data in (b'"\\ud83d"', b'"\\ude00"', b'"\\ud83dx"', b'"\\ud83d\\u0041"'):
        assert "half a character" in refused(data)


def test_every_cut_of_a_file_is_refused():
    whole = b'{"mqtt": {"brokers": [{"host": "h\\u00e9", "port": 1883}], "retain": false}}'
    assert settings.parse_json(whole)
    for n in range(len(whole)):
        assert refused(whole[:n])
