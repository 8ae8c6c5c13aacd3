"""What each request gets: the page, a redirect to it, a probe's answer, an action, or a refusal.

server.py calls `App.respond()`; page.py draws, form.py reads answers, probes.py knows the probes. The rules of security
are all here: who may ask (Host, subnet, password), who may change something (POST, Origin, token), and the headers that
tell the browser to trust nothing from elsewhere.
"""

import json
import os
from binascii import a2b_base64, hexlify

from . import form, net, probes
from .page import TRYING, Page

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


_LOCK_MAX = const(60000)  # ms that the password is not asked for after many wrong ones

_REASONS = (
    "200 OK|204 No Content|302 Found|303 See Other|400 Bad Request|401 Unauthorized|403 Forbidden|404 Not Found"
    "|405 Method Not Allowed|408 Request Timeout|411 Length Required|413 Content Too Large|414 URI Too Long"
    "|415 Unsupported Media Type|421 Misdirected Request|422 Unprocessable Content|429 Too Many Requests"
    "|431 Request Header Fields Too Large|505 HTTP Version Not Supported|"
)
_SAFE = (
    b"Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
    b"Referrer-Policy: same-origin\r\n"
)
_CSP = (
    b"Content-Security-Policy: default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; connect-src 'self';"
    b" img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
)
_POSTS = " /save /rescan /restart /reset "
_GETS = " / /progress /export "


def same(one: bytes, other: bytes) -> bool:
    """Equality in a time that depends on the length of `one` only."""
    wrong = len(one) ^ len(other)
    for i in range(len(one)):
        wrong |= one[i] ^ (other[i] if i < len(other) else 0)
    return wrong == 0


def random_hex(size: int) -> str:
    """`size` random bytes in hex."""
    return str(hexlify(os.urandom(size)), "utf-8")


