"""What each request gets: the page, a redirect to it, a probe's answer, or a refusal. Who may ask is decided here.

exchange.py calls `respond()`; page.py draws, actions.py changes, probes.py knows the probes, login.py the password.
Host names that are not ours are never served (DNS rebinding): on the access point they are led to the page, elsewhere
they are refused.
"""

from .markup import block, words


def plain(status: int, extra: bytes = b"", body: "bytes | None" = None):
    """A short answer with its length; `extra` are header lines."""
    line = words("", b"", b"h.%d" % status)
    yield from block("", b"head", line)
    if body is None:
        body = line
    if status != 204:
        extra += b"Content-Type: text/html\r\nContent-Length: %d\r\n" % len(body)
    yield extra + b"\r\n"
    if status != 204:
        yield body


def redirect(status: int, location: str):
    """302 or 303 with a body, which some phones insist on."""
    target = location.encode()
    body = b'<!doctype html><title>WiFi</title><a href="%s">%s</a>' % (target, target)
    return plain(status, b"Location: %s\r\n" % target, body)


def respond(portal, request, peer: str):
    """The answer as an iterator of bytes-like pieces, status line and headers first."""
    pieces = _route(portal, request, peer)
    return _head(pieces) if request.method == "HEAD" else pieces


def _head(pieces):
    """Only what comes before the body."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += bytes(next(pieces))
    yield head[: head.find(b"\r\n\r\n") + 4]


def _route(portal, request, peer: str):
    path = request.path
    if request.error:
        return plain(request.error, b"Allow: GET, HEAD, POST\r\n" if request.error == 405 else b"")
    if path in ("/favicon.ico", "/wpad.dat"):
        return plain(404)
    inside = portal.inside(peer)
    host = request.headers.get("host", "").lower()
    own = _is_own(portal, host) if "host" in request.headers else True  # HTTP/1.0 may come without
    if not inside:
        if not own:
            return plain(421)
        from .login import refuse

        refusal = refuse(portal, request.headers.get("authorization", ""))
        if refusal is not None:
            return refusal
    else:
        from . import probes

        if not own or probes.is_probe(path):
            answer = probes.online(host, path) if portal.node.online() else None
            if answer is None:
                return redirect(302, "http://%s%s/" % (portal.ap, "" if portal.port == 80 else ":%d" % portal.port))
            return plain(answer[0], b"X-NetworkManager-Status: online\r\n" if answer[0] == 204 else b"", answer[1])
        del probes
    portal.seen = True
    if path != "/progress" and not portal.node.room():
        return plain(503, b"Retry-After: 2\r\nRefresh: 2; url=/\r\n")
    if path in ("/save", "/restart", "/reset"):
        if request.method != "POST":
            return plain(405, b"Allow: POST\r\n")
        from . import actions
        from .exchange import forget

        forget("probes")
        return actions.change(portal, request, host)
    if path not in ("/", "/progress", "/export"):
        return plain(404)
    if request.method == "POST":
        return plain(405, b"Allow: GET, HEAD\r\n")
    if path == "/progress":
        return plain(200, b"", pulse(portal).encode())
    if path == "/export":
        from . import actions

        return actions.export(portal)
    from . import page

    return page.Page(portal, request, pulse(portal)).whole(200)


def _is_own(portal, host: str) -> bool:
    """True if the request's host is one of ours, with our port. Keeps DNS rebinding out."""
    name = host
    port = "80"
    colon = host.find(":")
    if colon >= 0:
        name = host[:colon]
        port = host[colon + 1 :]
    name = name.rstrip(".")
    return port == str(portal.port) and name != "" and (name == portal.ap or name in portal.node.hosts())


def pulse(portal) -> str:
    """A short text that changes whenever the page would look different: what a waiting page asks for."""
    progress = portal.node.progress()
    text = portal.token[:6] + ("s" if portal.node.networks() is None else "n")
    if progress is not None:
        text += str(progress[0]) + "".join([str(step[1]) for step in progress[1]])
    return text


def same(one: bytes, other: bytes) -> bool:
    """Equality in a time that depends on the length of `one` only."""
    wrong = len(one) ^ len(other)
    for i in range(len(one)):
        wrong |= one[i] ^ (other[i] if i < len(other) else 0)
    return wrong == 0
