"""An HTTP/1.1 request, parsed as its bytes arrive. No I/O: exchange.py feeds it, app.py reads the result.

Strict and bounded: whatever arrives, `feed()` ends `done` or in an error status, and no more than a line and the form
fields are held. Line and field lengths, the number of fields and the totals have limits. The body is decoded field by
field (application/x-www-form-urlencoded), so it is never in memory as a whole.
Sources: RFC 9112 §2 to §7, RFC 9110 §15.
"""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


_LINE_MAX = const(512)  # bytes of the request line, and of a header that is read
_HEAD_MAX = const(4096)  # bytes of request line and headers together
_BODY_MAX = const(4096)  # bytes of form data, as sent
_FIELD_MAX = const(800)  # bytes of one name=value, as sent
_FIELDS_MAX = const(48)

_START = const(0)
_HEADERS = const(1)
_BODY = const(2)

# The headers that are read, with a space around each.
_KNOWN = (
    " host origin content-length content-type transfer-encoding cookie accept-language authorization expect"
    " sec-fetch-site "
)


def unquote(text: bytes) -> bytes:
    """Decode form data: + is a space, %XX a byte. ValueError for a % without two hex digits."""
    text = text.replace(b"+", b" ")
    parts = text.split(b"%")
    out = parts.pop(0)
    for part in parts:
        code = part[:2]
        if len(code) < 2 or code.strip(b"0123456789abcdefABCDEF"):
            raise ValueError("percent encoding")
        out += bytes((int(str(code, "utf-8"), 16),)) + part[2:]
    return out


class Request:
    """What a request says. Has no function, which would keep the parser in memory while the answer is made."""

    error = 0  # the HTTP status to refuse it with; 0: there is nothing to refuse so far
    method = path = ""  # the path as sent, without the query
    query = b""
    headers: "dict[str, str]"  # those of _KNOWN, names in lower case; "1.0" if the version is HTTP/1.0
    form: "dict[str, str | None]"  # None: the value is not UTF-8


