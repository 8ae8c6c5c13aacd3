"""The password of the page on the home network: HTTP Basic, for any user name (RFC 7617).

It travels in the clear, as everything on a plain HTTP page does; docs/portal.md says so. After a wrong password nobody
is let in for a while, longer each time, so that guessing takes years.
"""

from binascii import a2b_base64

from . import net
from .app import plain, same


def refuse(portal, credentials: str):
    """None if the password is right, else the answer to refuse with."""
    if portal.failures:
        wait = 1000 << min(portal.failures - 1, 6)  # 1 s to 64 s
        if 0 <= net.ticks_diff(net.ticks_ms(), portal.failed_at) < wait:  # below 0: days ago
            return plain(429, b"Retry-After: %d\r\n" % (wait // 1000))
    if credentials[:6].lower() == "basic ":
        try:
            pair = a2b_base64(credentials[6:])
        except ValueError:
            pair = b""
        if same(pair[pair.find(b":") + 1 :], portal.node.web_password.encode()):
            portal.failures = 0
            return None
        portal.failures += 1
        portal.failed_at = net.ticks_ms()
    return plain(401, b'WWW-Authenticate: Basic realm="node", charset="UTF-8"\r\n')
