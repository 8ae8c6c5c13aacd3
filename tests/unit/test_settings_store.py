"""Settings files: last good or defaults for every kind of bad file, save, trial, promote, drop, reset."""

import binascii
import os
import sys

import settings
from check import raises
from settings import stamp


class Folder:
    """A new directory, removed with what is in it."""

    def __enter__(self):
        self.path = "/tmp/settings-" + binascii.hexlify(os.urandom(8)).decode()
        os.mkdir(self.path)
        return self

    def __exit__(self, *_):
        for name in os.listdir(self.path):
            os.remove(self.path + "/" + name)
        os.rmdir(self.path)

    def write(self, data, name="settings.json"):
        with open(self.path + "/" + name, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def read(self, name="settings.json"):
        with open(self.path + "/" + name, "rb") as f:
            return f.read()

    def names(self):
        return sorted(os.listdir(self.path))

    def load(self):
        return settings.load(self.path)


def named(name):
    return settings.patch(settings.defaults(), {"device": {"name": name}})[0]


def full():
    raw = {
        "device": {"name": 'Küche "1" \\ 😀', "led": 2},
        "wifi": {"networks": [{"ssid": "home", "key": "p&%+ ;,'\"<"}, {"ssid_hex": "ff00"}], "tx_power": 0},
        "mqtt": {"brokers": [{"host": "10.0.0.1"}, {"host": "b", "port": 8883, "tls": True}], "retain": False},
        "sensors": [{"type": "bme280", "period": 2.5, "filters": {"t": {"clamp": [-40, 85.5], "on": True}}}],
        "outputs": [{"name": "relay", "pin": "D1", "start": "last"}],
    }
    clean, faults = settings.validate(raw)
    assert faults == []
    return clean


def test_no_files():
    with Folder() as d:
        assert d.load() == (settings.defaults(), ["no settings yet; running on defaults"])
        assert d.names() == []


def test_what_is_saved_is_loaded():
    with Folder() as d:
        for cfg in (full(), settings.defaults(), named("x")):
            assert settings.save(cfg, d.path) is True
            assert d.load() == (cfg, [])
            assert d.read().startswith(b'{\n"sha256 of the lines below; delete this line after editing": "')


def test_the_same_again_is_not_written():
    with Folder() as d:
        settings.save(full(), d.path)
        assert settings.save(full(), d.path) is False
        assert d.names() == ["settings.json"]


def test_a_file_of_a_person_needs_no_checksum():
    with Folder() as d:
        d.write('{"device": {"name": "by hand"}}')
        cfg, notes = d.load()
        assert cfg["device"]["name"] == "by hand" and notes == []
        d.write("{}")
        assert d.load() == (settings.defaults(), [])
        d.write("".join(settings.to_text(full())))
        assert d.load() == (full(), [])


def test_an_edited_file_is_refused_until_its_checksum_line_goes():
    with Folder() as d:
        settings.save(named("old"), d.path)
        edited = d.read().replace(b"old", b"new")
        d.write(edited)
        assert "delete its second line" in d.load()[1][0]
        lines = edited.split(b"\n")
        d.write(b"\n".join(lines[:1] + lines[2:]))
        assert d.load() == (named("new"), [])


def test_every_cut_and_every_changed_byte_of_a_saved_file_is_refused():
    with Folder() as d:
        settings.save(named("last"), d.path)
        settings.save(full(), d.path)
        whole = d.read()
        torn = [whole[:n] for n in range(len(whole) - 1)]
        torn += [whole[:n] + bytes((whole[n] ^ 1,)) + whole[n + 1 :] for n in range(len(whole))]
        for data in torn:
            d.write(data)
            cfg, notes = d.load()
            assert cfg == named("last"), data
            assert notes[0].startswith("settings.json ") and notes[0].endswith("; running on the last good settings")


def bad_files():
    many = ", ".join(['"k%d": 1' % i for i in range(200)])
    return (
        (b"", "(empty)"),
        (b"\x00" * 100, "torn or not JSON"),
        (b"\xff" * 4096, "torn or not JSON"),
        (bytes(range(256)), "torn or not JSON"),
        (b" " * 102400, "is too large (102400 bytes, wanted at most 4096)"),
        (b"[" * 4096, "nested more than 6 deep"),
        (b"[]", "is not a settings file (no object)"),
        (b'{"esphome": {"name": "x"}}', "is not a settings file (no section that is known)"),
        (b"{%s}" % many.encode(), "is not a settings file (no section that is known)"),
        (b'{"schema": 2, "mqtt": {}}', "is too new (schema 2 is newer than this firmware, which knows up to 1)"),
        (b'{"schema": "1"}', "is not a settings file (schema: not a version, wanted 1 to 1)"),
        (b'{"mqtt": {"qos": 1, "qos": 2}}', '"qos" is there twice'),
        (b'{"mqtt": {"qos": NaN}}', "line 1"),
        (b'{"mqtt": {"qos": 3}}', "has 1 fault"),
    )


def test_bad_files_lead_to_the_last_good_settings_and_one_line():
    with Folder() as d:
        settings.save(full(), d.path)
        settings.save(named("next"), d.path)
        for data, why in bad_files():
            d.write(data)
            cfg, notes = d.load()
            assert cfg == full(), data[:40]
            assert notes[0].startswith("settings.json ") and why in notes[0], notes
            assert notes[0].endswith("; running on the last good settings") and "\n" not in notes[0]


def test_bad_files_without_a_last_good_lead_to_defaults():
    with Folder() as d:
        for data, why in bad_files():
            d.write(data)
            d.write(b"torn", "settings.last.json")
            cfg, notes = d.load()
            assert cfg == settings.defaults()
            assert why in notes[0] and notes[0].endswith("; running on defaults")


def test_faults_of_a_file_follow_one_a_line():
    with Folder() as d:
        d.write('{"mqtt": {"qos": 3, "keepalive": 1}}')
        assert d.load()[1] == [
            "settings.json has 2 faults, settings.last.json is missing; running on defaults",
            "mqtt.keepalive: 1 is out of range, wanted 10 to 1200 s",
            "mqtt.qos: 3 is out of range, wanted 0 to 2",
        ]


def test_unknown_names_in_a_file_are_said_and_ignored():
    with Folder() as d:
        d.write('{"mqtt": {"hots": 3}}')
        assert d.load() == (settings.defaults(), ["mqtt.hots: unknown, ignored"])


def test_a_persons_good_file_is_stored_once_with_a_stamp_and_the_last_good_stays():
    with Folder() as d:
        settings.save(named("first"), d.path)
        settings.save(named("second"), d.path)
        d.write('{"device":\n{"name": "by hand"}}')
        assert d.load() == (named("by hand"), [])
        stamped = d.read()
        assert stamped.startswith(b'{\n"sha256 of')
        assert d.load() == (named("by hand"), []) and d.read() == stamped
        assert d.names() == ["settings.json", "settings.last.json"]
        d.write(b"torn")
        assert d.load()[0] == named("first")


def test_an_ordinary_start_loads_neither_the_table_nor_the_rules():
    with Folder() as d:
        settings.save(full(), d.path)
        clean = full()
        settings.release()
        assert d.load() == (clean, []) and settings.trial(d.path) is None
        loaded = [name for name in sys.modules if name.startswith("settings.")]
        assert sorted(loaded) == ["settings.initial", "settings.stamp"]
        os.remove(d.path + "/settings.json")


def test_a_file_that_another_firmware_checked_is_checked_again():
    with Folder() as d:
        for body, notes in (
            (b'"mqtt": {"qos": 2}\n}\n', []),
            (b'"mqtt": {"qos": 2, "hots": 3}\n}\n', ["mqtt.hots: unknown, ignored"]),
        ):
            whole = stamp.first_lines((body,), "01234567") + body
            d.write(whole)
            cfg, found = d.load()
            assert cfg["mqtt"]["qos"] == 2 and found == notes
            assert d.read() != whole, "stored with its own stamp"
            if notes:
                with open(d.path + "/settings.last.json", "rb") as f:
                    assert f.read() == whole, "what the node does not know is not lost"
            assert d.load() == (cfg, [])
        body = b'"mqtt": {"qos": 7}\n}\n'
        d.write(stamp.first_lines((body,), "01234567") + body)
        assert d.load()[1][1] == "mqtt.qos: 7 is out of range, wanted 0 to 2"


def test_a_refused_file_is_set_aside_for_the_last_good_settings():
    with Folder() as d:
        d.write('{"device": {"name": "one"}}')
        d.load()
        settings.save(named("two"), d.path)
        bad = b'{"mqtt": {"qos": 7}}'
        d.write(bad)
        cfg, notes = d.load()
        assert cfg == named("one")
        assert "settings.json" in notes[0] and "last good" in notes[0] and "mqtt.qos" in notes[1]
        with open(d.path + "/settings.refused.json", "rb") as f:
            assert f.read() == bad
        assert d.load() == (named("one"), [])


def test_a_good_file_that_cannot_be_stored_anew_is_used():
    with Folder() as d:
        d.write('{"device": {"name": "x"}}')
        os.mkdir(d.path + "/settings.new")
        try:
            cfg, notes = d.load()
        finally:
            os.rmdir(d.path + "/settings.new")
        assert cfg == named("x") and len(notes) == 1
        assert notes[0].startswith("the settings are used, but could not be stored with a checksum: ")


def test_a_bad_current_file_never_becomes_the_last_good():
    with Folder() as d:
        settings.save(named("good"), d.path)
        settings.save(named("newer"), d.path)
        d.write(b"torn")
        settings.save(named("newest"), d.path)
        d.write(b"torn again")
        assert d.load()[0] == named("good")


def test_save_refuses_what_load_would_refuse():
    with Folder() as d:
        settings.save(named("good"), d.path)
        bad = full()
        bad["mqtt"]["qos"] = 7
        assert "mqtt.qos" in raises(ValueError, settings.save, bad, d.path).args[0]
        large = full()
        large["sensors"] = [{"type": "x", "a": "x" * 64, "b": "y" * 64, "c": ["z" * 64] * 3}] * 16
        assert "bytes, wanted at most 4096" in raises(ValueError, settings.save, large, d.path).args[0]
        assert d.load() == (named("good"), []) and d.names() == ["settings.json"]


def test_save_without_a_directory_is_an_oserror():
    raises(OSError, settings.save, full(), "/tmp/no/such/place")


def test_trial_and_promote():
    with Folder() as d:
        settings.save(named("old"), d.path)
        settings.stage(named("new"), d.path)
        assert d.load()[0] == named("old")
        assert settings.trial(d.path) == named("new")
        assert d.load()[0] == named("old")
        settings.promote(d.path)
        assert d.load() == (named("new"), [])
        assert d.names() == ["settings.json", "settings.last.json"]
        assert settings.trial(d.path) is None and settings.dropped(d.path) == ""


def test_trial_and_drop_keeps_the_reason():
    with Folder() as d:
        settings.save(named("old"), d.path)
        settings.stage(named("new"), d.path)
        settings.trial(d.path)
        settings.drop("wifi: wrong key", d.path)
        assert d.load() == (named("old"), []) and settings.dropped(d.path) == "wifi: wrong key"
        assert settings.trial(d.path) is None
        settings.stage(named("newer"), d.path)
        assert settings.dropped(d.path) == ""


def test_a_trial_that_the_node_did_not_survive_is_not_repeated():
    with Folder() as d:
        settings.stage(named("crash"), d.path)
        assert settings.trial(d.path) == named("crash")
        assert settings.trial(d.path) is None
        assert settings.dropped(d.path) == "the node restarted during the trial"
        assert d.load()[0] == settings.defaults()


def test_a_torn_candidate_is_dropped_with_its_reason():
    with Folder() as d:
        d.write(b'{"mqtt": {"qo', "settings.candidate.json")
        assert settings.trial(d.path) is None
        assert settings.dropped(d.path).startswith("the candidate is torn or not JSON")


def test_first_setup_has_nothing_to_fall_back_on():
    with Folder() as d:
        settings.stage(named("first"), d.path)
        settings.trial(d.path)
        settings.promote(d.path)
        assert d.load() == (named("first"), []) and d.names() == ["settings.json"]


def test_promote_without_a_trial_is_an_oserror():
    with Folder() as d:
        settings.save(named("old"), d.path)
        raises(OSError, settings.promote, d.path)
        assert d.load() == (named("old"), [])


def test_a_long_reason_is_cut_at_a_character():
    with Folder() as d:
        settings.stage(named("x"), d.path)
        settings.trial(d.path)
        settings.drop("é" * 79 + "x" + "é" * 50, d.path)
        assert settings.dropped(d.path) == "é" * 79 + "x"


def test_a_cut_between_the_two_renames_leaves_the_old_settings():
    with Folder() as d:
        settings.save(named("old"), d.path)
        os.rename(d.path + "/settings.json", d.path + "/settings.last.json")
        cfg, notes = d.load()
        assert cfg == named("old")
        assert notes == ["settings.json is missing; running on the last good settings"]
        settings.save(named("new"), d.path)
        assert d.load() == (named("new"), [])


def test_reset_forgets_all():
    with Folder() as d:
        settings.save(named("a"), d.path)
        settings.save(named("b"), d.path)
        settings.stage(named("c"), d.path)
        settings.reset(d.path)
        assert d.names() == []


def test_migration_runs_step_by_step():
    from settings.migrate import TooNew, migrate

    def one(raw):
        raw["mqtt"] = {"brokers": [{"host": raw.pop("broker")}]}

    def two(raw):
        raw["mqtt"]["qos"] = 2

    raw = migrate({"schema": 1, "broker": "h"}, (one, two), 3)
    assert raw == {"schema": 3, "mqtt": {"brokers": [{"host": "h"}], "qos": 2}}
    assert migrate({"schema": 2, "mqtt": {}}, (one, two), 3) == {"schema": 3, "mqtt": {"qos": 2}}
    assert migrate({"mqtt": {}}, (one, two), 3) == {"mqtt": {}}
    raises(TooNew, migrate, {"schema": 4}, (one, two), 3)
    for bad in (0, -1, True, 1.0, "1", None):
        raises(ValueError, migrate, {"schema": bad}, (one, two), 3)
