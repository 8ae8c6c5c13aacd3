"""The virtual radio obeys the rules of the ESP8266 port and the SDK."""

from check import raises
from wifi_world import Air, Clock, Network, Radio, Store


class Chip:
    def __init__(self, store=None, air=None, sleeps=True):
        self.clock = Clock()
        self.air = air or Air()
        self.store = store or Store()
        self.radio = Radio(self.air, self.clock.ms, self.store, sleep=self.sleep if sleeps else None)
        self.network = Network(self.radio)
        self.sta, self.ap = self.network.WLAN(0), self.network.WLAN(1)

    def sleep(self, ms):
        self.clock.now += ms

    def codes(self, seconds):
        """The status codes seen, one after the other without repeats."""
        seen = []
        for _ in range(seconds * 10):
            self.clock.now += 100
            code = self.sta.status()
            if not seen or seen[-1] != code:
                seen.append(code)
        return seen

    def up(self, ssid="home", key="password"):
        self.sta.active(True)
        self.sta.connect(ssid, key)
        self.codes(8)
        return self


def home(chip, **more):
    return chip.air.add("home", "password", **more)


def test_factory_state_is_micropythons_open_secret():
    c = Chip()
    assert not c.sta.active() and c.ap.active()
    assert c.ap.config("ssid") == "MicroPython-123456" and c.store.ap_key == b"micropythoN"
    assert c.sta.status() == 0 and c.ap.status() == -1 and not c.sta.isconnected()


def test_connect_is_asynchronous_and_gets_an_address():
    c = Chip()
    home(c)
    c.sta.active(True)
    assert c.sta.connect("home", "password") is None
    assert c.sta.status() == 1 and c.sta.ifconfig()[0] == "0.0.0.0" and c.sta.status("rssi") == 31
    assert c.codes(8) == [1, 5]
    assert c.sta.isconnected() and c.sta.status("rssi") == -60
    assert c.sta.ifconfig() == ("192.168.1.136", "255.255.255.0", "192.168.1.1", "192.168.1.1")
    assert c.sta.ipconfig("addr4") == ("192.168.1.136", "255.255.255.0")
    assert c.sta.ipconfig("gw4") == "192.168.1.1" and c.sta.ipconfig("dhcp4") is True


def test_codes_of_the_failures_and_the_sdks_own_retries():
    for key, change, codes in (
        ("not the key", {}, [1, 2, 1, 2]),
        ("password", {"up": False}, [1, 3, 1, 3, 1]),
        ("password", {"loss": 1.0}, [1, 3, 1, 3, 1]),
        ("password", {"dhcp": False}, [1]),
    ):
        c = Chip()
        c.air.change(home(c), **change)
        c.sta.active(True)
        c.sta.connect("home", key)
        seen = c.codes(13 if key != "password" else 9)
        assert seen[: len(codes)] == codes, (key, change, seen)


def test_dhcp_that_answers_later_completes_the_connection():
    c = Chip()
    point = home(c, dhcp=False)
    c.up()
    assert c.sta.status() == 1 and c.sta.status("rssi") == -60
    c.air.change(point, dhcp=True)
    assert c.codes(4)[-1] == 5


def test_disconnect_ends_the_retries():
    c = Chip().up()
    c.sta.disconnect()
    searched = c.radio.attempts
    assert c.codes(20) == [0] and c.radio.attempts == searched


def test_silent_ap_is_missed_after_a_while_and_found_again():
    c = Chip()
    point = home(c)
    c.up()
    c.air.change(point, up=False)
    assert c.codes(5) == [5]
    assert c.codes(6)[:3] == [5, 1, 3]
    c.air.change(point, up=True)
    assert c.codes(10)[-1] == 5


def test_rebooted_ap_and_changed_key_break_the_link_at_once():
    c = Chip()
    point = home(c)
    c.up()
    c.air.change(point, up=False)
    c.codes(2)
    c.air.change(point, up=True)
    assert c.codes(8) == [1, 5]
    c.air.change(point, key="another key")
    assert 2 in c.codes(10)


