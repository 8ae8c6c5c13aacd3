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


_QUERY_MAX = const(512)  # bytes read of a datagram [RFC 1035 §4.2.1]
_REPLY_MAX = const(300)  # header 12 + name 255 + type and class 4 + A record 16 + OPT record 11 = 298

_FORMERR = const(1)
_NOTIMP = const(4)
_REFUSED = const(5)
_A = const(1)
_OPT = const(41)
_IN = const(1)
_ANY = const(255)


def _parse(query: bytes) -> "tuple[int, int]":
    """(index after the one question, EDNS version or -1 for no EDNS); (0, -1) if the query is malformed or cut off."""
    length = len(query)
    at = 12
    size = -1
    while size:
        size = query[at] if at < length else 64
        at += 1 + size
        if size > 63 or at > 12 + 255:  # a pointer is no better: nothing before it to point to
            return 0, -1
    end = at = at + 4
    version = -1
    for _ in range(query[11]):
        if at + 11 > length or query[at] != 0:  # a query's additional records belong to the root name
            return 0, -1
        if query[at + 1] << 8 | query[at + 2] == _OPT:
            if version != -1:
                return 0, -1
            version = query[at + 6]
        at += 11 + (query[at + 9] << 8 | query[at + 10])
    return (end, version) if at <= length else (0, -1)


def answer(query: bytes, reply: bytearray, address: bytes) -> int:
    """Write the reply to the datagram `query` into `reply` (300 bytes or more); `address` is 4 bytes.

    Returns the length of the reply in bytes, 0 for a datagram that deserves none: too short, or itself a response.
    """
    if len(query) < 12 or query[2] & 0x80:
        return 0
    code = end = answers = 0
    edns = -1
    if query[2] & 0x78:
        code = _NOTIMP
    elif query[4:11] == b"\x00\x01\x00\x00\x00\x00\x00" and query[11] <= 2:
        end, edns = _parse(query)
    if end:
        if edns > 0:
            pass  # BADVERS, below
        elif query[end - 2] or query[end - 1] not in (_IN, _ANY):
            code = _REFUSED
        elif not query[end - 4] and query[end - 3] in (_A, _ANY):
            answers = 1
    else:
        code = code or _FORMERR
        end = 12
    reply[0:end] = query[:end]
    reply[2] = 0x84 | query[2] & 0x79  # response, authoritative; opcode and "recursion desired" are copied
    reply[3] = 0x80 | code  # recursion available: stub resolvers insist on it
    for i in range(4, 12):
        reply[i] = 0
    reply[5] = end > 12
    reply[7] = answers
    if answers:
        # pointer to the question's name, A, IN, time to live 10 s: the phone leaves this network soon
        reply[end : end + 12] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04"
        reply[end + 12 : end + 16] = address
        end += 16
    if edns >= 0:
        reply[11] = 1
        reply[end : end + 11] = b"\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00"
        reply[end + 5] = edns > 0  # extended code 16, BADVERS: only version 0 is spoken here
        end += 11
    return end


async def serve(sock, own: str) -> None:
    """Answer the datagrams on `sock` with the address `own`, for ever. Whoever is not in own's /24 is not answered."""
    address = bytes([int(part) for part in own.split(".")])
    reply = bytearray(_REPLY_MAX)
    view = memoryview(reply)
    while True:
        await net.ready(sock)
        try:
            query, peer = sock.recvfrom(_QUERY_MAX)
            length = answer(query, reply, address)
            if length and net.near(net.peer_of(peer), own):
                sock.sendto(view[:length], peer)
        except OSError:
            continue  # a peer that is gone (ICMP), or no room to send: a resolver asks again by itself
        except MemoryError:
            gc.collect()