class Parser:
    """Feed it until it is `done`, or `request.error` is set."""

    def __init__(self) -> None:
        self.request = Request()
        self.request.headers = {}
        self.request.form = {}
        self.done = False
        self.seen = 0  # bytes of request line and headers so far
        self.wants_continue = False  # the client waits for "100 Continue" before it sends its body
        self._state = _START
        self._rest = b""  # a line or field that has not ended yet
        self._left = 0  # bytes of body still to come

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire. Bytes after the end of the request are ignored (the link is closed)."""
        at = 0
        while at < len(data) and self._state != _BODY and not (self.request.error or self.done):
            end = data.find(b"\n", at)
            self._rest += data[at : end if end >= 0 else len(data)]
            self.seen += (end + 1 if end >= 0 else len(data)) - at
            at = end + 1 if end >= 0 else len(data)
            if self.seen > _HEAD_MAX:
                self.request.error = 431
            elif len(self._rest) > _LINE_MAX + 2:
                # Too long: fatal in the request line and in headers that are read, else only its name is kept.
                self._rest = self._rest[:64]
                if self._state == _START:
                    self.request.error = 414
                elif self._name(self._rest):
                    self.request.error = self.request.error or 431
            elif self._state == _START and self._rest.strip(b"\r") and not self._rest.strip(b"\r")[:1].isalpha():
                self.request.error = 400  # no method begins like this: TLS or noise
            if end >= 0 and not self.request.error:
                line = self._rest[:-1] if self._rest[-1:] == b"\r" else self._rest
                self._rest = b""
                self._line(line)
        if self._state == _BODY and not self.request.error:
            self._form(data[at:])

    def _name(self, line: bytes) -> str:
        """The name of the header in `line`, in lower case; "" for one that is not read. Sets `error` if malformed."""
        name = line[: max(line.find(b":"), 0)]
        for c in name or b"\0":
            if c <= 32 or c > 126 or c in b'"(),/;<=>?@[\\]{}':
                self.request.error = 400  # not a token [RFC 9110 §5.6.2]: no colon, a space before it, a folded line
                return ""
        text = str(name, "utf-8").lower()
        return text if " " + text + " " in _KNOWN else ""

    def _line(self, line: bytes) -> None:
        for c in line:
            if (c < 32 and c != 9) or c == 127 or (c > 126 and self._state == _START):
                self.request.error = 400
                return
        if self._state == _START:
            if line:  # an empty line before the request is forgiven [RFC 9112 §2.2]
                self._request_line(line.split(b" "))
        elif not line:
            self._end()
        else:
            name = self._name(line)
            if name:
                if name in self.request.headers and name in ("host", "content-length", "origin", "authorization"):
                    if name != "host" or "absolute" not in self.request.headers:
                        self.request.error = 400
                    return
                try:
                    self.request.headers[name] = str(line[len(name) + 1 :], "utf-8").strip(" \t")
                except UnicodeError:
                    self.request.error = 400

    def _request_line(self, parts: list) -> None:
        if len(parts) != 3 or not parts[1] or parts[2][:5] != b"HTTP/" or len(parts[2]) != 8:
            self.request.error = 400
            return
        self.request.method, target, version = [str(part, "utf-8") for part in parts]
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            self.request.error = 505
        elif self.request.method not in ("GET", "HEAD", "POST"):
            self.request.error = 405
        elif target[:7].lower() == "http://":  # absolute form: its authority is the host [RFC 9112 §3.2.2]
            slash = target.find("/", 7)
            self.request.headers["absolute"] = ""
            self.request.headers["host"] = target[7:] if slash < 0 else target[7:slash]
            target = "/" if slash < 0 else target[slash:]
        if target[:1] != "/":
            self.request.error = self.request.error or 400
        mark = target.find("?")
        self.request.path = target if mark < 0 else target[:mark]
        self.request.query = b"" if mark < 0 else target[mark + 1 :].encode()
        if version == "HTTP/1.0":
            self.request.headers["1.0"] = ""
        self._state = _HEADERS

    def _end(self) -> None:
        """The head is complete: is there a body, and may it come?"""
        headers = self.request.headers
        length = headers.get("content-length", "")
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if "host" not in headers and "1.0" not in headers:
            self.request.error = 400
        elif "transfer-encoding" in headers:
            self.request.error = 400 if length else 411  # no chunks: a length is wanted
        elif length.strip("0123456789") or len(length) > 16:
            self.request.error = 400
        elif self.request.method == "POST" and not length:
            self.request.error = 411
        elif int(length or 0) > _BODY_MAX:
            self.request.error = 413
        elif self.request.method == "POST" and kind != "application/x-www-form-urlencoded":
            self.request.error = 415
        else:
            self._left = int(length or 0)
            self._state = _BODY
            self.wants_continue = self._left > 0 and headers.get("expect", "").lower() == "100-continue"

    def _form(self, data: bytes) -> None:
        """Take bytes of the body; a field is decoded when its & or the end of the body is there."""
        data = data[: self._left]
        self._left -= len(data)
        parts = (self._rest + data).split(b"&")
        self._rest = b"" if not self._left else parts.pop()
        for part in parts:
            equals = part.find(b"=") if b"=" in part else len(part)
            if len(part) > _FIELD_MAX:
                self.request.error = 413
            elif part:
                try:
                    name = str(unquote(part[:equals]), "utf-8")
                    value = unquote(part[equals + 1 :])
                except ValueError:  # UnicodeError is one of them
                    self.request.error = 400
                    return
                if name in self.request.form or len(self.request.form) >= _FIELDS_MAX:
                    self.request.error = 400
                    return
                try:
                    self.request.form[name] = str(value, "utf-8")
                except UnicodeError:
                    self.request.form[name] = None
        if len(self._rest) > _FIELD_MAX:
            self.request.error = 413
        self.done = not (self._left or self.request.error)
