"""An HTTP/1.1 request, parsed as its bytes arrive. No I/O: server.py feeds it, app.py reads the result.

Strict and bounded: whatever arrives, `feed()` ends in DONE or in an error status, and no more than a line and the form
fields are held. Line and field lengths, the number of fields and the totals have limits. The body is decoded field by
field (application/x-www-form-urlencoded), so it is never in memory as a whole.
Sources: RFC 9112 §2 to §7, RFC 9110 §15.
"""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):  # noqa: D103
        return value


LINE_MAX = 512  # bytes of the request line, and of a header that is read
HEAD_MAX = 4096  # bytes of request line and headers together
BODY_MAX = 4096  # bytes of form data, as sent
FIELD_MAX = 800  # bytes of one name=value, as sent
FIELDS_MAX = 48

_START = const(0)
_HEADERS = const(1)
_BODY = const(2)
DONE = 3

# The headers that are read, one after another with a space around each.
_KNOWN = (
    " host origin content-length content-type transfer-encoding cookie accept-language authorization expect"
    " sec-fetch-site "
)


def unquote(text: bytes, plus: bool = True) -> bytes:
    """Percent-decode `text`; with `plus`, + is a space (form data). ValueError for a % without two hex digits."""
    if plus and b"+" in text:
        text = text.replace(b"+", b" ")
    at = text.find(b"%")
    if at < 0:
        return text
    out = bytearray()
    begin = 0
    while at >= 0:
        digits = text[at + 1 : at + 3]
        if len(digits) < 2 or digits[:1] in b" +-_":  # int() takes these, RFC 3986 does not
            raise ValueError("percent encoding")
        if digits[1:] in b" _":
            raise ValueError("percent encoding")
        out.extend(text[begin:at])
        out.append(int(digits, 16))
        begin = at + 3
        at = text.find(b"%", begin)
    out.extend(text[begin:])
    return bytes(out)


