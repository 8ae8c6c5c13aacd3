"""Settings rules: every fault said, in words; defaults; what is allowed and what is not."""

import settings
from check import raises


def faults_of(raw):
    return settings.validate(raw)[1]


def one_fault(raw):
    faults = faults_of(raw)
    assert len(faults) == 1, faults
    return faults[0]


def network(**more):
    return {"wifi": {"networks": [dict(**more)]}}


def test_nothing_gives_defaults():
    clean, faults = settings.validate({})
    assert faults == []
    assert clean["wifi"]["mode"] == "auto"
    assert clean["wifi"]["networks"] == [] and clean["sensors"] == []
    assert clean["mqtt"]["keepalive"] == 60 and clean["mqtt"]["availability"] is True
    assert clean == settings.defaults()


def test_fields_without_default_are_absent_until_set():
    clean = settings.validate({"device": {"name": "kitchen"}, "mqtt": {"user": "", "password": None}})[0]
    assert clean["device"]["name"] == "kitchen"
    assert "location" not in clean["device"]
    assert "user" not in clean["mqtt"] and "password" not in clean["mqtt"]


def test_every_default_passes_its_own_rule():
    for section in list(settings.sections()) + list(settings.sections(items=True)):
        for field in settings.fields(section):
            if field.default is not None and field.kind != "list":
                raw = {section: {field.name: field.default}}
                if section in settings.sections():
                    assert faults_of(raw) == [], field.dotted


def test_all_faults_at_once_each_with_name_problem_and_wish():
    faults = faults_of(
        {
            "mqtt": {"keepalive": 70000, "qos": "high", "retain": 1, "brokers": [{"host": "a b"}, {"port": 1}]},
            "wifi": {"mode": "mesh", "ap_channel": 14},
            "log": [],
        }
    )
    assert "mqtt.keepalive: 70000 is out of range, wanted 10 to 1200 s" in faults
    assert 'mqtt.qos: "high" is not a whole number, wanted 0 to 2' in faults
    assert "mqtt.retain: 1 cannot be used, wanted true or false" in faults
    assert 'mqtt.brokers.0.host: "a b" is not a host name, wanted a host name or address, 1 to 128 bytes' in faults
    assert "mqtt.brokers.1.host: missing, wanted a host name or address, 1 to 128 bytes" in faults
    assert 'wifi.mode: "mesh" is not known, wanted one of auto, sta, ap, ap+sta' in faults
    assert "wifi.ap_channel: 14 is out of range, wanted 1 to 13" in faults
    assert "log: a list is not an object, wanted names and values in {}" in faults
    assert len(faults) == 8


def test_unknown_names_are_noted_and_left_out():
    notes = []
    clean, faults = settings.validate({"mqtt": {"hots": "x"}, "wlan": {}, "a\nb": 1}, notes)
    assert faults == [] and clean == settings.defaults()
    assert sorted(notes) == ['"a?b": unknown, ignored', "mqtt.hots: unknown, ignored", "wlan: unknown, ignored"]


def test_not_an_object():
    for raw in ([], "text", 5, None, True):
        clean, faults = settings.validate(raw)
        assert len(faults) == 1 and "is not an object" in faults[0] and clean == settings.defaults()


def test_a_bool_is_no_number_and_a_number_no_bool():
    assert "true is not a whole number" in one_fault({"mqtt": {"qos": True}})
    assert "0 cannot be used" in one_fault({"device": {"web": 0}})
    assert "60.0 is not a whole number" in one_fault({"mqtt": {"keepalive": 60.0}})


def test_huge_and_not_finite_numbers():
    assert "is out of range" in one_fault({"mqtt": {"keepalive": 10**40}})
    assert len(one_fault({"mqtt": {"keepalive": 10**40}})) < 80
    for text in ("inf", "nan"):
        assert "is out of range" in one_fault({"sensors": [{"type": "vcc", "period": float(text)}]})
        assert "cannot be kept" in one_fault({"sensors": [{"type": "vcc", "scale": float(text)}]})


def test_ssid_of_32_bytes_not_characters():
    assert faults_of(network(ssid="x" * 32)) == []
    assert faults_of(network(ssid="😀" * 8)) == []
    assert one_fault(network(ssid="😀" * 8 + "x")).endswith("is 33 bytes long, wanted text of 1 to 32 bytes")
    for odd in ("O'Neill's \"WiFi\"", "<script>", "a;b,c&d%", " lead", "\\"):
        clean, faults = settings.validate(network(ssid=odd))
        assert faults == [] and settings.ssid_bytes(clean["wifi"]["networks"][0]) == odd.encode()


def test_ssid_that_is_not_utf8_is_given_in_hex():
    clean, faults = settings.validate(network(ssid_hex="ff00C3"))
    assert faults == [] and settings.ssid_bytes(clean["wifi"]["networks"][0]) == b"\xff\x00\xc3"
    assert "is not whole bytes in hex digits" in one_fault(network(ssid_hex="fff"))
    assert "is not whole bytes in hex digits" in one_fault(network(ssid_hex="zz"))
    assert "given twice" in one_fault(network(ssid="a", ssid_hex="61"))
    assert "missing, wanted ssid or ssid_hex" in one_fault(network(key="abcdefgh"))


def test_keys():
    for good in ("8letters", "x" * 63, "0123456789abcdefABCDEF" + "0" * 42, "p&%+ ;,'\"<", ""):
        assert faults_of(network(ssid="a", key=good)) == [], good
    for bad in ("7letter", "g" * 64, "0" * 65, "pässwörter", "abcdefg\n"):
        fault = one_fault(network(ssid="a", key=bad))
        assert fault.startswith("wifi.networks.0.key: the value ") and bad.strip() not in fault
        assert fault.endswith("wanted 8 to 63 characters or 64 hex digits")


