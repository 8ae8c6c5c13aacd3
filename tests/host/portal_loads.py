"""Run in the MicroPython VM by test_portal_http.py: load the page N times; the heap must end as it began."""

import asyncio
import gc
import socket
import sys

import portal
from portal import net
from portal_node import Node

GROWTH_MAX = 500  # bytes


async def load(port, path):
    """The size of one answer, read by a client in the same VM."""
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.setblocking(False)
    sock.send(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (path, port))
    size = 0
    data = b"-"
    while data:
        await net.ready(sock)
        data = sock.recv(1024)
        size += len(data)
    sock.close()
    return size


async def main(count):
    for port in range(21000, 21200):
        box = portal.Portal(Node("hostile"), "127.0.0.1", port, port)
        task = asyncio.create_task(box.run())
        await asyncio.sleep(0.05)
        if not task.done():
            break
    paths = (b"/", b"/?lang=zh", b"/progress", b"/export", b"/generate_204", b"/nothing")
    for i in range(20):
        await load(port, paths[i % len(paths)])
    gc.collect()
    begin = gc.mem_alloc()
    for i in range(count):
        size = await load(port, paths[i % len(paths)])
        assert size > 100, size
    gc.collect()
    grown = gc.mem_alloc() - begin
    print(count, "loads, heap grew by", grown, "B; errors:", len(box.node.errors))
    assert grown <= GROWTH_MAX and not box.node.errors
    task.cancel()


asyncio.run(main(int(sys.argv[1])))
