"""The DNS of the access point: every name is the node itself, so that a phone's probes and its user end at the page.

`answer()` is the whole protocol, without I/O; `serve()` feeds it from a socket (net.py). A queries get the node's
address, every other type an empty NOERROR: an A record under an AAAA or HTTPS question, or silence, makes phones hang.
Sources: RFC 1035 §4.1, RFC 6891 (EDNS), RFC 8482 (ANY).
"""

import gc

from . import net

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


TTL = 10  # s; short, for the phone leaves this network soon
QUERY_MAX = 512  # bytes read of a datagram [RFC 1035 §4.2.1]
REPLY_MAX = 300  # header 12 + name 255 + type and class 4 + A record 16 + OPT record 11 = 298

_FORMERR = const(1)
_NOTIMP = const(4)
_REFUSED = const(5)
_A = const(1)
_OPT = const(41)
_IN = const(1)
_ANY = const(255)


def _question_end(query: bytes, length: int) -> int:
    """Index after the question's name, type and class; 0 if they are malformed or cut off."""
    at = 12
    while at < length:
        size = query[at]
        if size > 63:  # compression or a reserved form: nothing before it to point to
            return 0
        at += 1 + size
        if at - 12 > 255:
            return 0
        if size == 0:
            return at + 4 if at + 4 <= length else 0
    return 0


def _edns_version(query: bytes, at: int, count: int) -> int:
    """EDNS version asked for in the additional records; -1 if there is no OPT, -2 if they are malformed."""
    version = -1
    for _ in range(count):
        if at + 11 > len(query) or query[at] != 0:  # a query's additional records belong to the root name
            return -2
        if query[at + 1] << 8 | query[at + 2] == _OPT:
            if version != -1:
                return -2
            version = query[at + 6]
        at += 11 + (query[at + 9] << 8 | query[at + 10])
    return version if at <= len(query) else -2


def answer(query: bytes, reply: bytearray, address: bytes) -> int:
    """Write the reply to the datagram `query` into `reply` (REPLY_MAX bytes or more); `address` is 4 bytes.

    Returns the length of the reply in bytes, 0 for a datagram that deserves none: too short, or itself a response.
    """
    length = len(query)
    if length < 12 or query[2] & 0x80:
        return 0
    code = end = 0
    edns = -1
    opcode = query[2] & 0x78
    if opcode:
        code = _NOTIMP
    elif query[4:10] != b"\x00\x01\x00\x00\x00\x00" or query[10] or query[11] > 2:
        code = _FORMERR  # not exactly one question, or records that no query has
    else:
        end = _question_end(query, length)
        edns = _edns_version(query, end, query[11]) if end else -2
        if edns == -2:
            code = _FORMERR
            end = 0
    answers = 0
    if end and edns <= 0:
        kind = query[end - 4] << 8 | query[end - 3]
        class_ = query[end - 2] << 8 | query[end - 1]
        if class_ not in (_IN, _ANY):
            code = _REFUSED
        elif kind in (_A, _ANY):
            answers = 1
    end = end or 12
    reply[0:end] = query[:end]
    reply[2] = 0x84 | opcode | query[2] & 1  # response, authoritative; "recursion desired" is copied
    reply[3] = 0x80 | code  # recursion available: stub resolvers insist on it
    for i in range(4, 12):
        reply[i] = 0
    reply[5] = 1 if end > 12 else 0
    reply[7] = answers
    if answers:
        reply[end : end + 12] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00" + bytes((TTL,)) + b"\x00\x04"
        reply[end + 12 : end + 16] = address
        end += 16
    if edns >= 0:
        reply[11] = 1
        reply[end : end + 11] = b"\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00"
        reply[end + 5] = 1 if edns > 0 else 0  # extended code 16, BADVERS: only version 0 is spoken here
        end += 11
    return end


async def serve(sock, own: str) -> None:
    """Answer the datagrams on `sock` with the address `own`, for ever. Whoever is not in own's /24 is not answered."""
    address = bytes([int(part) for part in own.split(".")])
    reply = bytearray(REPLY_MAX)
    view = memoryview(reply)
    while True:
        await net.readable(sock)
        try:
            query, peer = sock.recvfrom(QUERY_MAX)
            length = answer(query, reply, address)
            if length and net.same_subnet(net.host_of(peer), own):
                sock.sendto(view[:length], peer)
        except OSError:
            continue  # a peer that is gone (ICMP), or no room to send: a resolver asks again by itself
        except MemoryError:
            gc.collect()
