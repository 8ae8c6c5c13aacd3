"""HMAC, base64 and percent-encoding for the platforms that sign their passwords.

The chip has no `hmac` module and no MD5, and its hash objects can be asked for their digest only once.
"""

import binascii
import hashlib

from cloud.body import quote

if False:  # for the type checker; compiled to nothing
    from cloud import Platform

FOREVER = 2147483647  # Unix time in 2038: the expiry that 32-bit vendor SDKs send for "always valid"


def hmac(method: str, key: bytes, message: bytes) -> bytes:
    """HMAC (RFC 2104) of `message`; `method` is sha1 or sha256, with or without a leading "hmac".

    Raises ValueError for md5, which the ESP8266's MicroPython is built without, and for unknown methods.
    """
    if method.startswith("hmac"):
        method = method[4:]
    if method not in ("sha1", "sha256"):
        raise ValueError("cloud.method: hmacsha256 or hmacsha1 wanted; the ESP8266 has no MD5")
    make = getattr(hashlib, method)
    if len(key) > 64:
        key = make(key).digest()
    block = bytearray(64)
    block[: len(key)] = key
    for i in range(64):
        block[i] ^= 0x36
    inner = make(bytes(block))
    inner.update(message)
    for i in range(64):
        block[i] ^= 0x36 ^ 0x5C
    outer = make(bytes(block))
    outer.update(inner.digest())
    return outer.digest()


def hexmac(method: str, key: bytes, message: str) -> str:
    """HMAC of the text, as lower-case hex."""
    return str(binascii.hexlify(hmac(method, key, message.encode())), "ascii")


def mac64(method: str, key: bytes, message: str) -> str:
    """HMAC of the text, as base64, percent-encoded."""
    return quote(str(binascii.b2a_base64(hmac(method, key, message.encode())), "ascii").strip())


def unbase64(text: str) -> bytes:
    """The bytes of a secret that the console shows as base64; ValueError when it is not."""
    try:
        key = binascii.a2b_base64(text)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("cloud.secret: base64 wanted, whole, as the console shows it")
    return key


def expiry(platform: "Platform", life: int, now: int | None) -> int:
    """Unix time at which a token made at `now` is to end; 2038 if `life` (s) is 0. Sets the platform's `renew_at` to
    when nine tenths of its life, or all but 30 s of a short one, are over."""
    if not life:
        return FOREVER
    if now is None:
        raise ValueError("clock: no time yet for a token")
    platform.renew_at = now + life - max(30, life // 10)
    return now + life