def test_changes_are_seen_though_nobody_looks_at_the_radio():
    c = Chip()
    point = home(c)
    c.up()
    c.air.change(point, up=False)
    c.clock.now += 60000
    c.air.change(point, up=True)
    assert c.sta.status() == 1 or c.radio.attempts > 5
    assert c.codes(10)[-1] == 5


def test_credentials_survive_a_reset_and_connect_by_themselves():
    c = Chip()
    home(c)
    c.up()
    text = c.store.dump()
    c.radio.close()
    again = Chip(Store().load(text), c.air)
    assert again.sta.active() and again.sta.config("ssid") == "home"
    assert again.codes(8) == [1, 5]
    assert again.network.hostname() == "mpy-esp8266"


def test_flash_writes_are_counted_by_cause():
    c = Chip()
    c.sta.active(True)
    c.sta.active(True)
    c.ap.active(False)
    assert c.store.writes == {"connect": 0, "opmode": 2, "config": 0}
    c.sta.connect("home", "password")
    c.sta.connect()
    c.sta.disconnect()
    c.sta.config(txpower=10)
    c.sta.ifconfig(("10.0.0.2", 24, "10.0.0.1", "10.0.0.1"))
    c.network.hostname("porch")
    assert c.store.writes == {"connect": 1, "opmode": 2, "config": 1} and c.store.written == 4


def test_scan_tells_all_blocks_and_needs_an_active_station():
    c = Chip()
    home(c, channel=11, rssi=-50)
    c.air.add(b"\xff\xfe", "password", hidden=False)
    c.air.add("ghost", "password", hidden=True)
    c.air.add("caf\u00e9", "")
    c.air.change(c.air.add("off", ""), up=False)
    assert raises(OSError, c.sta.scan).args[0] == "STA must be active"
    assert raises(OSError, c.ap.scan).args[0] == "STA required"
    c.sta.active(True)
    before = c.clock.now
    found = c.sta.scan()
    assert c.clock.now - before == 2200 == c.radio.blocked_ms
    assert found[0] == (b"home", b"\x02\xaa\x00\x00\x00\x01", 11, -50, 3, 0)
    assert [f[0] for f in found] == [b"home", b"\xff\xfe", b"", b"caf\xc3\xa9"]
    assert found[2][5] == 1 and found[3][4] == 0
    c.sta.connect("home", "password")
    assert raises(OSError, c.sta.scan).args[0] == "scan failed"


def test_config_knows_its_names_and_interfaces():
    c = Chip()
    c.sta.active(True)
    for name in ("key", "txpower", "max_clients", "reconnects", "nonsense"):
        assert raises(ValueError, c.ap.config, name).args[0] == "unknown config param"
    raises(ValueError, lambda: c.sta.config(reconnects=1))
    assert raises(OSError, lambda: c.sta.config(ssid="x")).args[0] == "AP required"
    assert raises(OSError, c.sta.config, "channel").args[0] == "AP required"
    raises(TypeError, lambda: c.ap.config("ssid", key="x"))
    raises(TypeError, c.ap.config)
    c.ap.config(ssid="mine", key="k" * 70, security=3, channel=4, hidden=True)
    assert (c.ap.config("ssid"), c.ap.config("security"), c.ap.config("channel")) == ("mine", 3, 4)
    assert c.ap.config("hidden") is True and len(c.store.ap_key) == 63
    c.ap.active(False)
    raises(OSError, lambda: c.ap.config(ssid="mine"))
    raises(ValueError, c.ap.status, "rssi")
    raises(ValueError, c.network.WLAN, 2)
    raises(ValueError, c.network.hostname, "h" * 33)
    assert c.sta.config("mac") != c.ap.config("mac")


