"""Readings to messages, messages to commands and acknowledgements, replies, limits, refusals in words."""

import json
import sys

import cloud
from check import raises
from cloud import body, own, thingspeak, why

ACK, ANNOUNCE, COMMAND, FAULT = "ack", "announce", "command", "fault"

DEVICE = {"id": "esp-1", "name": "Küche"}
KEY = "AAECAwQFBgcICQoLDA0ODw=="
SETTINGS = {
    "plain": ({}, {"brokers": [{"host": "h"}], "base_topic": "n/1"}),
    "homeassistant": ({}, {"brokers": [{"host": "h"}], "base_topic": "n/1"}),
    "aliyun": ({"product": "pk", "device": "dn", "secret": "s"}, {}),
    "tencent": ({"product": "pid", "device": "dn", "secret": KEY}, {}),
    "tencent hub": ({"product": "pid", "device": "dn", "secret": KEY}, {}),
    "onenet": ({"product": "pid", "device": "dn", "secret": KEY}, {}),
    "onenet legacy": ({"product": "1", "device": "2", "secret": "s"}, {}),
    "thingsboard": ({"secret": "s"}, {}),
    "adafruitio": ({"secret": "s"}, {"user": "alice"}),
    "thingspeak": ({"product": "9"}, {"client_id": "c", "user": "u", "password": "p"}),
    "azure": ({"product": "hub", "device": "dn", "secret": KEY}, {}),
    "aws": ({"device": "dn"}, {"brokers": [{"host": "h"}]}),
    "emqx": ({}, {"brokers": [{"host": "h"}], "user": "u", "password": "p"}),
    "hivemq": ({}, {"brokers": [{"host": "h"}], "user": "u", "password": "p"}),
}
READINGS = [("temperature", 23.46, "°C", 1), ("door", True, "", 0), ("count", 7, "", 0), ("none", None, "", 0)]
AT = 1700000000


def made(name, **more):
    settings, mqtt = SETTINGS[name]
    platform, _, edition = (name + " ").replace(" ", "\n", 1).split("\n")[0], None, name[name.find(" ") + 1 :]
    return cloud.create(
        dict(settings, platform=platform, edition=edition if " " in name else "", **more.pop("cloud", {})),
        dict(mqtt, **more),
        DEVICE,
    )


def only(messages):
    assert len(messages) == 1
    return messages[0]


def test_numbers():
    assert body.number(23.46, 1) == "23.5"
    assert body.number(23.0, 0) == "23"
    assert body.number(23.0, 0, True) == "23.0"
    assert body.number(10.0, None, True) == "10.0"
    assert body.number(1e20, None, True) in ("1.0e+20", "100000000000000000000.0")
    assert body.number(7) == "7" and body.number(True) == "true" and body.number('a"') == '"a\\""'
    for nothing in (None, float("nan"), float("inf"), -float("inf")):
        assert body.number(nothing, 1) is None


def test_plain_report():
    p = made("plain")
    topic, payload, ident = only(p.report(READINGS, AT))
    assert topic == "n/1/telemetry" and ident is None
    assert payload == '{"temperature":23.5,"door":true,"count":7,"time":1700000000}'
    assert only(p.report([("t", 1.0, "", 2)]))[1] == '{"t":1.00}'
    assert p.report([("t", None, "", 0)]) == []
    p.topics = True
    assert [m[:2] for m in p.report(READINGS)] == [
        ("n/1/temperature", "23.5"),
        ("n/1/door", "true"),
        ("n/1/count", "7"),
    ]


def test_plain_presence():
    assert made("plain").presence == "n/1/status"
    assert made("plain", availability=False).presence is None


def test_plain_commands():
    p = made("plain")
    assert p.subscriptions() == [("n/1/cmd", 1), ("n/1/cmd/+", 1)]
    assert p.decode("n/1/cmd/restart", b"") == (COMMAND, "restart", {}, ("n/1/reply", None))
    assert p.decode("n/1/cmd/set", b'{"id":7,"relay":true}') == (COMMAND, "set", {"relay": True}, ("n/1/reply", 7))
    assert p.decode("n/1/cmd/period", b"30")[2] == {"value": 30}
    assert p.decode("n/1/cmd", b"restart")[1] == "restart"
    assert p.decode("n/1/cmd", b'{"command":"restart","id":"a"}') == (COMMAND, "restart", {}, ("n/1/reply", "a"))
    assert p.decode("n/1/cmdx", b"") is None and p.decode("other", b"") is None
    assert p.reply(("n/1/reply", 7)) == ("n/1/reply", '{"ok":true,"id":7}')
    assert json.loads(p.reply(("t", None), False, 'no "x"')[1]) == {"ok": False, "error": 'no "x"'}
    assert json.loads(p.reply(("t", None), True, "", {"a": 1})[1]) == {"ok": True, "data": {"a": 1}}


