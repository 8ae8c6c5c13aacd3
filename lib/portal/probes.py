"""What phones and computers ask to find out whether a network leads to the Internet, and what makes them content.

Before the node is set up every probe is redirected to the page, which opens the sign-in sheet; afterwards the expected
answer is given, so that the sheet can be closed. docs/portal.md has the sources row by row.
"""

# host or *, path, status, body. One text: it stays in flash (see template.py). \\n in a body is a line feed.
_TABLE = """\
connectivity-check.ubuntu.com|/|204|
*|/generate_204|204|
*|/gen_204|204|
*|/hotspot-detect.html|200|<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>
*|/library/test/success.html|200|<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>
*|/connecttest.txt|200|Microsoft Connect Test
*|/ncsi.txt|200|Microsoft NCSI
*|/canonical.html|200|<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>
*|/success.txt|200|success\\n
*|/check_network_status.txt|200|NetworkManager is online\\n
"""

# Paths that only lead to the page: where Windows sends the browser, and what Kindles and others ask for.
_DOORS = " /redirect /fwlink /kindle-wifi/wifistub.html /mobile/status.php "


def is_probe(path: str) -> bool:
    """True if `path` is one that probes ask for, on whatever host."""
    return path != "/" and ("|" + path + "|" in _TABLE or " " + path + " " in _DOORS)


def online(host: str, path: str) -> "tuple[int, bytes] | None":
    """(HTTP status, body) that tells this probe that it is online; None if it is no known probe."""
    at = _TABLE.find(host + "|" + path + "|") if host else -1
    if at > 0 and _TABLE[at - 1] != "\n":
        at = -1
    if at < 0:
        at = _TABLE.find("*|" + path + "|")
    if at < 0 or "|" in path or "\n" in path:
        return None
    status, body = _TABLE[at : _TABLE.find("\n", at)].split("|")[2:]
    return int(status), body.replace("\\n", "\n").encode()
