"""The field's complaints about WiFi nodes, each as a test that it does not happen here."""

from check import raises
from wifi_world import HOME, KEY, PHONE, World, settings


def test_router_comes_an_hour_later_than_the_node():
    w = World(router=False)
    w.run(3600)
    assert not w.node.online and w.node.reason == "no_network"
    assert w.node.ap_state == "ap_on"  # somebody may want to set it up
    w.home = w.air.add(HOME, KEY)
    assert w.until_online() < 40
    w.run(120)
    assert w.node.ap_state == "ap_off"
    assert w.flash.ssid == HOME.encode() and w.flash.key == KEY.encode()


def test_router_reboots_twenty_times_in_a_night():
    w = World()
    w.until_online()
    written = w.writes
    for i in range(20):
        w.run(1200 + 37 * i)
        w.reboot_router(60)
        assert not w.node.online
        assert w.until_online() <= 15
    assert w.writes == written


def test_reconnect_after_a_router_reboot_of_a_minute_takes_15_s_at_most():
    worst = 0
    for several in (False, True):
        for ms in range(0, 6000, 400):  # any phase between the node's steps and the router's return
            w = World(settings(HOME, "elsewhere") if several else settings(HOME))
            w.until_online()
            w.router(False)
            w.run(60 + ms / 1000)
            w.router(True)
            worst = max(worst, w.until_online())
    assert worst <= 12, worst


def test_wrong_key_then_right_key():
    w = World(settings((HOME, "not the key")))
    w.run(100)
    assert w.node.reason == "wrong_key" and not w.node.online
    w.node.apply(settings(HOME))
    assert w.until_online() < 10
    assert w.node.reason is None


def test_a_key_that_the_router_changed_and_changed_back():
    w = World()
    w.until_online()
    w.air.change(w.home, key="something new")
    w.run(7200)
    assert w.node.reason == "wrong_key"
    assert w.flash.key == KEY.encode()  # never erased by a failure
    w.air.change(w.home, key=KEY)
    assert w.until_online() < 45


def test_second_outage_after_the_fallback_ap():
    w = World()
    w.until_online()
    for _ in range(4):
        w.router(False)
        w.run(400)
        assert w.node.ap_state == "ap_on"
        w.router(True)
        w.until_online()
        w.run(1800)
        assert w.node.ap_state == "ap_off" and w.node.online


def test_ap_client_present_during_an_outage_is_not_disturbed():
    w = World()
    w.until_online()
    w.router(False)
    w.run(300)
    w.phone_joins()
    disturbed, attempts, scans = w.radio.disturbed, w.radio.attempts, w.radio.scans
    w.run(3600)
    w.router(True)
    w.run(600)
    assert (w.radio.disturbed, w.radio.attempts, w.radio.scans) == (disturbed, attempts, scans)
    assert w.node.state == "held"
    w.phone_leaves()
    assert w.until_online() < 30


def test_the_client_may_ask_for_a_scan_and_for_a_retry():
    w = World(router=False)
    w.run(300)
    w.phone_joins()
    w.home = w.air.add(HOME, KEY)
    assert [p[0] for p in w.node.scan()] == [HOME.encode()]
    w.run(5)
    assert w.node.state == "held"
    w.node.retry()
    assert w.until_online() < 10


def test_ap_stays_while_the_client_is_on_it_and_goes_after_it():
    w = World(router=False)
    w.run(300)
    w.phone_joins()
    w.home = w.air.add(HOME, KEY)
    w.node.retry()
    w.until_online()
    w.run(3600)
    assert w.node.ap_state == "ap_on" and PHONE in [s.mac for s in w.radio.joined()]
    w.phone_leaves()
    w.run(60)
    assert w.node.ap_state == "ap_off"


def test_ap_can_be_joined_between_the_attempts():
    w = World(router=False)
    w.run(300)
    w.phone_joins()