def test_key_of_the_own_access_point_has_no_64_digits():
    assert faults_of({"wifi": {"ap_key": "x" * 63}}) == []
    fault = one_fault({"wifi": {"ap_key": "0" * 64}})  # the port cuts it
    assert fault == "wifi.ap_key: the value is 64 characters long, wanted 8 to 63 characters"


def test_no_fault_shows_a_secret():
    raw = {"mqtt": {"password": "hunter2" * 50}, "device": {"password": "hunter2"}, "cloud": {"secret": ["hunter2"]}}
    faults = faults_of(raw)
    assert len(faults) == 3 and "hunter2" not in "".join(faults)


def test_the_mark_of_a_secret_is_no_secret():
    assert "only marks a hidden secret" in one_fault({"mqtt": {"password": settings.MARK}})


def test_control_characters_and_half_characters():
    for bad in ("a\x00b", "a\nb", "\x7f", chr(0xD83D)):
        assert "has a character that cannot be used" in one_fault({"device": {"name": bad}})


def test_static_address_is_whole_or_absent():
    good = {"ssid": "a", "ip": "192.168.1.9", "gateway": "192.168.1.1"}
    assert faults_of(network(**good)) == []
    assert "wifi.networks.0.gateway: missing" in one_fault(network(ssid="a", ip="192.168.1.9"))
    assert "wifi.networks.0.ip: missing, wanted with dns" in one_fault(network(ssid="a", dns="1.1.1.1"))
    for bad in ("1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "a.b.c.d", "1.2.3.", " 1.2.3.4", "١.2.3.4"):
        assert "is not an IPv4 address" in one_fault(network(ssid="a", ip=bad, gateway="1.1.1.1")), bad


def test_the_same_network_twice():
    raw = {"wifi": {"networks": [{"ssid": "a"}, {"ssid": "b"}, {"ssid_hex": "61"}]}}
    assert one_fault(raw) == "wifi.networks.2.ssid: this network is there twice, wanted each once"


def test_lists_are_bounded():
    fault = one_fault({"wifi": {"networks": [{"ssid": "n%d" % i} for i in range(9)]}})
    assert fault == "wifi.networks: a list of 9 entries is too long, wanted a list of at most 8"


def test_mode_sta_needs_a_network():
    assert "wifi.networks: empty" in one_fault({"wifi": {"mode": "sta"}})


def test_web_page_needs_a_password():
    assert "device.password: empty" in one_fault({"device": {"web": True}})
    assert faults_of({"device": {"web": True, "password": "12345678"}}) == []


def test_platform_says_what_it_wants():
    faults = faults_of({"cloud": {"platform": "aliyun", "product": "a1"}})
    assert faults == [
        "cloud.device: empty, wanted for platform aliyun",
        "cloud.secret: empty, wanted for platform aliyun",
    ]
    assert faults_of({"cloud": {"platform": "thingsboard", "secret": "token"}}) == []


def test_sensor_entries_keep_the_drivers_keys():
    entry = {"type": "bme280", "address": 118, "filters": {"temperature": {"median": 3, "clamp": [-40, 85.5]}}}
    clean, faults = settings.validate({"sensors": [entry]})
    assert faults == [] and clean["sensors"] == [entry]


def test_sensor_entries_are_bounded():
    deep = {"a": {"b": {"c": {"d": 1}}}}
    for value in ("x" * 65, 1 << 30, deep, [0] * 17, {"bad name": 1}, "\x01", {"a" * 25: 1}):
        assert "sensors.0.extra: " in one_fault({"sensors": [{"type": "x", "extra": value}]})
    assert "cannot be kept" in one_fault({"sensors": [{"type": "x", "bad-key": 1}]})
    assert "sensors.0.type: missing" in one_fault({"sensors": [{"pin": "D4"}]})


def test_pins():
    for pin in ("D4", "GPIO2", 2, 0):
        assert faults_of({"outputs": [{"name": "r", "pin": pin}]}) == []
    for pin in (18, -1, "a pin", True, 1.5):
        assert len(faults_of({"outputs": [{"name": "r", "pin": pin}]})) == 1


def test_names_of_sensors_and_outputs_are_their_own():
    raw = {"outputs": [{"name": "r", "pin": 4}, {"name": "r", "pin": 5}]}
    assert one_fault(raw) == 'outputs.1.name: "r" is there twice, wanted a name of its own'


def test_topics_and_host_names():
    for bad in ("a/+/b", "#", "/a", "a/"):
        assert "is not a topic" in one_fault({"mqtt": {"base_topic": bad}})
    for bad in ("-a", "a-", "a.b", "ä"):
        assert "is not a host name" in one_fault({"wifi": {"hostname": bad}})


def test_validate_leaves_its_input_alone():
    raw = {"wifi": {"networks": [{"ssid": "a", "x": 1}]}, "y": 2}
    settings.validate(raw)
    assert raw == {"wifi": {"networks": [{"ssid": "a", "x": 1}]}, "y": 2}


def test_every_field_has_words_in_both_languages():
    for section in list(settings.sections()) + list(settings.sections(items=True)):
        for language in ("en", "zh"):
            assert settings.section_help(section, language)[0]
            for field in settings.fields(section):
                assert settings.help_of(field, language)[0], field.dotted
                assert settings.wanted(field)


def test_release_lets_go_and_the_next_call_brings_back():
    import sys

    cfg = settings.defaults()
    settings.release()
    assert [name for name in sys.modules if name.startswith("settings.")] == []
    assert settings.defaults() == cfg
    raises(AttributeError, getattr, settings, "no_such_thing")
