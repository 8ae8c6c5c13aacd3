"""The HTTP request parser: whole requests in pieces of any size, and every refusal."""

import random

from check import raises
from portal.request import Parser, unquote

POST = (
    b"POST /save?lang=zh HTTP/1.1\r\nHost: 192.168.4.1\r\nOrigin: http://192.168.4.1\r\nUser-Agent: x\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"
)
BODY = b"a=1&b=x%26y%2B+%E4%B8%AD&empty=&c"


def parse(data, size=10000):
    parser = Parser()
    for at in range(0, len(data), size):
        if parser.done or parser.request.error:
            break
        parser.feed(data[at : at + size])
    return parser


def error(data):
    parser = parse(data)
    assert not (parser.done and parser.request.error)
    return parser.request.error


def get(*lines):
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join([line + b"\r\n" for line in lines]) + b"\r\n"


def test_a_post_in_pieces_of_every_size():
    whole = POST % (len(BODY), BODY)
    for size in range(1, len(whole) + 1):
        parser = parse(whole, size)
        request = parser.request
        assert parser.done and not request.error, size
        assert (request.method, request.path, request.query) == ("POST", "/save", b"lang=zh")
        assert request.form == {"a": "1", "b": "x&y+ 中", "empty": "", "c": ""}
        assert request.headers["host"] == "192.168.4.1" and "user-agent" not in request.headers


def test_body_glued_to_the_head_and_bytes_after_the_end_are_ignored():
    assert parse(POST % (3, b"a=1&b=2")).request.form == {"a": "1"}
    assert parse(get() + b"GET /second HTTP/1.1\r\n\r\n").request.path == "/"


def test_bare_line_feeds_and_an_empty_line_before_the_request_are_forgiven():
    assert parse(b"\r\nGET / HTTP/1.1\nHost: a\n\n").done


def test_head_of_http_1_0_needs_no_host():
    assert parse(b"HEAD / HTTP/1.0\r\n\r\n").request.method == "HEAD"


def test_absolute_target_replaces_the_host():
    request = parse(b"GET http://evil.example/x?y HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n").request
    assert request.headers["host"] == "evil.example" and request.path == "/x" and not request.error


def test_malformed_requests_get_400():
    for data in (
        b"GET /\r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 x\r\n",
        b"GET / HTTP/11\r\n",
        b"get\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b" GET / HTTP/1.1\r\n",
        b"GET * HTTP/1.1\r\n",
        b"GET ../x HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET /\x00 HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        get(b"Host: b"),
        get(b"no colon"),
        get(b"Origin : x"),
        get(b" folded: x"),
        get(b": x"),
        get(b"Cookie: \xff"),
        get(b"X: a\x00b"),
        get(b"X: a\rb"),
        get(b"Content-Length: -1"),
        get(b"Content-Length: +1"),
        get(b"Content-Length: 1, 1"),
        get(b"Content-Length: 1", b"Content-Length: 1"),
        get(b"Content-Length: 99999999999999999999"),
        get(b"Content-Length: 3", b"Transfer-Encoding: chunked"),
        POST % (3, b"a=%"),
        POST % (5, b"a=%zz"),
        POST % (5, b"a=%+1"),
        POST % (5, b"%ff=1"),
        POST % (7, b"a=1&a=2"),
        POST % (200, b"&".join([b"%d=1" % i for i in range(60)]).replace(b"=1", b"=")),
    ):
        assert error(data) == 400, data


def test_other_refusals():
    assert error(b"GET / HTTP/2.0\r\n") == 505
    assert error(b"PRI * HTTP/2.0\r\n") == 505
    for method in (b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"post"):
        assert error(method + b" / HTTP/1.1\r\n") == 405, method
    assert error(b"GET /" + b"a" * 600 + b" HTTP/1.1\r\n") == 414
    assert error(b"GET /" + b"a" * 600) == 414
    assert error(get(b"Cookie: " + b"a" * 600)) == 431
    assert error(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 800) == 431
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    assert error(b"POST / HTTP/1.1\r\nHost: a\r\n" + form + b"\r\n") == 411
    assert error(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + form + b"\r\n") == 411
    assert error(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n") == 415
    assert error(POST % (1000000, b"")) == 413
    assert error(POST % (2000, b"a=" + b"b" * 1998)) == 413


def test_a_long_header_that_is_not_read_is_skipped():
    request = parse(get(b"User-Agent: " + b"u" * 1500, b"Cookie: lang=zh"), 100).request
    assert not request.error and request.headers["cookie"] == "lang=zh"


def test_expect_continue_is_seen_once():
    parser = Parser()
    parser.feed((POST % (3, b"")).replace(b"User-Agent: x", b"Expect: 100-continue"))
    assert parser.wants_continue and not parser.done


def test_a_value_that_is_not_text_is_marked():
    assert parse(POST % (5, b"a=%ff")).request.form == {"a": None}


def test_form_decoding():
    assert unquote(b"a+b%20%2b%25%C3%A9") == "a b +%é".encode()
    for bad in (b"%", b"%1", b"a%g0", b"%-1", b"% 1", b"%_1", b"%1_"):
        raises(ValueError, unquote, bad)


def test_noise_ends_in_done_or_in_a_status():
    random.seed(5)
    whole = POST % (len(BODY), BODY)
    known = (0, 400, 405, 411, 413, 414, 415, 431, 505)
    for turn in range(1500):
        data = bytearray(whole)
        for _ in range(1 + random.getrandbits(2)):
            at = random.getrandbits(16) % len(data)
            if turn & 1:
                data[at] = random.getrandbits(8)
            else:
                data[at : at + random.getrandbits(4)] = b"\r\n: %&="[: random.getrandbits(3)]
        parser = parse(bytes(data), 1 + random.getrandbits(7))
        assert parser.request.error in known