def test_hostile_commands():
    deep = b"[" * 3000 + b"]" * 3000
    for payload in (
        b"\xff\xfe",
        b"",
        b"{",
        b"[]",
        b'{"command":5}',
        b'{"command":[]}',
        b'{"id":{}}',
        b"null",
        b"\x00",
        deep,
    ):
        kind, name, _, ref = own.request(payload, "", "t")
        assert kind in (COMMAND, FAULT) and isinstance(name, str) and ref[0] == "t" and ref[1] is None
    hostile = (b"", b"\xff", b"[]", b"{}", b"nonsense", b'{"id":[],"params":{}}', b'{"id":1,"params":5}', deep)
    hostile += (
        b'{"method":"control"}',
        b'{"method":"action","clientToken":1,"params":{},"actionId":5}',
        b'{"method":5}',
    )
    for name in SETTINGS:
        p = made(name)
        for topic, _ in p.subscriptions(("relay",), ("restart",)):
            for end in (
                topic,
                topic.replace("+", "1"),
                topic.replace("#", "x/?$rid=1"),
                topic + "/",
                "$creq/1",
                "/",
                "",
            ):
                for payload in hostile:
                    found = p.decode(end, payload)
                    assert found is None or (len(found) == 4 and found[0] in (COMMAND, ACK, FAULT, ANNOUNCE)), (
                        name,
                        end,
                    )
                    if found and found[0] is COMMAND:
                        assert isinstance(found[1], str) and isinstance(found[2], dict), (name, end, payload, found)
                        p.reply(found[3])


def test_home_assistant_discovery():
    p = made("homeassistant")
    assert p.subscriptions()[0] == ("homeassistant/status", 1)
    assert p.decode("homeassistant/status", b"online")[0] == ANNOUNCE
    assert p.decode("homeassistant/status", b"offline") is None
    items = [
        ("sensor", "temperature", "°C"),
        ("sensor", "humidity", "%"),
        ("binary_sensor", "door", ""),
        ("switch", "relay", ""),
    ]
    topic, payload, retain = only(p.announce(items))
    found = json.loads(b"".join(payload))
    assert topic == "homeassistant/device/esp-1/config" and retain
    assert found["dev"] == {"ids": ["esp-1"], "name": "Küche"} and found["avty_t"] == "n/1/status"
    temperature = found["cmps"]["temperature"]
    assert temperature["dev_cla"] == "temperature" and temperature["unit_of_meas"] == "°C"
    assert temperature["stat_t"] == "n/1/telemetry"
    assert temperature["val_tpl"] == "{{ value_json['temperature'] }}"
    assert found["cmps"]["humidity"]["dev_cla"] == "humidity"
    relay = found["cmps"]["relay"]
    assert relay["cmd_t"] == "n/1/cmd/set" and relay["stat_t"] == "n/1/output/relay" and relay["stat_on"] == "on"
    assert p.decode(relay["cmd_t"], relay["pl_on"].encode())[:3] == (COMMAND, "set", {"relay": True})
    assert cloud.create({}, {"brokers": [{"host": "h"}], "discovery": True}, DEVICE).announce(items)


