"""Hostile byte streams for the fuzz runs: valid packets, bent in every usual way. CPython and MicroPython."""


def _size(size):
    out = []
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes(out + [size])  # noqa: RUF005  (MicroPython has no unpacking here)


def _publish(topic, payload, first, pid):
    body = bytes((len(topic) >> 8, len(topic) & 255)) + topic
    if first & 6:
        body += bytes((pid >> 8, pid & 255))
    body += payload
    return bytes((first,)) + _size(len(body)) + body


def valid(bits):
    """A valid packet of a broker. bits(n): n random bits."""
    kind = bits(4)
    pid = 1 + bits(3)
    if kind < 7:
        topic = (b"a", b"a/b", b"\xc2\xb0C", b"long/" * 20, b"\xe4\xb8\xad")[bits(8) % 5]
        payload = bytes(bits(3) if bits(1) else bits(9))
        return _publish(topic, payload, 0x30 | (bits(4) % 6 if bits(1) else bits(1) | (2, 4, 10, 12)[bits(2)]), pid)
    if kind < 12:
        return bytes(((0x40, 0x50, 0x62, 0x70, 0xB0)[kind - 7], 2, 0, pid))
    if kind == 12:
        return bytes((0x90, 3, 0, pid, (0, 1, 2, 0x80)[bits(2)]))
    if kind == 13:
        return b"\x20\x02\x00\x00"
    return b"\xd0\x00"


def hostile(bits):
    """A stream of a few packets with a few faults in it."""
    data = bytearray()
    for _ in range(1 + bits(2)):
        data += valid(bits)
    for _ in range(bits(2)):
        what = bits(3)
        at = bits(12) % len(data) if data else 0
        if not data or what == 0:
            data += bytes((bits(8),))
        elif what == 1:
            data[at] ^= 1 << bits(3)
        elif what == 2:
            data[at] = (0, 1, 0x7F, 0x80, 0xFF)[bits(8) % 5]
        elif what == 3:
            data = data[:at]
        elif what == 4:
            data = data[:at] + data[at + 1 + bits(3) :]
        elif what == 5:
            data = data[:at] + bytes([bits(8) for _ in range(bits(3))]) + data[at:]
        elif what == 6:
            data = data[:at] + b"\x30\xff\xff\xff\x7f" + data[at:]
        else:
            data[at] = bits(8)
    return bytes(data)


def seeded(seed):
    """bits(n) from a seed: the same on every Python."""
    state = [seed & 0x3FFFFFFF | 1]

    def bits(count):
        value = state[0]
        value ^= value << 13 & 0x3FFFFFFF
        value ^= value >> 17
        value ^= value << 5 & 0x3FFFFFFF
        state[0] = value
        return value >> 3 & ((1 << count) - 1)

    return bits
