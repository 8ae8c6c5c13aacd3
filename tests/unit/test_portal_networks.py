"""The list of networks on the page, from what a scan returns."""

from portal import networks
from portal.markup import escape


def seen(ssid, rssi, security=3):
    return (ssid, b"\0" * 6, 1, rssi, security, 0)


def test_strongest_first_one_entry_a_name_hidden_ones_left_out():
    scan = [seen(b"a", -80), seen(b"b", -50, 0), seen(b"", -20), seen(b"\0\0", -20), seen(b"a", -40), seen(b"b", -60)]
    assert networks.digest(scan) == [(b"a", -40, True), (b"b", -50, False)]


def test_the_list_is_bounded_and_keeps_the_strongest():
    found = networks.digest([seen(b"n%d" % i, -90 + i) for i in range(60)])
    assert len(found) == 20 and found[0] == (b"n59", -31, True) and found[-1][1] == -50


def test_which_names_can_stand_in_the_settings_as_text():
    assert networks.readable("Café 咖啡".encode())
    for name in (b"\xff", b"a\x00b", b"\x7f", b"\xc3", b"\xed\xa0\x80"):  # the last one is a surrogate
        assert not networks.readable(name), name


def test_names_are_escaped_and_what_is_not_text_is_a_question_mark():
    assert escape("Café<".encode()) == "Café&lt;".encode()
    assert escape(b"\xff\x00<\"'&") == b"? &lt;&quot;&#39;&amp;"
