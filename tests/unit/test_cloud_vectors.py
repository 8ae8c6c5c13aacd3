"""Worked examples: values from the vendors' documents, or made by running the vendors' own SDKs; byte for byte.

The hash functions are those of the chip: SHA-1 and SHA-256 with update() and one digest(), no MD5, no hexdigest().
"""

import hashlib
import sys

import cloud
from check import raises


class ChipHash:
    """A hash object as MicroPython on ESP8266 has it: the digest can be taken once."""

    def __init__(self, kind, data=b""):
        self._hash = kind()
        self._hash.update(data)

    def update(self, data):
        self._hash.update(data)

    def digest(self):
        found = self._hash.digest()
        self._hash = None
        return found


class ChipHashlib:
    """The chip's hashlib."""

    @staticmethod
    def sha1(data=b""):
        return ChipHash(hashlib.sha1, data)

    @staticmethod
    def sha256(data=b""):
        return ChipHash(hashlib.sha256, data)


def on_chip(test):
    """The test, with the chip's hashlib for lib/cloud; `sign`, `aliyun`, ... are modules that were loaded with it."""

    def run():
        global aliyun, azure, onenet, sign, tencent
        real = sys.modules.get("hashlib")
        sys.modules["hashlib"] = ChipHashlib
        cloud.release()
        try:
            from cloud import aliyun, azure, onenet, sign, tencent

            test()
        finally:
            cloud.release()
            if real is None:
                del sys.modules["hashlib"]
            else:
                sys.modules["hashlib"] = real

    return run


DEVICE = {"id": "esp8266-01"}


def made(settings, mqtt=None):
    return cloud.create(settings, mqtt or {}, DEVICE)


@on_chip
def test_the_chip_has_no_md5_here():
    assert not hasattr(sign.hashlib, "md5")