def test_aliyun_messages():
    p = made("aliyun")
    root = "/sys/pk/dn/thing/"
    topic, payload, ident = only(p.report([("temperature", 10.0, "", 0), ("n", 3, "", 0)]))
    assert topic == root + "event/property/post" and ident == "1"
    assert payload == (
        '{"id":"1","version":"1.0","params":{"temperature":10.0,"n":3},"method":"thing.event.property.post"}'
    )
    found = json.loads(only(p.report(READINGS, AT))[1])
    assert found["id"] == "2" and found["params"]["temperature"] == {"value": 23.5, "time": 1700000000000}
    assert p.decode(root + "event/property/post_reply", b'{"id":"2","code":200,"data":{}}')[:3] == (ACK, "2", True)
    kind, ident, ok, text = p.decode(root + "event/property/post_reply", b'{"id":"2","code":460,"message":"request"}')
    assert (kind, ident, ok, text) == (ACK, "2", False, "460 request")
    found = p.decode(root + "service/property/set", b'{"id":"9","version":"1.0","params":{"relay":1}}')
    assert found[:3] == (COMMAND, "set", {"relay": 1})
    topic, payload = p.reply(found[3])
    assert topic == root + "service/property/set_reply"
    assert json.loads(payload) == {"id": "9", "code": 200, "data": {}, "message": ""}
    found = p.decode(root + "service/restart", b'{"id":"9","params":{}}')
    assert found[1] == "restart"
    assert p.reply(found[3], False, "not now")[0] == root + "service/restart_reply"
    assert json.loads(p.reply(found[3], False, "not now")[1])["code"] != 200
    assert (root + "service/restart", 1) in p.subscriptions((), ("restart",))


def test_aliyun_hosts():
    assert made("aliyun", cloud={"instance": "iot-060a"}).brokers[0][0] == "iot-060a.mqtt.iothub.aliyuncs.com"
    p = made("aliyun", cloud={"region": "ap-southeast-1", "tls": True})
    assert p.brokers == [("pk.iot-as-mqtt.ap-southeast-1.aliyuncs.com", 8883, True)]
    assert "securemode=2" in p.credentials()[0]
    assert made("aliyun", brokers=[{"host": "bridge", "port": 1884}]).brokers == [("bridge", 1884, False)]


def test_tencent_explorer_messages():
    p = made("tencent")
    topic, payload, ident = only(p.report(READINGS[:1], AT))
    assert topic == "$thing/up/property/pid/dn" and ident == "1"
    assert json.loads(payload) == {
        "method": "report",
        "clientToken": "1",
        "timestamp": AT,
        "params": {"temperature": 23.5},
    }
    down = "$thing/down/property/pid/dn"
    assert p.decode(down, b'{"method":"report_reply","clientToken":"1","code":0,"status":"success"}')[:3] == (
        ACK,
        "1",
        True,
    )
    found = p.decode(down, b'{"method":"control","clientToken":"x","params":{"relay":1}}')
    assert found[:3] == (COMMAND, "set", {"relay": 1})
    topic, payload = p.reply(found[3])
    assert topic == "$thing/up/property/pid/dn"
    assert json.loads(payload) == {"method": "control_reply", "clientToken": "x", "code": 0, "status": ""}
    action = b'{"method":"action","clientToken":"y","actionId":"restart","timestamp":1,"params":{}}'
    found = p.decode("$thing/down/action/pid/dn", action)
    assert found[:3] == (COMMAND, "restart", {})
    topic, payload = p.reply(found[3], False, "no")
    assert topic == "$thing/up/action/pid/dn" and json.loads(payload)["method"] == "action_reply"
    assert p.decode("$thing/down/property/pid/other", b"{}") is None


def test_tencent_hub_messages():
    p = made("tencent hub")
    assert only(p.report(READINGS[:1])) == ("pid/dn/event", '{"temperature":23.5}', None)
    found = p.decode("pid/dn/control", b'{"command":"set","id":1,"relay":0}')
    assert found[:3] == (COMMAND, "set", {"relay": 0})
    assert p.reply(found[3]) == ("pid/dn/event", '{"ok":true,"id":1}')


def test_onenet_messages():
    p = made("onenet")
    topic, payload, _ = only(p.report([("temp", 30.6, "", 1)], AT))
    assert topic == "$sys/pid/dn/thing/property/post"
    assert payload == '{"id":"1","version":"1.0","params":{"temp":{"value":30.6,"time":1700000000000}}}'
    assert p.decode(topic + "/reply", b'{"id":"1","code":200,"msg":"success"}')[:3] == (ACK, "1", True)
    found = p.decode("$sys/pid/dn/thing/property/set", b'{"id":"5","version":"1.0","params":{"relay":true}}')
    assert found[:3] == (COMMAND, "set", {"relay": True})
    topic, payload = p.reply(found[3])
    assert topic == "$sys/pid/dn/thing/property/set_reply"
    assert json.loads(payload) == {"id": "5", "code": 200, "msg": "success"}
    found = p.decode("$sys/pid/dn/thing/service/restart/invoke", b'{"id":"6","params":{}}')
    assert found[1] == "restart" and p.reply(found[3])[0] == "$sys/pid/dn/thing/service/restart/invoke_reply"