class Request:
    """One request. Feed it until `state` is DONE or `error` is an HTTP status."""

    def __init__(self) -> None:
        self.state = _START
        self.error = 0  # HTTP status to refuse the request with; 0 = none so far
        self.method = ""
        self.path = ""  # decoded as far as routes need it: no query, as sent
        self.query = b""
        self.headers: "dict[str, str]" = {}  # those of _KNOWN, names in lower case
        self.form: "dict[str, str | None]" = {}  # None: the value is not UTF-8
        self._absolute = False  # the host came with the target
        self._old = False  # HTTP/1.0, which needs no Host
        self._rest = b""  # a line or field that has not ended yet
        self._skip = False  # inside the rest of a long header that is not read
        self._head = 0  # bytes of head seen
        self._body = 0  # bytes of body still to come

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire. Bytes after the end of the request are ignored (the link is closed)."""
        at = 0
        while at < len(data) and self.state < _BODY and not self.error:
            end = data.find(b"\n", at)
            piece = data[at : end if end >= 0 else len(data)]
            at += len(piece) + 1
            self._head += len(piece) + 1
            if self._head > HEAD_MAX:
                self.error = 431
            elif end < 0:
                self._hold(piece)
            elif self._skip:
                self._skip = False
            else:
                line = self._rest + piece
                self._rest = b""
                self._line(line[:-1] if line[-1:] == b"\r" else line)
        if self.state == _BODY and not self.error:
            self._form(data[at:])

    def _hold(self, piece: bytes) -> None:
        """Keep the beginning of a line whose end has not come."""
        if self._skip:
            return
        if len(self._rest) + len(piece) <= LINE_MAX:
            self._rest += piece
            if self.state == _START and not 65 <= (self._rest.lstrip(b"\r") or b"A")[0] <= 90:
                self.error = 400  # no method begins like this: TLS or noise
            return
        line = self._rest + piece[:32]
        self._rest = b""
        self._skip = True
        if self.state == _START:
            self.error = 414
        elif self._name(line) != "":
            self.error = 431

    def _name(self, line: bytes) -> "str | None":
        """The name of the header in `line`, in lower case; "" for one that is not read, None for a malformed one."""
        colon = line.find(b":")
        if colon <= 0:
            return None
        for c in line[:colon]:
            if c <= 32 or c > 126 or c in (34, 40, 41, 44, 47) or 58 <= c <= 64 or 91 <= c <= 93 or c in (123, 125):
                return None  # not a token [RFC 9110 §5.6.2]
        name = str(line[:colon], "utf-8").lower()
        return name if " " + name + " " in _KNOWN else ""

    def _line(self, line: bytes) -> None:
        if len(line) > LINE_MAX:
            if self.state == _START:
                self.error = 414
            elif self._name(line) != "":
                self.error = 431
            return
        for c in line:
            if (c < 32 and c != 9) or c == 127:
                self.error = 400
                return
        if self.state == _START:
            if line:  # an empty line before the request is forgiven [RFC 9112 §2.2]
                self._request_line(line)
        elif line:
            self._header(line)
        else:
            self._head_done()

    def _request_line(self, line: bytes) -> None:
        parts = line.split(b" ")
        if len(parts) != 3 or not parts[0] or not parts[1] or parts[2][:5] != b"HTTP/" or len(parts[2]) != 8:
            self.error = 400
            return
        for c in line:
            if c > 126:
                self.error = 400
                return
        if parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            self.error = 505
            return
        if parts[0] not in (b"GET", b"HEAD", b"POST"):
            self.error = 405
            return
        self.method = str(parts[0], "utf-8")
        target = parts[1]
        if target[:7].lower() == b"http://":  # absolute form: its authority is the host [RFC 9112 §3.2.2]
            slash = target.find(b"/", 7)
            authority = target[7 : slash if slash >= 0 else len(target)]
            target = target[slash:] if slash >= 0 else b"/"
            self.headers["host"] = str(authority, "utf-8")
            self._absolute = True
        if target[:1] != b"/":
            self.error = 400
            return
        mark = target.find(b"?")
        if mark >= 0:
            self.query = target[mark + 1 :]
            target = target[:mark]
        self.path = str(target, "utf-8")
        self._old = parts[2] == b"HTTP/1.0"
        self.state = _HEADERS

    def _header(self, line: bytes) -> None:
        name = self._name(line)
        if name is None:  # no colon, a space before it, or a folded line
            self.error = 400
        elif name:
            try:
                value = str(line[len(name) + 1 :], "utf-8").strip(" \t")
            except UnicodeError:
                self.error = 400
                return
            if name == "host" and self._absolute:
                return
            if name in self.headers and name in ("host", "content-length", "origin", "authorization"):
                self.error = 400
            self.headers[name] = value

    def _head_done(self) -> None:
        headers = self.headers
        length = headers.get("content-length", "")
        if "host" not in headers and not self._old:
            self.error = 400
        elif "transfer-encoding" in headers:
            self.error = 400 if length else 411  # no chunks: a length is wanted
        elif length.strip("0123456789") or len(length) > 16:
            self.error = 400
        elif self.method == "POST" and not length:
            self.error = 411
        elif length and int(length) > BODY_MAX:
            self.error = 413
        elif self.method == "POST" and not self._is_form():
            self.error = 415
        else:
            self._body = int(length or 0)
            self.state = _BODY if self._body else DONE

    def started(self) -> bool:
        """True once a byte of the request has come."""
        return self._head > 0 or len(self._rest) > 0

    def wants_continue(self) -> bool:
        """True once, when the client waits for "100 Continue" before it sends its body."""
        return self.state == _BODY and self.headers.pop("expect", "").lower() == "100-continue"

    def _is_form(self) -> bool:
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        return kind == "application/x-www-form-urlencoded"

    def _form(self, data: bytes) -> None:
        """Take bytes of the body; a field is decoded when its & or the end of the body is there."""
        data = data[: self._body]
        self._body -= len(data)
        at = 0
        while not self.error:
            end = data.find(b"&", at)
            self._rest += data[at : end if end >= 0 else len(data)]
            if len(self._rest) > FIELD_MAX:
                self.error = 413
            elif end < 0:
                break
            else:
                self._field(self._rest)
                self._rest = b""
                at = end + 1
        if not self.error and not self._body:
            self._field(self._rest)
            self._rest = b""
            if not self.error:
                self.state = DONE

    def _field(self, field: bytes) -> None:
        if not field:
            return
        equals = field.find(b"=")
        if equals < 0:
            equals = len(field)
        try:
            name = str(unquote(field[:equals]), "utf-8")
            value = unquote(field[equals + 1 :])
        except ValueError:  # UnicodeError is one of them
            self.error = 400
            return
        if name in self.form or len(self.form) >= FIELDS_MAX:
            self.error = 400
            return
        try:
            self.form[name] = str(value, "utf-8")
        except UnicodeError:
            self.form[name] = None