@on_chip
def test_hmac_rfc_2202_and_4231():
    for method, key, data, expected in (
        ("sha1", b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        ("sha1", b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            "sha1",
            b"\xaa" * 80,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ),
        (
            "sha256",
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            "hmacsha256",
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        found = sign.hmac(method, key, data)
        assert sign.binascii.hexlify(found).decode() == expected


@on_chip
def test_md5_is_refused_with_the_reason():
    for method in ("hmacmd5", "md5"):
        text = str(raises(ValueError, sign.hmac, method, b"k", b"m"))
        assert "no MD5" in text and "hmacsha256" in text
    assert "no MD5" in str(
        raises(
            ValueError, made, {"platform": "aliyun", "product": "p", "device": "d", "secret": "s", "method": "hmacmd5"}
        )
    )


@on_chip
def test_aliyun_document_example():
    client, user, password = aliyun.sign("pk", "device", "secret", "hmacsha1", 3, "12345", "789")
    assert client == "12345|securemode=3,signmethod=hmacsha1,timestamp=789|"
    assert user == "device&pk"
    # the document prints upper-case digits, the platform takes either
    assert password.upper() == "FAFD82A3D602B37FB0FA8B7892F24A477F851A14"
    p = made({"platform": "aliyun", "product": "pk", "device": "device", "secret": "secret"})
    assert p.brokers == [("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883, False)]


@on_chip
def test_aliyun_python_sdk():
    # ext, _ss, lan and _v are marks of that SDK, unsigned; the node does not send them
    found = aliyun.sign(
        "a1Zb0cDeFgH",
        "esp8266-01",
        "0123456789abcdef0123456789abcdef",
        "hmacsha1",
        3,
        "a1Zb0cDeFgH&esp8266-01",
        "1700000000",
        "ext=1,_ss=1,lan=Python,_v=1.2.13",
    )
    assert found == (
        "a1Zb0cDeFgH&esp8266-01|securemode=3,signmethod=hmacsha1,ext=1,_ss=1,lan=Python,_v=1.2.13,timestamp=1700000000|",
        "esp8266-01&a1Zb0cDeFgH",
        "5d4e88ce46c4136e7e01a75b45f6704cab4b5e5f",
    )


@on_chip
def test_aliyun_as_the_node_connects():
    p = made(
        {
            "platform": "aliyun",
            "product": "a1Zb0cDeFgH",
            "device": "esp8266-01",
            "secret": "0123456789abcdef0123456789abcdef",
            "method": "hmacsha1",
        }
    )
    assert p.credentials() == (
        "esp8266-01|securemode=3,signmethod=hmacsha1|",
        "esp8266-01&a1Zb0cDeFgH",
        "e225cb39d106779aeae68fa8781aa9f145cc6330",
    )
    assert p.brokers == [("a1Zb0cDeFgH.iot-as-mqtt.cn-shanghai.aliyuncs.com", 1883, False)]
    assert not p.needs_clock


@on_chip
def test_tencent_python_sdk():
    found = tencent.sign(
        "ABCDE12345esp8266_01",
        sign.unbase64("AAECAwQFBgcICQoLDA0ODw=="),
        "hmacsha1",
        1700000000000,
        "aB3xZ",
        "21010406",
    )
    assert found == (
        "ABCDE12345esp8266_01",
        "ABCDE12345esp8266_01;21010406;aB3xZ;1700000000000",
        "a11210d4ab0e14e82d69e382c5a865352009b6ad;hmacsha1",
    )


@on_chip
def test_tencent_document_sample():
    found = tencent.sign(
        "ABCDE12345esp8266_01", sign.unbase64("AAECAwQFBgcICQoLDA0ODw=="), "hmacsha256", 1700003600, "AB3XZ"
    )
    assert found == (
        "ABCDE12345esp8266_01",
        "ABCDE12345esp8266_01;12010126;AB3XZ;1700003600",
        "2daf8c3ac9bd6d0c4bfed33654169d7c5c6543ba6dae478d2874656bd854cd21;hmacsha256",
    )


@on_chip
def test_tencent_as_the_node_connects():
    settings = {"product": "ABCDE12345", "device": "esp8266_01", "secret": "AAECAwQFBgcICQoLDA0ODw=="}
    for edition in ("", "explorer", "hub"):
        p = made(dict(settings, platform="tencent", edition=edition, expiry=3600))
        assert p.brokers == [("ABCDE12345.iotcloud.tencentdevices.com", 1883, False)]
        client, user, password = p.credentials(1700000000)
        words = user.split(";")
        assert client == words[0] == "ABCDE12345esp8266_01"
        assert words[1] == "12010126" and len(words[2]) == 5 and words[3] == "1700003600"
        key = sign.unbase64(settings["secret"])
        assert password == tencent.sign(client, key, "hmacsha256", 1700003600, words[2])[2]


@on_chip
def test_onenet_document_inputs():
    p = made(
        {
            "platform": "onenet",
            "product": "123123",
            "device": "mydev",
            "secret": "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=",
            "method": "hmacsha1",
            "expiry": 3600,
        }
    )
    assert p.credentials(1537255523 - 3600) == (
        "mydev",
        "123123",
        "version=2018-10-31&res=products%2F123123%2Fdevices%2Fmydev&et=1537255523&method=sha1"
        "&sign=p2Bv5QYrZolQCtt68923gtxRCVk%3D",
    )
    assert p.brokers == [("mqtts.heclouds.com", 1883, False)]


@on_chip
def test_onenet_java_sdk():
    found = onenet.token(
        "products/Ab3dEf9HiJ/devices/esp8266_01",
        sign.unbase64("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
        2524608000,
        "sha1",
    )
    assert found == (
        "version=2018-10-31&res=products%2FAb3dEf9HiJ%2Fdevices%2Fesp8266_01&et=2524608000&method=sha1"
        "&sign=bXmmUiiysZf7mTfkr3z0evFUVdM%3D"
    )


@on_chip
def test_onenet_legacy_document():
    p = made(
        {
            "platform": "onenet",
            "edition": "legacy",
            "product": "433223",
            "device": "123",
            "secret": "<auth_info set at device creation>",
        }
    )
    assert p.credentials() == ("123", "433223", "<auth_info set at device creation>")
    assert p.brokers == [("183.230.40.39", 6002, False)]
    assert p.presence is None
    found = p.report([("temperature", 36.5, "°C", 1)])
    assert len(found) == 1 and found[0][0] == "$dp"
    assert sign.binascii.hexlify(found[0][1]).decode() == (
        "0100447b226461746173747265616d73223a5b7b226964223a2274656d7065726174757265222c2264617461706f696e7473223a"
        "5b7b2276616c7565223a33362e357d5d7d5d7d"
    )


@on_chip
def test_azure_python_sdk():
    settings = {
        "platform": "azure",
        "product": "myhub",
        "device": "esp8266-01",
        "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "expiry": 3600,
    }
    for hub in ("myhub", "myhub.azure-devices.net"):
        p = made(dict(settings, product=hub))
        assert p.brokers == [("myhub.azure-devices.net", 8883, True)]
        assert p.credentials(1900000000 - 3600) == (
            "esp8266-01",
            "myhub.azure-devices.net/esp8266-01/?api-version=2021-04-12",
            "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fesp8266-01"
            "&sig=waSD0hY8ABiJjtvoXIJQg%2B3AFjwqHFJZzQoVBdogrNQ%3D&se=1900000000",
        )
        assert p.report([("t", 1, "", 0)])[0][0] == "devices/esp8266-01/messages/events/"
    assert azure.token("a/b", b"k", 1).startswith("SharedAccessSignature sr=a%2Fb&sig=")


@on_chip
def test_aws_client_certificate():
    host = "a1b2c3example-ats.iot.us-east-1.amazonaws.com"
    p = made({"platform": "aws", "device": "esp8266-01"}, {"brokers": [{"host": host}]})
    assert p.brokers == [(host, 8883, True)]
    assert p.credentials() == ("esp8266-01", None, None)
    assert p.cert and p.key


@on_chip
def test_thingsboard_access_token():
    p = made({"platform": "thingsboard", "secret": "A1_TEST_TOKEN"}, {"brokers": [{"host": "tb.example"}]})
    assert p.brokers == [("tb.example", 1883, False)]
    assert p.credentials()[1:] == ("A1_TEST_TOKEN", None)
    assert p.report([("t", 1, "", 0)])[0][0] == "v1/devices/me/telemetry"


@on_chip
def test_adafruit_io_key():
    p = made({"platform": "adafruitio", "secret": "aio_TESTKEY0000"}, {"user": "alice"})
    assert p.brokers == [("io.adafruit.com", 1883, False)]
    assert p.credentials()[1:] == ("alice", "aio_TESTKEY0000")
    assert p.report([("temperature", 1, "", 0)])[0][0] == "alice/feeds/temperature"
    p = made({"platform": "adafruitio", "secret": "aio_TESTKEY0000", "tls": True}, {"user": "alice"})
    assert p.brokers == [("io.adafruit.com", 8883, True)]
