"""HMAC, base64 and percent-encoding for the platforms that sign their passwords.

The chip has no `hmac` module and no MD5, and its hash objects can be asked for their digest only once.
"""

import binascii
import hashlib


def hmac(method: str, key: bytes, message: bytes) -> bytes:
    """HMAC (RFC 2104) of `message`; `method` is sha1 or sha256, with or without a leading "hmac".

    Raises ValueError for md5, which the ESP8266's MicroPython is built without, and for unknown methods.
    """
    if method.startswith("hmac"):
        method = method[4:]
    if method == "md5":
        raise ValueError("cloud.method: the ESP8266 has no MD5; choose hmacsha256 or hmacsha1")
    if method not in ("sha1", "sha256"):
        raise ValueError("cloud.method: hmacsha256 or hmacsha1 wanted, not %r" % method)
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
    return binascii.hexlify(hmac(method, key, message.encode())).decode()


def mac64(method: str, key: bytes, message: str) -> str:
    """HMAC of the text, as base64, percent-encoded."""
    return quote(binascii.b2a_base64(hmac(method, key, message.encode())).decode().strip())


def unbase64(text: str) -> bytes:
    """The bytes of a secret that the console shows as base64; ValueError when it is not."""
    try:
        key = binascii.a2b_base64(text)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("cloud.secret: base64 wanted, as the console shows it (whole, with any = at its end)")
    return key


def quote(text: str) -> str:
    """Percent-encode all but the unreserved characters of RFC 3986."""
    out = ""
    for byte in text.encode():
        c = chr(byte)
        if "0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z" or c in "-._~":
            out += c
        else:
            out += "%%%02X" % byte
    return out
