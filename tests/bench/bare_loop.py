"""The ceiling: QoS 1 round trips a second of a bare asyncio loop, with no client logic at all; on MicroPython and
CPython.

`bare_loop.py HOST PORT [COUNT]` prints `bare window1 RATE` and `bare window8 RATE`. The broker must have TCP_NODELAY
on.
"""

import asyncio
import struct
import sys
import time

HOST, PORT = sys.argv[1], int(sys.argv[2])
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 3000
MP = sys.implementation.name == "micropython"
TOPIC, PAYLOAD = b"bare/loop", b"x" * 32


def us():
    return time.ticks_us() if MP else time.perf_counter_ns() // 1000


def since(t):
    return time.ticks_diff(time.ticks_us(), t) if MP else us() - t


class Bare:
    async def open(self):
        self.r, self.w = await asyncio.open_connection(HOST, PORT)
        cid = b"bare%d" % (us() % 100000)
        self.w.write(bytes([0x10, 12 + len(cid)]) + b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack("!H", len(cid)) + cid)
        await self.w.drain()
        await self.r.readexactly(4)
        self.waiting = {}
        self.packet = bytearray(
            bytes([0x32, 2 + len(TOPIC) + 2 + len(PAYLOAD)]) + struct.pack("!H", len(TOPIC)) + TOPIC + b"\0\0" + PAYLOAD
        )
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        rest = b""
        while True:
            got = await self.r.read(256)
            if not got:
                return
            rest += got
            while len(rest) >= 4:
                self.waiting.pop(rest[2] << 8 | rest[3]).set()
                rest = rest[4:]

    async def publish(self, pid):
        done = self.waiting[pid] = asyncio.Event()
        struct.pack_into("!H", self.packet, 4 + len(TOPIC), pid)
        self.w.write(self.packet if MP else bytes(self.packet))
        await done.wait()


async def main():
    b = Bare()
    await b.open()
    t = us()
    for pid in range(1, COUNT + 1):
        await b.publish(pid)
    print("bare window1", COUNT * 1000000 // since(t))

    async def worker(first):
        for pid in range(first, first + COUNT // 8):
            await b.publish(pid)

    t = us()
    await asyncio.gather(*[worker(10000 + k * 5000) for k in range(8)])
    print("bare window8", COUNT // 8 * 8 * 1000000 // since(t))
    b.w.close()


asyncio.run(main())
