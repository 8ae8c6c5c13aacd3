"""What the portal answers: captive probes, the page, forms, refusals. Without sockets; the node is a stand-in."""

import asyncio
import json

import portal
from portal.app import respond, same
from portal.request import Parser
from portal_node import HOSTILE, Node
from portal_probes import PROBES

AP = "192.168.4.1"
PHONE = "192.168.4.2"
NEIGHBOUR = "192.168.1.77"


def make(scenario="fresh"):
    return portal.Portal(Node(scenario), AP, 80)


def send(box, raw, peer=PHONE):
    """(status, headers text, body) of the answer."""
    parser = Parser()
    parser.feed(raw)
    assert parser.done or parser.request.error
    answer = b"".join([bytes(piece) for piece in respond(box, parser.request, peer)])
    head, body = answer[: answer.find(b"\r\n\r\n") + 2], answer[answer.find(b"\r\n\r\n") + 4 :]
    assert head[:9] == b"HTTP/1.1 " and head[12:13] == b" ", head
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert head.count(b"Connection: close\r\n") == 1 and b"Cache-Control: no-store\r\n" in head
    at = head.find(b"Content-Length: ")
    if at >= 0:
        assert int(head[at + 16 : head.find(b"\r", at)]) == len(body) or raw[:4] == b"HEAD"
    return int(head[9:12]), str(head, "utf-8"), body


def get(box, path="/", host=AP, peer=PHONE, extra="", *, version="1.1", method="GET"):
    return send(box, ("%s %s HTTP/%s\r\nHost: %s\r\n%s\r\n" % (method, path, version, host, extra)).encode(), peer)


def quote(text):
    return "".join(["%%%02X" % c for c in text.encode()])


def post(box, path, fields, host=AP, *, extra="", token=None):
    fields = dict(fields)
    fields["token"] = box.token if token is None else token
    body = "&".join([quote(name) + "=" + quote(fields[name]) for name in fields])
    head = "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    head += "Content-Length: %d\r\n%s\r\n"
    return send(box, (head % (path, host, len(body), extra) + body).encode())


GOOD = {
    "network.ssid_hex": "486f6d65",
    "network.ssid": "",
    "network.key": "good key & more+%",
    "cloud.platform": "plain",
    "broker.host": "10.0.0.2",
    "broker.port": "",
    "mqtt.user": "me",
    "mqtt.password": "pass",
    "device.name": "Küche",
    "device.password": "",
}


def changed(**fields):
    form = dict(GOOD)
    for name, value in fields.items():
        form[name.replace("__", ".")] = value
    return form


# Captive behaviour


def test_probes_lead_to_the_page_before_the_node_is_set_up():
    box = make()
    for host, path, _, _ in PROBES:
        for version in ("1.0", "1.1"):
            status, head, body = get(box, path, host, version=version)
            assert status == 302 and "\r\nLocation: http://192.168.4.1/\r\n" in head, (host, path)
            assert len(body) > 4 and b"Success" not in body


def test_probes_are_content_once_the_node_is_online():
    box = make("online")
    for host, path, status, body in PROBES:
        got = get(box, path, host)
        assert (got[0], got[2]) == (status, body), (host, path)
    assert "X-NetworkManager-Status: online" in get(box, "/", "connectivity-check.ubuntu.com")[1]


def test_probe_paths_on_our_own_address_lead_to_the_page():
    for path in ("/generate_204", "/redirect", "/fwlink", "/kindle-wifi/wifistub.html", "/mobile/status.php"):
        assert get(make(), path)[0] == 302


def test_windows_asks_for_the_sign_in_page_and_gets_it_even_when_online():
    for scenario in ("fresh", "online"):
        assert get(make(scenario), "/redirect", "www.msftconnecttest.com")[0] == 302


def test_favicon_and_wpad_are_not_found_anywhere():
    for host in (AP, "wpad", "www.google.com"):
        assert get(make(), "/favicon.ico", host)[0] == 404
        assert get(make(), "/wpad.dat", host)[0] == 404