def test_router_changes_its_channel():
    w = World()
    w.until_online()
    w.air.change(w.home, channel=11)
    w.run(20)
    assert w.node.online and w.radio.channel == 11
    assert w.flash.writes["connect"] == 1


def test_ssid_with_quotes_emoji_32_bytes_and_bad_utf8():
    for ssid in ('a"b\'c;d,e\\f & <b>"', "caf\u00e9 \U0001f4f6", "x" * 32, b"\xff\xfe\x00\x80ok", b"\xc3" * 32):
        entry = {"ssid": ssid, "key": KEY}
        if isinstance(ssid, bytes):
            entry = {"ssid": "", "ssid_hex": "".join(["%02x" % b for b in ssid]), "key": KEY}
        w = World(settings(entry), router=False)
        w.air.add(ssid, KEY)
        w.until_online()
        for _ in range(3):
            w.boot()
            w.until_online()
        raw = ssid if isinstance(ssid, bytes) else ssid.encode()
        assert w.node.info()["ssid"] == raw
        assert raw in [p[0] for p in w.node.scan()]
        assert w.flash.writes["connect"] == 1, ssid


def test_keys_of_8_and_63_characters_and_64_hex_digits():
    for key in ("12345678", "k" * 63, "0123456789abcdef" * 4, "p&%#$@+ ;=?!"):
        w = World(settings((HOME, key)), router=False)
        w.air.add(HOME, key)
        w.until_online()
        w.boot()
        w.until_online()
        assert w.flash.writes["connect"] == 1


def test_a_name_of_32_bytes_with_a_key_of_64_digits():
    w = World(settings(("n" * 32, "f" * 64)), router=False)
    w.air.add("n" * 32, "f" * 64)
    for _ in range(3):
        w.until_online()
        w.boot()
    assert w.flash.writes["connect"] == 1


def test_two_aps_with_the_same_ssid():
    w = World()
    second = w.air.add(HOME, KEY, channel=1, rssi=-75)
    w.until_online()
    assert w.radio.point is w.home
    w.router(False)
    w.run(8)
    w.until_online(15)
    assert w.radio.point is second
    w.router(True)
    w.air.change(second, up=False)
    w.run(8)
    w.until_online(15)
    assert w.radio.point is w.home
    assert w.flash.writes["connect"] == 1
    assert len(w.node.scan()) == 1


def test_no_flash_write_in_a_week_without_a_change_of_credentials():
    w = World()
    w.until_online()
    written, saves = w.writes, w.memory.saves
    for day in range(7):
        w.run(43200, coarse=20000)
        w.reboot_router(60 + 10 * day)
        w.until_online()
        w.node.report_online(True)
        w.run(3600, coarse=20000)
        w.boot()  # a power cut
        w.until_online()
        w.run(39000, coarse=20000)
    assert w.node.online
    assert (w.writes, w.memory.saves) == (written, saves)


def test_first_boot_writes_once_and_the_second_not_at_all():
    w = World()
    w.until_online()
    assert w.flash.writes == {"connect": 1, "opmode": 2, "config": 0}
    w.boot()
    w.until_online()
    assert w.writes == 3


def test_sdk_credentials_changed_behind_our_back():
    w = World()
    w.until_online()
    w.radio.wlan(0).connect("neighbour", "some other key")
    w.boot()
    w.until_online()
    assert w.flash.ssid == HOME.encode()


def test_memory_torn_or_lost_costs_one_write_and_nothing_else():
    w = World()
    w.until_online()
    key = w.node.ap_credentials()[1]
    for data in (None, b"", b"short", bytes(36), bytes([w.memory.data[0] ^ 1]) + w.memory.data[1:]):
        w.memory.data = data
        w.boot()
        w.until_online()
    assert w.flash.ssid == HOME.encode()
    assert w.node.ap_credentials()[1] != key  # the secret went with it


