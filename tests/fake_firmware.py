"""A file with the layout of MicroPython's firmware for the ESP8266 (ports/esp8266/makeimg.py), without its code."""

from __future__ import annotations

import hashlib
import struct

SEGMENTS = 0x9000


def firmware(
    build: str = "ESP8266_GENERIC-FLASH_2M_ROMFS",
    version: str = "1.29.0",
    size: int = 600_000,
    address: int = 0x40100000,
    frozen: bytes = b"",
) -> bytes:
    """The bytes. `size`: of the whole file, at least 40,000. `address`: where its first segment is loaded.

    frozen: names of frozen modules, each with a NUL after it.
    """
    segment = bytes(range(256)) * 4
    checksum = 0xEF
    for byte in segment:
        checksum ^= byte
    head = struct.pack("<BBBBI", 0xE9, 1, 0, 0x40, address) + struct.pack("<II", address, len(segment)) + segment
    head += b"\0" * (15 - len(head) % 16) + bytes([checksum])
    head = head.ljust(SEGMENTS - 4, b"\xff")
    names = b"\0" + build.encode() + b"\0" + f"MicroPython v{version} on 2026-08-24; {build}".encode() + b"\0" + frozen
    code = (names + b"\x12\x34" * size)[: size - SEGMENTS - 16]
    length = SEGMENTS + len(code)
    whole = head + struct.pack("<I", length) + code
    return whole + hashlib.md5(whole[4:]).digest()