def test_a_port_other_than_80_stands_in_the_address():
    box = portal.Portal(Node(), AP, 8080)
    assert "Location: http://192.168.4.1:8080/\r\n" in get(box, "/", "example.com")[1]
    assert get(box, "/", AP + ":8080")[0] == 200
    assert get(box, "/", AP)[0] == 302


# The page


def test_the_page_has_what_a_visitor_needs():
    body = get(make())[2]
    for text in (
        b"Home",
        "咖啡馆".encode(),
        b"Neighbour 5",
        b'name="network.key" type="password"',
        b'name="broker.host"',
    ):
        assert text in body, text
    assert body.count(b'value="486f6d65"') == 1  # two access points, one name
    assert b"[[" not in body and b"\n@" not in body


def test_page_headers_keep_strangers_out():
    head = get(make())[1]
    for text in (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "X-Frame-Options: DENY",
        "nosniff",
        "form-action 'self'",
    ):
        assert text in head


def test_nonces_differ_and_match_the_page():
    box = make()
    first, second = get(box), get(box)
    nonce = first[1][first[1].find("'nonce-") + 7 :][:16]
    assert nonce not in second[1]
    assert first[2].count(b'nonce="%s"' % nonce.encode()) == first[2].count(b"<style") + first[2].count(b"<script")


def test_language_by_link_cookie_and_browser():
    box = make()
    zh, en = "密码".encode(), b"Search again"
    assert zh in get(box, "/?lang=zh")[2]
    assert "Set-Cookie: lang=zh" in get(box, "/?lang=zh")[1]
    assert zh in get(box, extra="Cookie: a=b; lang=zh\r\n")[2]
    assert en in get(box, "/?lang=en", extra="Cookie: lang=zh\r\n")[2]
    assert en in get(box, "/?lang=xx\r\n".strip())[2]
    for accept, want in (
        ("zh-CN,zh;q=0.9,en;q=0.8", zh), ("en-US,en;q=0.9,zh;q=0.8", en), ("de,zh;q=0.5", zh), ("fr", en),
        ("en;q=0.1,zh-TW;q=0.2", zh), ("zh;q=0", en), ("zh;q=x", en), (",;q=,;;", en), ("ZH", zh),
    ):  # fmt: skip
        assert want in get(box, extra="Accept-Language: %s\r\n" % accept)[2], accept


def test_head_sends_only_the_head():
    status, head, body = get(make(), method="HEAD")
    assert status == 200 and body == b"" and "Content-Type: text/html" in head
    assert get(make(), "/generate_204", "x.com", method="HEAD")[2] == b""


def test_other_paths_and_methods_are_refused():
    box = make()
    for path in ("/../settings.json", "/%2e%2e/boot.py", "//etc/passwd", "/settings.json", "/index.html", "/save/"):
        assert get(box, path)[0] == 404, path
    for path in ("/save", "/restart", "/reset"):
        assert get(box, path)[0] == 405
    assert post(box, "/", {})[0] == 405
    assert box.node.calls == []


def test_http_1_0_without_host_gets_the_page():
    assert send(make(), b"GET / HTTP/1.0\r\n\r\n")[0] == 200


# Secrets and hostile text


def test_no_secret_is_ever_sent():
    box = make("online")
    for path in ("/", "/?lang=zh", "/export", "/progress"):
        body = get(box, path)[2]
        for secret in (b"secret-wifi-key", b"secret-mqtt", b"secret-cloud", b"correct horse"):
            assert secret not in body, (path, secret)
    status, _, body = post(
        box, "/save", changed(broker__port="70000", mqtt__password="typed-secret", network__key="typed-key-1")
    )
    assert status == 422 and b"typed-secret" not in body and b"typed-key-1" not in body


def test_export_is_json_without_secrets():
    settings = json.loads(str(get(make("online"), "/export")[2], "utf-8"))
    assert settings["mqtt"]["user"] == "me" and settings["mqtt"]["password"] == "********"