def test_onenet_legacy_messages():
    p = made("onenet legacy")
    found = p.decode("$creq/uuid-1", b'{"command":"set","relay":1}')
    assert found[:3] == (COMMAND, "set", {"relay": 1}) and p.reply(found[3])[0] == "$crsp/uuid-1"
    payload = only(p.report(READINGS))[1]
    assert payload[0] == 1 and payload[1] * 256 + payload[2] == len(payload) - 3
    assert len(json.loads(str(payload[3:], "utf-8"))["datastreams"]) == 3


def test_thingsboard_messages():
    p = made("thingsboard")
    assert only(p.report(READINGS[:1]))[1] == '{"temperature":23.5}'
    assert only(p.report(READINGS[:1], AT))[1] == '{"ts":1700000000000,"values":{"temperature":23.5}}'
    found = p.decode("v1/devices/me/rpc/request/12", b'{"method":"set","params":{"relay":true}}')
    assert found == (COMMAND, "set", {"relay": True}, "12")
    assert p.reply(found[3]) == ("v1/devices/me/rpc/response/12", '{"ok": true}')
    assert p.decode("v1/devices/me/attributes", b'{"relay":true}') == (COMMAND, "set", {"relay": True}, None)
    assert p.reply(None) is None


def test_adafruit_io_messages():
    p = made("adafruitio", cloud={"device": "kitchen"})
    assert only(p.report([("Air_Temp", 23.46, "", 1)])) == ("alice/feeds/kitchen.air-temp", "23.5", None)
    assert p.decode("alice/feeds/kitchen.command", b"restart") == (COMMAND, "restart", {}, None)
    assert p.decode("alice/feeds/kitchen.relay", b"ON") == (COMMAND, "set", {"relay": "ON"}, None)
    kind, text, _, ref = p.decode("alice/throttle", b"too much")
    assert kind == FAULT and "too much" in text and ref is None
    assert p.report([("x", "y" * 1025, "", 0)]) == [] and p.dropped == 1


def test_thingspeak_messages():
    p = made("thingspeak")
    assert only(p.report(READINGS)) == ("channels/9/publish", "field1=23.5&field2=true&field3=7", None)
    payload = only(p.report(READINGS[:1], AT))[1]
    assert payload == "field1=23.5&created_at=2023-11-14T22%3A13%3A20Z"
    p = made("thingspeak", cloud={"fields": "count, temperature"})
    assert only(p.report(READINGS))[1] == "field2=23.5&field1=7" and p.dropped == 1


def test_iso8601():
    for at, text in (
        (0, "1970-01-01T00:00:00Z"),
        (951782400, "2000-02-29T00:00:00Z"),
        (1709251199, "2024-02-29T23:59:59Z"),
        (1735689599, "2024-12-31T23:59:59Z"),
        (4102444800, "2100-01-01T00:00:00Z"),
    ):
        assert thingspeak.iso8601(at) == text


def test_azure_messages():
    p = made("azure")
    found = p.decode("$iothub/methods/POST/restart/?$rid=3", b"{}")
    assert found == (COMMAND, "restart", {}, "?$rid=3")
    assert p.reply(found[3]) == ("$iothub/methods/res/200/?$rid=3", "{}")
    assert p.reply(found[3], False, "no")[0] == "$iothub/methods/res/400/?$rid=3"
    found = p.decode("devices/dn/messages/devicebound/%24.mid=1", b'{"command":"set","relay":1}')
    assert found == (COMMAND, "set", {"relay": 1}, None) and p.reply(None) is None


def test_tokens_need_the_clock_and_are_renewed_before_they_end():
    for name in ("tencent", "onenet", "azure"):
        p = made(name, cloud={"expiry": 3600})
        assert p.needs_clock
        assert str(raises(ValueError, p.credentials, None)).startswith("clock")
        first = p.credentials(AT)
        assert p.renew_at == AT + 3600 - 360
        assert str(AT + 3600) in first[1] + first[2]
        assert str(AT + 7200) in p.credentials(AT + 3600)[1] + p.credentials(AT + 3600)[2]
    for name in ("tencent", "onenet"):
        p = made(name)
        assert not p.needs_clock and "2147483647" in "".join(p.credentials(None)[1:]) and p.renew_at is None
    assert made("azure").needs_clock