def test_micropythons_own_ap_with_the_public_key_is_switched_off():
    w = World()
    assert not w.flash.opmode & 2
    unset = World(settings())
    unset.run(5)
    assert unset.node.ap_state == "ap_on"
    assert unset.flash.ap_key != b"micropythoN" and not unset.flash.ap_ssid.startswith(b"MicroPython")
    assert unset.flash.ap_auth == 3


def test_default_ap_key_is_of_this_device_alone_and_stays():
    first, second = World(settings()), World(settings())
    name, key = first.node.ap_credentials()
    assert name == "node-123456" and len(key) == 12
    assert second.node.ap_credentials()[1] != key
    first.boot()
    assert first.node.ap_credentials() == (name, key)
    named = World(settings(ap_ssid="Porch", ap_key="long enough"))
    assert named.node.ap_credentials() == ("Porch", "long enough")
    assert World(settings(ap_open=True)).node.ap_credentials()[1] == ""


def test_unset_node_opens_its_ap_and_stays_silent_as_a_station():
    w = World(settings())
    w.run(600)
    assert w.node.ap_state == "ap_on" and w.radio.attempts == 0 and w.radio.scans == 0
    w.phone_joins()
    written = w.writes
    w.boot()
    w.run(600)
    assert w.writes == written


def test_power_cut_during_an_outage_leaves_the_ap_as_it_was():
    w = World(router=False)
    w.run(300)
    assert w.node.ap_state == "ap_on"
    written = w.writes
    w.boot()
    w.run(60)
    assert w.node.ap_state == "ap_on" and w.writes == written
    w.home = w.air.add(HOME, KEY)
    w.until_online()
    w.run(180)
    assert w.node.ap_state == "ap_off"
    w.boot(settings(HOME, mode="sta"))
    w.until_online()


def test_a_node_without_a_name_has_one_of_its_own():
    w = World(settings(HOME, hostname=""))
    assert w.radio.hostname == "node-123456"


def test_mode_sta_never_opens_an_ap():
    w = World(settings(HOME, mode="sta"), router=False)
    w.run(7200)
    assert w.node.ap_state == "ap_off" and not w.flash.opmode & 2


def test_mode_ap_stays_off_the_air_as_a_station():
    w = World(settings(HOME, mode="ap"))
    w.run(600)
    assert w.node.state == "off" and w.node.ap_state == "ap_on" and w.radio.attempts == 0


def test_strongest_known_network_first():
    w = World(settings("far", HOME, "absent"))
    w.air.add("far", KEY, rssi=-85)
    w.air.add("stranger", "", rssi=-30)
    w.until_online()
    assert w.radio.point is w.home


def test_every_known_network_gets_its_turn():
    w = World(settings((HOME, "wrong key 1"), ("b", "wrong key 2"), "c"))
    w.air.add("b", KEY, rssi=-65)
    c = w.air.add("c", KEY, rssi=-88)
    w.until_online(120)
    assert w.radio.point is c


def test_fallback_ap_of_a_flapping_router_does_not_wear_the_flash():
    w = World()
    w.until_online()
    before = w.flash.writes["opmode"]
    for _ in range(100):  # half a day of ups and downs, each outage long enough for the AP
        w.router(False)
        w.run(240)
        assert w.node.ap_state == "ap_on"
        w.router(True)
        w.until_online()
        w.run(180)
    assert w.flash.writes["opmode"] - before < 20, w.flash.writes
    w.run(7200)
    assert w.node.ap_state == "ap_off"


def test_networks_that_all_fail_do_not_wear_the_flash():
    w = World(settings((HOME, "wrong key 1"), ("b", "wrong key 2"), mode="sta"))
    w.air.add("b", KEY)
    w.run(3600)
    early = w.flash.writes["connect"]
    w.run(4 * 3600)
    assert not w.node.online
    assert early < 15 and w.flash.writes["connect"] - early < 15, (early, w.flash.writes)
    w.air.change(w.home, key="wrong key 1")
    w.until_online(600)