class App:
    """The portal's answers. `ap` is the access point's dotted address, `port` the HTTP port that visitors use."""

    def __init__(self, node, ap: str, port: int) -> None:
        self.node = node
        self.ap = ap
        self.port = port
        self.token = random_hex(8)  # in every form; new after each start
        self._failures = 0  # wrong passwords in a row
        self._locked = 0  # ticks of the last one

    def admit(self, peer: str) -> bool:
        """May this address connect at all? The access point's clients; others only while the owner has allowed it."""
        return net.same_subnet(peer, self.ap) or bool(self.node.web_password)

    def respond(self, request, peer: str):
        """The pieces of the answer, status line first."""
        body = self._route(request, peer)
        if request.method == "HEAD":
            yield next(body)
        else:
            yield from body

    # Who asks

    def _route(self, request, peer: str):
        if request.error:
            return self._plain(request.error, b"Allow: GET, HEAD, POST\r\n" if request.error == 405 else b"")
        inside = net.same_subnet(peer, self.ap)
        host = self._own_name(request.headers.get("host"))
        if request.path in ("/favicon.ico", "/wpad.dat"):
            return self._plain(404)
        if not inside:
            if not host:
                return self._plain(421)
            refusal = self._refuse_login(request.headers.get("authorization", ""))
            if refusal:
                return self._plain(refusal, self._challenge(refusal))
        elif not host or probes.is_probe(request.path):
            return self._captive(request)
        return self._own(request, host)

    def _own_name(self, host: "str | None") -> str:
        """The request's host if it is one of ours, with our port, else "". A request without one (HTTP/1.0) is ours."""
        if host is None:
            return self.ap
        name = host.lower()
        colon = name.find(":")
        port = name[colon + 1 :] if colon >= 0 else "80"
        if colon >= 0:
            name = name[:colon]
        name = name.rstrip(".")
        if port == str(self.port) and name and (name == self.ap or name in self.node.hosts()):
            return host
        return ""

    def _captive(self, request):
        """For a probe or a foreign name on the access point: online, once set up; until then, the way to the page."""
        if self.node.online():
            answer = probes.online((request.headers.get("host") or "").lower(), request.path)
            if answer is not None:
                extra = b"X-NetworkManager-Status: online\r\n" if answer[0] == 204 else b""
                return self._plain(answer[0], extra, answer[1].encode(), b"text/html")
        return self._redirect(302, self._address() + "/")

    def _address(self) -> str:
        return "http://" + self.ap + ("" if self.port == 80 else ":%d" % self.port)

    def _refuse_login(self, credentials: str) -> int:
        """0 if the password of the page is right, else the status to refuse with. Wrong ones make everybody wait."""
        if self._failures:
            wait = min(1000 << min(self._failures - 1, 6), _LOCK_MAX)
            if net.ticks_diff(net.ticks_ms(), self._locked) < wait:
                return 429
        if credentials[:6].lower() != "basic ":
            return 401
        try:
            pair = a2b_base64(credentials[6:])
        except ValueError:
            return 401
        if same(pair[pair.find(b":") + 1 :], self.node.web_password.encode()):
            self._failures = 0
            return 0
        self._failures += 1
        self._locked = net.ticks_ms()
        return 401

    def _challenge(self, status: int) -> bytes:
        return b'WWW-Authenticate: Basic realm="node", charset="UTF-8"\r\n' if status == 401 else b"Retry-After: 60\r\n"

    # What they get

    def _own(self, request, host: str):
        path = " " + request.path + " "
        if path in _POSTS:
            if request.method != "POST":
                return self._plain(405, b"Allow: POST\r\n")
            return self._change(request, host)
        if path not in _GETS:
            return self._plain(404)
        if request.method == "POST":
            return self._plain(405, b"Allow: GET, HEAD\r\n")
        if request.path == "/progress":
            return self._plain(200, b"", self.pulse().encode())
        if request.path == "/export":
            return self._export()
        page, cookie = self._page(request)
        return self._html(200, page, page.whole(self.pulse()), cookie)

    def _change(self, request, host: str):
        page, _ = self._page(request)
        headers = request.headers
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin", "http://" + host)
        if site not in ("same-origin", "none") or origin.lower() != "http://" + host.lower():
            return self._plain(403)
        if not same(self.token.encode(), (request.form.get("token") or "").encode()):
            return self._html(403, page, page.message("m.form", ""))
        progress = self.node.progress()
        if progress is not None and progress[0] == TRYING:
            return self._html(403, page, page.message("m.busy", self.pulse()))
        back = "/" + str(page.query, "utf-8")
        if request.path == "/rescan":
            self.node.rescan()
        elif request.path == "/restart":
            self.node.restart()
            return self._html(200, page, page.message("m.restart", self.pulse()))
        elif request.path == "/reset":
            if request.form.get("sure") == "on":
                self.node.factory_reset()
                return self._html(200, page, page.message("m.reset", self.pulse()))
        else:
            patch, faults = form.changes(request.form, self.node.settings, self._secured)
            if not faults:
                faults = self.node.save(patch)
            if faults:
                return self._html(422, page, page.whole(self.pulse(), faults, request.form))
        return self._redirect(303, back)

    def _secured(self, ssid: bytes) -> bool:
        for name, _, locked in self.node.networks() or ():
            if name == ssid:
                return locked
        return False

    def pulse(self) -> str:
        """A short text that changes whenever the page would look different: what a waiting page asks for."""
        progress = self.node.progress()
        text = self.token[:6] + ("s" if self.node.networks() is None else "n")
        if progress is not None:
            text += str(progress[0]) + "".join([str(step[1]) for step in progress[1]])
        return text

    def _page(self, request) -> "tuple[Page, bytes]":
        """The page in the visitor's language, and the header that remembers a language that was chosen by link."""
        query = request.query
        for code in (b"zh", b"en"):
            if query == b"lang=" + code:
                name = str(code, "utf-8")
                page = Page(self.node, name, b"?" + query, self.token, random_hex(8))
                return page, b"Set-Cookie: lang=%s; Path=/; Max-Age=31536000; SameSite=Strict\r\n" % code
        cookie = ";" + request.headers.get("cookie", "").replace(" ", "") + ";"
        if ";lang=zh;" in cookie or ";lang=en;" in cookie:
            name = "zh" if ";lang=zh;" in cookie else "en"
        else:
            name = preferred(request.headers.get("accept-language", ""))
        return Page(self.node, name, b"", self.token, random_hex(8)), b""

    # The bytes

    def _start(self, status: int) -> bytes:
        at = _REASONS.find(str(status) + " ")
        return b"HTTP/1.1 " + _REASONS[at : _REASONS.find("|", at)].encode() + b"\r\n"

    def _plain(self, status: int, extra: bytes = b"", body: "bytes | None" = None, kind: bytes = b"text/plain"):
        """A short answer with its length."""
        if body is None:
            at = _REASONS.find(str(status) + " ")
            body = _REASONS[at : _REASONS.find("|", at)].encode()
        head = self._start(status) + _SAFE + extra
        if status == 204:
            yield head + b"\r\n"
            return
        yield head + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        yield body

    def _redirect(self, status: int, location: str):
        """302 or 303 with a body, which some phones insist on."""
        target = location.encode()
        body = b'<!doctype html><title>WiFi</title><a href="%s">%s</a>' % (target, target)
        return self._plain(status, b"Location: %s\r\n" % target, body, b"text/html")

    def _html(self, status: int, page: Page, body, extra: bytes = b""):
        nonce = page.nonce.encode()
        yield self._start(status) + _SAFE + extra + b"Content-Type: text/html; charset=utf-8\r\n"
        yield _CSP % (nonce, nonce) + b"\r\n"
        yield from body

    def _export(self):
        yield self._start(200) + _SAFE + b"Content-Type: application/json\r\n"
        yield b'Content-Disposition: attachment; filename="settings.json"\r\n\r\n{'
        redacted = self.node.export()
        comma = ""
        for section in redacted:
            yield (comma + "\n " + json.dumps(section) + ": " + json.dumps(redacted[section])).encode()
            comma = ","
        yield b"\n}\n"


def preferred(accepted: str) -> str:
    """ "zh" or "en": whichever of the two an Accept-Language header likes better [RFC 9110 §12.5.4]."""
    best = "en"
    weight = 0
    for part in accepted.lower().split(",")[:16]:
        fields = part.split(";")
        tag = fields[0].strip()
        value = 1000
        for field in fields[1:]:
            if field.strip()[:2] == "q=":
                digits = field.strip()[2:].replace(".", "") + "000"
                value = int(digits[:4]) if not digits.strip("0123456789") and digits[:1] in "01" else 0
        for name in ("en", "zh"):
            if (tag == name or tag[:3] == name + "-") and value > weight:
                best = name
                weight = value
    return best