def test_hostile_names_are_escaped_wherever_they_stand():
    body = get(make("hostile"))[2]
    at = body.find(b"<script")
    while at >= 0:
        assert body[at : at + 15] == b'<script nonce="', body[at : at + 40]
        at = body.find(b"<script", at + 1)
    for text in (b"<img", b"<u>", b"<b>", b"\x00", b"\xff", b'onerror=alert(1)>"'):
        assert text not in body, text
    assert b"onfocus='" not in body and b"&lt;script&gt;alert(1)" in body
    assert b"[[0]]{{7*7}}@end" in body  # our own marks are no marks in values


def test_refused_forms_show_what_was_typed_escaped():
    box = make()
    evil = '"><script>alert(1)</script>'
    status, _, body = post(box, "/save", changed(mqtt__user=evil, network__ssid=evil, broker__host="a b" + evil))
    assert status == 422 and b"<script>" not in body and b"&quot;&gt;&lt;script&gt;" in body


# Forms


def saved(form, scenario="fresh"):
    """The patch that the form makes, as the node is asked to save it."""
    box = make(scenario)
    patches = []
    box.node.save = lambda patch: patches.append(patch) or []
    status, head, body = post(box, "/save", form)
    assert status == 303 and "Location: /\r\n" in head, body
    return patches[0]


def test_save_hands_the_settings_on():
    patch = saved(GOOD)
    network = patch["wifi"]["networks"][0]
    assert network["ssid"] == "Home" and network["key"] == "good key & more+%" and not network["hidden"]
    assert patch["mqtt"]["brokers"] == [{"host": "10.0.0.2", "port": None, "tls": False}]
    assert patch["mqtt"]["user"] == "me" and patch["mqtt"]["password"] == "pass"
    assert patch["device"]["name"] == "Küche" and "password" not in patch["device"]


def test_empty_secret_is_kept_and_the_box_clears_it():
    patch = saved(changed(mqtt__password="", network__key=""), "online")
    assert patch["mqtt"]["password"] == "secret-mqtt" and patch["wifi"]["networks"][0]["key"] == "secret-wifi-key"
    form = changed(mqtt__password="")
    form["mqtt.password.clear"] = "on"
    assert saved(form, "online")["mqtt"]["password"] is None


def test_hidden_network_and_one_that_is_not_text():
    network = saved(changed(network__ssid=" Hidden's & <net> "))["wifi"]["networks"][0]
    assert network["ssid"] == " Hidden's & <net> " and network["hidden"]
    network = saved(changed(network__ssid_hex="ff00"))["wifi"]["networks"][0]
    assert network["ssid_hex"] == "ff00" and "ssid" not in network


def test_only_the_fields_of_the_platform_count():
    patch = saved(changed(cloud__platform="aliyun", cloud__product="p", cloud__device="d", cloud__secret="s"))
    assert patch["cloud"]["product"] == "p" and "mqtt" not in patch
    assert "product" not in saved(changed(cloud__product="p"))["cloud"]


def test_faults_are_said_and_nothing_is_saved():
    for form, text in (
        (changed(network__key=""), b"needs a key"),
        (changed(network__key="short"), b"8 to 63"),
        (changed(broker__host=""), b"fill in"),
        (changed(broker__port="http"), b"not a number"),
        (changed(broker__port="70000"), b"1 to 65535"),
        (changed(cloud__platform="aliyun"), b"wanted"),
        (changed(cloud__platform="plain homeassistant"), b"wanted"),
        (changed(network__ssid_hex="zz"), b"not readable"),
    ):
        box = make()
        status, _, body = post(box, "/save", form)
        assert status == 422 and text in body, (form, body)
        assert box.node.progress() is None and b'role="alert"' in body