def test_hidden_network():
    w = World(settings("elsewhere", {"ssid": "ghost", "key": KEY, "hidden": True}), router=False)
    w.air.add("ghost", KEY, hidden=True)
    w.until_online(60)
    assert w.flash.ssid == b"ghost"


def test_open_twin_of_a_known_network_is_not_chosen():
    w = World(settings(HOME, "other"), router=False)
    w.air.add(HOME, "", rssi=-20)
    other = w.air.add("other", KEY, rssi=-85)
    w.until_online()
    assert w.radio.point is other


def test_no_address_is_told_apart_and_retried():
    w = World()
    w.air.change(w.home, dhcp=False)
    w.run(60)
    assert w.node.reason == "no_address" and not w.node.online
    w.air.change(w.home, dhcp=True)
    w.until_online(60)


def test_static_address():
    fixed = {"ssid": HOME, "key": KEY, "ip": "10.0.0.9", "gateway": "10.0.0.1"}
    w = World(settings(fixed))
    w.air.change(w.home, dhcp=False)
    w.until_online()
    assert w.radio.wlan(0).ifconfig() == ("10.0.0.9", "255.255.255.0", "10.0.0.1", "10.0.0.1")
    w.air.change(w.home, dhcp=True)
    w.node.apply(settings(HOME))
    w.run(3)
    w.until_online()
    assert w.node.info()["address"].startswith("192.168.1.")


def test_weak_signal_comes_back_again_and_again():
    w = World()
    w.air.change(w.home, loss=0.6, rssi=-89)
    for _ in range(30):
        w.until_online(300)
        w.run(300)
    assert w.flash.writes["connect"] == 1


def test_broker_down_for_an_hour_does_not_drop_the_wifi():
    w = World()
    w.until_online()
    w.node.report_online(True)
    for answered in (True, False):
        for _ in range(120):
            w.run(30)
            w.node.report_online(False, answered=answered)
        assert w.node.online and ("up", "dead") not in w.edges
    assert w.radio.attempts == 1


def test_broker_down_for_an_hour_where_the_gateway_is_mute():
    w = World()
    w.gateway_answers = False
    w.until_online()
    w.node.report_online(True)
    for _ in range(120):
        w.run(30)
        w.node.report_online(False)
    assert ("up", "dead") not in w.edges
    for _ in range(240):
        w.run(30)
        w.node.report_online(False)
    assert ("up", "dead") in w.edges


def test_link_up_but_dead_is_taken_down_and_up_again_and_again():
    w = World()
    w.until_online()
    w.node.report_online(True)
    w.run(5)
    w.gateway_answers = False
    for _ in range(30):
        w.run(30)
        w.node.report_online(False)
    assert w.edges[("up", "dead")] >= 3
    w.gateway_answers = True
    w.until_online()
    assert w.flash.writes["connect"] == 1


def test_failed_trial_gives_the_old_link_back_while_the_client_watches():
    w = World(settings(HOME, mode="ap+sta"))
    w.until_online()
    w.run(10)
    w.phone_joins()
    w.node.start_trial({"ssid": HOME, "key": "wrong wrong"})
    took = w.run(60, lambda: w.node.trial)
    assert w.node.trial == "wrong_key" and took < 40
    raises(
        OSError, lambda: (w.node.start_trial({"ssid": "x", "key": ""}), w.node.start_trial({"ssid": "y", "key": ""}))
    )
    w.run(60, lambda: w.node.trial)
    assert w.node.trial == "no_network"
    w.until_online(30)


def test_clock_may_wrap_and_uptime_has_no_end():
    w = World()
    for _ in range(60):
        w.run(86400, coarse=3600000)
        assert w.node.online or w.run(60, lambda: w.node.online) < 60
    w.reboot_router(60)
    assert w.until_online() <= 15
