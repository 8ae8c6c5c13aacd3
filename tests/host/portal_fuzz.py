"""Fuzz of the portal's DNS and HTTP parsers, on either interpreter: `portal_fuzz.py dns|http COUNT SEED`.

Mutates valid input; every exception, unknown status or malformed reply ends it. In the VM the heap must not grow.
"""

import gc
import random
import sys

import portal
import settings
from portal.app import respond
from portal.dns import answer
from portal.exchange import forget
from portal.request import Parser
from portal_node import Node

GROWTH_MAX = 500  # bytes
BLOCK = 1000

DNS = (
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
    b"\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01\x03www\x06google\x03com\x00\x00\x1c\x00\x01"
    b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x08\x01\x02\x03\x04\x05\x06\x07\x08",
)
HTTP = (
    b"GET /?lang=zh HTTP/1.1\r\nHost: 192.168.4.1\r\nCookie: lang=en\r\nAccept-Language: zh;q=0.5,en\r\n\r\n",
    b"HEAD /generate_204 HTTP/1.0\r\nHost: connectivitycheck.gstatic.com\r\nX: y\r\n\r\n",
    b"GET http://192.168.4.1/export HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n\r\n",
    b"POST /save HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 160\r\n\r\ntoken=@@@@@@@@@@@@@@@@&network.ssid=%E4%B8%AD&network.ssid_hex=486f6d65"
    b"&network.key=12345678+%26&cloud.platform=plain&broker.host=10.0.0.2&broker.port=1883&device.name=a%20b",
)
BYTES = b"\r\n: %&=+/?.\x00\xff\xc0HTTP0aA"


def mutate(data):
    """`data` with a few bytes changed, left out, put in or cut off."""
    data = bytearray(data)
    for _ in range(1 + random.getrandbits(2)):
        if not data:
            break
        at = random.getrandbits(16) % len(data)
        kind = random.getrandbits(2)
        if kind == 0:
            data[at] = random.getrandbits(8)
        elif kind == 1:
            data[at] = BYTES[random.getrandbits(8) % len(BYTES)]
        elif kind == 2:
            data[at : at + 1] = data[at : at + random.getrandbits(4)]
        else:
            data = data[: at + 1]
    return bytes(data)


def dns_turn(reply, _):
    query = mutate(DNS[random.getrandbits(1)])
    size = answer(query, reply, b"\1\2\3\4")
    assert size == 0 or (size >= 12 and reply[2] & 0x80 and reply[:2] == query[:2] and reply[5] <= 1)


def http_turn(box, peers):
    data = HTTP[random.getrandbits(2)].replace(b"@@@@@@@@@@@@@@@@", box.token.encode())
    data = mutate(data) if random.getrandbits(4) else data
    parser = Parser()
    size = 1 + random.getrandbits(8)
    for at in range(0, len(data), size):
        parser.feed(data[at : at + size])
        if parser.done or parser.request.error:
            break
    if not (parser.done or parser.request.error):
        parser.request.error = 408
    first = True
    for piece in respond(box, parser.request, peers[random.getrandbits(1)]):
        if first:
            assert bytes(piece[:9]) == b"HTTP/1.1 "
        first = False
        if random.getrandbits(6) == 0:
            break  # the client goes away


def rest():
    """As exchange.py leaves the heap when an answer is out."""
    forget("probes login actions answers page fields form networks")
    settings.release()
    gc.collect()


def main(kind, count, seed):
    random.seed(seed)
    turn = dns_turn if kind == "dns" else http_turn
    box = bytearray(300)
    if kind == "http":
        node = Node("web")
        node.save = lambda patch: []
        box = portal.Portal(node, "192.168.4.1", 80)
    peers = ("192.168.4.2", "192.168.1.9")
    grown = 0
    for block in range(count // BLOCK):
        for _ in range(BLOCK):
            turn(box, peers)
        if hasattr(gc, "mem_alloc"):
            rest()
            if block == 1:
                grown = -gc.mem_alloc()
    if grown:
        grown += gc.mem_alloc()
        assert grown <= GROWTH_MAX, "heap grew by %d B" % grown
    print(kind, count, "inputs, heap grew by", grown, "B")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
