"""What a browser finds on the access point while new settings are tried: the steps, and a look again every 3 s. And the
door to the page while MQTT is up: for whoever asks for it the node starts anew with the page and without MQTT.

The real page (lib/portal) and MQTT do not fit into the heap together, and where MQTT has been the heap is in pieces.
Nothing secret is said, and there is one connection at a time. Where the home network may see the page, the door asks for
its password: a foreign page that asks for ours is not to keep the node from its work.
"""

import asyncio
import socket
from binascii import a2b_base64

from micropython import const

from . import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .node import Node

_LOOK_MS = const(100)
_SHUT_S = const(30)  # after a start: who asks for the page again and again is not to keep the node from its work
_LOOKS = const(5)  # for a request to arrive whole, which need not be read by then
_GUESS_MS = const(2000)  # that a wrong password costs, the others who ask, too

_HEAD = """\
HTTP/1.1 200 OK\r
Content-Type: text/html; charset=utf-8\r
Cache-Control: no-store\r
Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r
Connection: close\r
Refresh: 3; url=/\r
\r
<!doctype html><html><meta name="viewport" content="width=device-width,initial-scale=1"><title>WiFi</title>
<body style="font:16px/1.5 sans-serif;max-width:32rem;margin:auto;padding:12px">
<h1 style="font-size:1.3rem">Trying the new settings<br><span lang="zh-CN">正在尝试新设置</span></h1><ul>
"""
_NAMES = "WiFi|Address 地址|Find the broker 查找服务器|Log in 登录|Save 保存"
_MARKS = " …✗✓"
_DOOR = """\
HTTP/1.1 503 One Moment\r
Connection: close\r
Retry-After: 3\r
Refresh: 3; url=/\r
\r
..."""
_LOCKED = """\
HTTP/1.1 401 Unauthorized\r
WWW-Authenticate: Basic realm="node", charset="UTF-8"\r
Connection: close\r
\r
"""


async def serve(node: "Node", steps: "list | None") -> None:
    """Answer until cancelled, with the names and states of `steps`; with None be the door to the page."""
    sock = socket.socket()
    client = None
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        device = node.cfg["device"]
        home = steps is None and device.get("web") and device.get("password")
        address = "0.0.0.0" if home else node.wifi.ap.ifconfig()[0]
        sock.bind(socket.getaddrinfo(address, device.get("web_port") or 80)[0][-1])
        sock.listen(2)
        while True:
            await asyncio.sleep_ms(_LOOK_MS)
            try:
                client = sock.accept()[0]
            except OSError:
                continue  # nobody there
            try:
                client.setblocking(False)
                wanted = await _answer(client, steps, device.get("password") if home else "")
            except OSError:
                wanted = False  # gone again
            client.close()
            if steps is None and wanted and node.uptime() >= _SHUT_S:
                call("pending.page_next", node.said)
                await node.stop()
                call("ending.restart", node, "the page was asked for")
    finally:
        if client:
            client.close()
        sock.close()


async def _answer(client: "socket.socket", steps: "list | None", password: str) -> bool:
    """True if it was the page itself that was asked for, not what a phone asks to find out whether it is online, and by
    somebody who may see it."""
    request = b""
    for _ in range(_LOOKS):
        await asyncio.sleep_ms(_LOOK_MS)
        try:
            request = client.recv(1024)
            break
        except OSError:
            continue  # not yet
    page = request.startswith(b"GET / ") or request.startswith(b"GET /?")
    if steps is None:
        if password and page:
            right = _knows(request, password.encode())
            if right < 0:
                await asyncio.sleep_ms(_GUESS_MS)
            if right < 1:
                client.send(_LOCKED.encode())
                return False
        client.send(_DOOR.encode())
        return page
    client.send(_HEAD.encode())
    names = _NAMES.split("|")
    for i in range(len(names)):
        client.send(("<li>%s %s</li>" % (names[i], _MARKS[steps[i][1]])).encode())
    return page


def _knows(request: bytes, password: bytes) -> int:
    """Does the request name the password (HTTP Basic)? 1 yes, 0 none, -1 a wrong one."""
    at = request.lower().find(b"\nauthorization: basic ")
    if at < 0:
        return 0
    try:
        pair = a2b_base64(request[at + 22 :].split(b"\r")[0])
    except ValueError:
        return -1
    return 1 if call("key.same", pair[pair.find(b":") + 1 :], password) else -1