def test_ssid_of_32_bytes_drags_the_key_along_and_bad_utf8_raises():
    c = Chip()
    c.sta.active(True)
    c.sta.connect("x" * 32, "password")
    assert c.sta.config("ssid") == "x" * 32 + "password"
    c.sta.connect(b"\xff\xfe", "password")
    raises(UnicodeError, c.sta.config, "ssid")


def test_inactive_station_refuses():
    c = Chip()
    raises(OSError, c.sta.connect)
    raises(OSError, c.sta.connect, "home", "password")
    raises(OSError, c.sta.disconnect)
    assert c.store.written == 0
    raises(OSError, c.ap.connect)
    c.sta.active(True)
    raises(ValueError, lambda: c.sta.connect("home", "password", bssid=b"short"))


def test_bssid_pins_and_strength_decides_otherwise():
    c = Chip()
    weak = home(c, rssi=-80)
    strong = home(c, rssi=-40)
    c.up()
    assert c.radio.point is strong
    c.sta.connect("home", "password", bssid=weak.bssid)
    c.codes(8)
    assert c.radio.point is weak


def test_static_address_and_back():
    c = Chip()
    home(c, dhcp=False)
    c.sta.active(True)
    c.sta.ifconfig(("10.0.0.2", 24, "10.0.0.1", "9.9.9.9"))
    c.up()
    assert c.sta.ifconfig() == ("10.0.0.2", "255.255.255.0", "10.0.0.1", "9.9.9.9")
    assert c.sta.ipconfig("dhcp4") is False
    c.sta.ipconfig(addr4="10.0.0.3/16")
    assert c.sta.ipconfig("addr4") == ("10.0.0.3", "255.255.0.0")
    c.sta.ifconfig("dhcp")
    assert c.sta.ipconfig("dhcp4") is True
    raises(ValueError, c.sta.ifconfig, ("10.0.0.256", 24, "10.0.0.1", "9.9.9.9"))
    raises(ValueError, lambda: c.sta.ipconfig(nonsense=1))


def test_stations_need_name_key_room_and_an_ap_that_listens():
    c = Chip()
    name, key = "MicroPython-123456", "micropythoN"
    assert not c.radio.join(b"1", name, "wrong")
    assert not c.radio.join(b"1", "other", key)
    for i in range(4):
        assert c.radio.join(bytes((i,)), name, key)
    assert not c.radio.join(b"9", name, key)
    assert c.ap.isconnected() and len(c.ap.status("stations")) == 4
    assert c.ap.status("stations")[0] == (b"\x00", "192.168.4.2")
    c.radio.leave(b"\x00")
    assert len(c.ap.status("stations")) == 3
    c.ap.active(False)
    assert not c.ap.isconnected() and not c.radio.join(b"1", name, key)


def test_searching_station_and_scan_cut_off_the_aps_clients_for_a_while():
    c = Chip(sleeps=False)
    c.sta.active(True)
    assert c.radio.join(b"1", "MicroPython-123456", "micropythoN")
    c.sta.scan()
    assert c.radio.disturbed == 1 and c.ap.status("stations") == []
    c.clock.now += 3000
    assert len(c.ap.status("stations")) == 1
    c.sta.connect("nowhere", "password")
    assert c.radio.disturbed == 2
    assert not c.radio.join(b"2", "MicroPython-123456", "micropythoN")  # the radio is elsewhere
    c.codes(12)
    assert c.ap.status("stations") == []


def test_ap_follows_the_stations_channel():
    c = Chip()
    home(c, channel=11)
    assert c.ap.config("channel") == 1
    c.up()
    assert c.ap.config("channel") == 11


def test_weak_link_breaks_now_and_then_and_the_same_seed_breaks_it_alike():
    attempts = []
    for _ in range(2):
        c = Chip(air=Air(seed=7))
        home(c, loss=0.5)
        c.up()
        c.codes(1200)
        attempts.append(c.radio.attempts)
    assert attempts[0] == attempts[1] > 5


def test_unknown_field_of_an_access_point_is_refused():
    c = Chip()
    raises(AttributeError, lambda: c.air.change(home(c), rsi=-40))
