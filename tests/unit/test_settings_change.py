"""Changes from forms, command lines and messages; what is shown of secrets."""

import settings
from check import raises


def base():
    raw = {
        "wifi": {"networks": [{"ssid": "home", "key": "homehome"}, {"ssid": "work", "key": "workwork"}]},
        "mqtt": {"password": "pw", "user": "me", "brokers": [{"host": "old"}]},
        "device": {"command_key": "12345678"},
        "sensors": [{"type": "vcc"}],
    }
    clean, faults = settings.validate(raw)
    assert faults == []
    return clean


def patched(changes):
    before = base()
    merged, faults = settings.patch(before, changes)
    assert faults == [], faults
    assert before == base()
    return merged


def test_patch_changes_what_it_names_only():
    merged = patched({"mqtt": {"keepalive": 120}})
    assert merged["mqtt"]["keepalive"] == 120 and merged["mqtt"]["password"] == "pw"
    assert merged["wifi"] == base()["wifi"]
    assert patched({}) == base()


def test_secrets_absent_empty_or_marked_are_kept_and_null_clears():
    for keep in ({}, {"password": ""}, {"password": settings.MARK}):
        assert patched({"mqtt": keep})["mqtt"]["password"] == "pw"
    assert "password" not in patched({"mqtt": {"password": None}})["mqtt"]
    assert patched({"mqtt": {"password": "new"}})["mqtt"]["password"] == "new"


def test_null_puts_back_the_default():
    assert "user" not in patched({"mqtt": {"user": None}})["mqtt"]
    assert patched({"mqtt": {"user": "x", "keepalive": None}})["mqtt"]["keepalive"] == 60
    assert patched({"sensors": None})["sensors"] == []


def test_a_network_keeps_its_key_by_ssid():
    merged = patched(
        {"wifi": {"networks": [{"ssid": "work", "hidden": True}, {"ssid": "new"}, {"ssid": "home", "key": None}]}}
    )
    work, new, home = merged["wifi"]["networks"]
    assert work["key"] == "workwork" and work["hidden"] is True
    assert "key" not in new and "key" not in home
    assert len(merged["wifi"]["networks"]) == 3


def test_what_was_shown_can_be_sent_back():
    assert patched(settings.redact(base())) == base()


def test_redact_shows_no_secret_and_changes_nothing():
    before = base()
    shown = settings.redact(before)
    assert shown["mqtt"]["password"] == settings.MARK and shown["wifi"]["networks"][1]["key"] == settings.MARK
    assert "homehome" not in str(shown) and "12345678" not in str(shown) and before == base()
    assert settings.redact(settings.defaults()) == settings.defaults()


def test_patch_reports_faults_and_unknown_names():
    faults = settings.patch(base(), {"mqtt": {"keepalife": 1, "qos": 9}, "wlan": {}})[1]
    assert sorted(faults) == [
        "mqtt.keepalife: unknown, ignored",
        "mqtt.qos: 9 is out of range, wanted 0 to 2",
        "wlan: unknown, ignored",
    ]


def test_patch_of_anything_never_raises():
    for changes in (None, 5, "x", [], {"wifi": []}, {"wifi": {"networks": {}}}, {"wifi": {"networks": [1, None]}}):
        assert settings.patch(base(), changes)[1], changes
    for changes in ({"sensors": {}}, {"sensors": [[]]}, {"mqtt": "x"}, {"wifi": {"networks": [{"ssid": []}]}}):
        assert settings.patch(base(), changes)[1], changes


def from_text(*pairs):
    changes, faults = settings.from_text(pairs)
    assert faults == [], faults
    return changes


def test_text_becomes_values():
    assert from_text(("mqtt.keepalive", "120"), ("mqtt.retain", "off")) == {"mqtt": {"keepalive": 120, "retain": False}}
    assert from_text(("device.web", "on"), ("device.led", "2")) == {"device": {"web": True, "led": 2}}
    assert from_text(("device.name", ""), ("mqtt.password", "")) == {"device": {"name": None}, "mqtt": {"password": ""}}
    assert from_text(("device.name", "123")) == {"device": {"name": "123"}}


def test_lists_by_number():
    changes = from_text(("wifi.networks.1.ssid", "b"), ("wifi.networks.0.ssid", "a"), ("wifi.networks.1.key", "k" * 8))
    assert changes == {"wifi": {"networks": [{"ssid": "a"}, {"ssid": "b", "key": "k" * 8}]}}
    changes = from_text(("sensors.0.type", "adc"), ("sensors.0.divider", "3.2"), ("sensors.0.unit", "V"))
    assert changes == {"sensors": [{"type": "adc", "divider": 3.2, "unit": "V"}]}
    assert from_text(("sensors", '[{"type": "vcc"}]')) == {"sensors": [{"type": "vcc"}]}


def test_text_faults_are_like_all_faults():
    pairs = (
        ("mqtt.keepalive", "x"),
        ("mqtt.qos", "9"),
        ("mqtt.password", "p" * 300),
        ("device.web", "maybe"),
        ("nothing.here", "1"),
        ("mqtt", "1"),
        ("mqtt.nothing", "1"),
        ("mqtt.qos.more", "1"),
        ("wifi.networks.99.ssid", "a"),
        ("wifi.networks.0.bssid", "a"),
        ("wifi.networks.x.ssid", "a"),
        ("sensors", "[1,]"),
    )
    faults = settings.from_text(pairs)[1]
    assert len(faults) == len(pairs), faults
    assert faults[0] == 'mqtt.keepalive: "x" is not a whole number, wanted 10 to 1200 s'
    assert faults[1] == 'mqtt.qos: "9" is out of range, wanted 0 to 2'
    assert faults[2] == "mqtt.password: the value is 300 bytes long, wanted text of 1 to 256 bytes"
    assert faults[4] == "nothing.here: unknown, wanted a name from the settings table"


def test_parse_raises_what_is_wrong():
    error = raises(ValueError, settings.parse, settings.find("mqtt", "qos"), "7")
    assert error.args[0] == "is out of range"
    assert settings.parse(settings.find("mqtt", "qos"), " 2 ") == 2