def test_limits():
    no_will = ("aliyun", "tencent", "tencent hub", "onenet", "onenet legacy", "thingsboard", "adafruitio", "thingspeak")
    for name in SETTINGS:
        p = made(name, qos=2, retain=True, keepalive=10)
        if name in no_will:
            assert p.presence is None and not p.retain and p.qos < 2, name
    assert made("aliyun", keepalive=10).keepalive == 30 and made("aliyun", keepalive=5000).keepalive == 1200
    assert made("tencent", keepalive=10).keepalive == 60 and made("tencent", keepalive=1200).keepalive == 690
    assert made("tencent").connect_interval == 5000
    assert made("thingspeak", qos=1).qos == 0 and made("thingspeak").clean_only
    for name in ("azure", "aws", "emqx", "hivemq"):
        assert made(name).brokers[0][1:] == (8883, True), name


def test_a_report_that_is_too_large_is_split():
    for name in ("tencent", "thingsboard", "plain"):
        p = made(name)
        p.max_payload = 400
        readings = [("value%d" % i, "é" * 20, "", 0) for i in range(30)] + [("big", "x" * 400, "", 0)]
        found = p.report(readings, AT)
        assert len(found) > 3 and p.dropped == 1
        names = []
        for _, payload, _ in found:
            assert len(payload.encode()) <= 400
            body = json.loads(payload)
            names += list((body.get("params") or body.get("values") or body).keys())
        assert len([n for n in names if n.startswith("value")]) == 30
        assert len({i for _, _, i in found}) == (len(found) if p.confirms else 1)


def test_identities_that_would_change_topics_are_refused():
    for bad in ("a/b", "a+b", "#", "a b", "a\nb", "é" * 99, "a;b", "a&b", "a|b", ""):
        for name in ("aliyun", "tencent", "onenet"):
            text = str(raises(ValueError, made, name, cloud={"device": bad}))
            assert text.startswith("cloud.device: "), text
    assert "cloud.secret" in str(raises(ValueError, made, "tencent", cloud={"secret": "!!"}))
    assert "mqtt.user" in str(raises(ValueError, made, "adafruitio", user=""))
    assert "mqtt.brokers" in str(raises(ValueError, made, "plain", brokers=[]))
    for name in ("nonsense", "base", "sign", "why", "../x", "__init__", ""):
        if name:
            assert "cloud.platform" in str(raises(ValueError, cloud.create, {"platform": name}, {}, DEVICE))


def test_refusals_in_the_platforms_terms():
    assert "DeviceSecret" in why.explain("aliyun", 5, "h.aliyuncs.com") and "h.aliyuncs.com" in why.explain(
        "aliyun", 5, "h.aliyuncs.com"
    )
    assert "malformed" in why.explain("aliyun", 4)
    assert "clock" in why.explain("tencent", 5, "", True) and "clock" not in why.explain("tencent", 5)
    for name in SETTINGS:
        texts = {why.explain(name.split(" ")[0], code) for code in range(1, 7)}
        assert len(texts) >= 4 and "" not in texts
    host = "a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com"
    for name in SETTINGS:
        for code in range(6):
            assert len("mqtt: " + why.explain(name.split(" ")[0], code, host, True)) <= 120, "a line of the node's log"


def test_method_may_be_named_with_or_without_hmac():
    for name in ("aliyun", "tencent", "onenet"):
        first = made(name, cloud={"method": "sha1"}).credentials(1)
        assert "sha1" in first[0] + first[2]
        if name == "aliyun":
            assert "signmethod=hmacsha1|" in first[0]
        if name == "tencent":
            assert first[2].endswith(";hmacsha1")
        if name == "onenet":
            assert first == made(name, cloud={"method": "hmacsha1"}).credentials(1)


def test_release_leaves_no_module_behind():
    for name in SETTINGS:
        platform = made(name)
        platform.report([("temperature", 1.5, "", 1)])
        platform.credentials(1700000000)
        platform.explain(5)
        cloud.release()
        assert [m for m in sys.modules if m.startswith("cloud.")] == []