def test_a_trial_shows_its_steps_and_then_its_result():
    async def run():
        box = make()
        box.node.step = 0
        form = changed(network__key="wrong-key")
        assert post(box, "/save", form)[0] == 303
        _, _, body = get(box)
        assert b'http-equiv="refresh"' in body and b"/progress" in body and b'name="network.key"' not in body
        before = get(box, "/progress")[2]
        assert post(box, "/save", form)[0] == 403  # one trial at a time
        while box.node.progress()[0] == portal.TRYING:
            await asyncio.sleep(0)
        assert get(box, "/progress")[2] != before
        body = get(box)[2]
        assert b"wrong WiFi key" in body and b'role="alert"' in body and b'name="network.key"' in body
        assert "WiFi 密码错误".encode() in get(box, "/?lang=zh")[2]
        assert post(box, "/save", GOOD)[0] == 303
        while box.node.progress()[0] == portal.TRYING:
            await asyncio.sleep(0)
        assert b"The settings are saved" in get(box)[2]

    asyncio.run(run())


def test_search_restart_and_reset():
    async def run():
        box = make()
        assert post(box, "/save", {"rescan": "1"})[0] == 303
        assert b"Looking for networks" in get(box)[2]
        assert post(box, "/restart?lang=zh", {})[0] == 200
        assert post(box, "/reset", {})[0] == 303
        assert box.node.calls == ["rescan", "restart"]
        assert post(box, "/reset", {"sure": "on"})[0] == 200
        assert box.node.calls[-1] == "factory_reset"

    asyncio.run(run())


# Who may ask


def test_forged_posts_are_refused():
    box = make()
    for extra in (
        "Origin: http://evil.example\r\n", "Origin: null\r\n", "Origin: https://192.168.4.1\r\n",
        "Origin: http://192.168.4.1:8080\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
    ):  # fmt: skip
        assert post(box, "/reset", {"sure": "on"}, extra=extra)[0] == 403, extra
    for token in ("", "0" * 16, box.token[:-1], box.token + "0"):
        assert post(box, "/reset", {"sure": "on"}, token=token)[0] == 403
    assert box.node.calls == []
    assert (
        post(box, "/reset", {"sure": "on"}, extra="Origin: http://192.168.4.1\r\nSec-Fetch-Site: same-origin\r\n")[0]
        == 200
    )


def test_foreign_host_names_are_never_served():
    box = make("web")
    for host in ("evil.example", "192.168.4.1.evil.example", "192.168.4.1:81", "192.168.4.1@evil.example", "", "[::1]"):
        assert get(box, "/", host)[0] == 302, host
        assert post(box, "/reset", {"sure": "on"}, host)[0] == 302
        assert get(box, "/export", host, NEIGHBOUR)[0] == 421
    assert box.node.calls == []
    for host in ("NODE-1a2b3c.local", "node-1a2b3c.local.", "192.168.4.1:80"):
        assert get(box, "/", host)[0] == 200, host


def test_home_network_needs_the_password_and_wrong_ones_cost_time():
    box = make("web")
    host = "192.168.1.23"
    right = "Authorization: Basic YWRtaW46Y29ycmVjdCBob3JzZQ==\r\n"
    status, head, _ = get(box, "/", host, NEIGHBOUR)
    assert status == 401 and "WWW-Authenticate: Basic" in head
    assert get(box, "/", host, NEIGHBOUR, right)[0] == 200
    for wrong in ("YWRtaW46", "YWRtaW46Y29ycmVjdA==", "YWRtaW46Y29ycmVjdCBob3JzZTA=", "!!!!"):
        box.failures = 0
        assert get(box, "/", host, NEIGHBOUR, "Authorization: Basic %s\r\n" % wrong)[0] == 401, wrong
    assert get(box, "/", host, NEIGHBOUR, right)[0] == 429
    box.failed_at -= 2000
    assert get(box, "/", host, NEIGHBOUR, right)[0] == 200
    assert box.failures == 0
    assert get(box, "/", AP, PHONE)[0] == 200


def test_comparison_takes_the_whole_length():
    assert same(b"abc", b"abc")
    for other in (b"", b"a", b"ab", b"abd", b"abcd", b"Abc"):
        assert not same(b"abc", other)


def test_every_hostile_name_survives_the_way_through_the_form():
    for ssid in HOSTILE:
        code = "".join(["%02x" % c for c in ssid])
        network = saved(changed(network__ssid_hex=code))["wifi"]["networks"][0]
        assert network.get("ssid", "").encode() == ssid or network["ssid_hex"] == code
