"""Run in the MicroPython VM by settings_heap.py: `settings_vm.py IMAGE FOLDER WHAT ROOM`; code in ROMFS as on the chip.

WHAT "steady": heap that settings and WiFi keep in a node that is up, as lib/node/start.py leaves it; prints bytes: of all,
of it the settings, and of all again when every name is known to the VM already.
Else one of WORK: with ROOM, only so many bytes are free, in one piece: prints "enough" or "too little". Without: what the
first time leaves behind, and a hundred more, each with other characters.
"""

import asyncio
import binascii  # noqa: F401  what a node has loaded anyway
import errno  # noqa: F401
import gc
import hashlib  # noqa: F401
import json  # noqa: F401
import os  # noqa: F401
import sys
import time

import vfs

with open(sys.argv[1], "rb") as file:
    image = file.read()
vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
sys.path[:] = ["/rom", ".frozen"]
folder, what, room = sys.argv[2], sys.argv[3], int(sys.argv[4])
KEPT = ("device", "wifi", "mqtt", "cloud", "telemetry")


class WLAN:
    """An interface that is up at once. There are two, which on the chip take no heap."""

    def __init__(self, on):
        self.on = on

    def active(self, *args):
        return self.on

    def status(self, *args):
        return -50 if args else 5

    def isconnected(self):
        return False

    def ifconfig(self, *args):
        return ("192.168.1.5", "255.255.255.0", "192.168.1.1", "192.168.1.1")

    def ipconfig(self, *args):
        return True

    def config(self, *args, **kwargs):
        return "virtual-home"

    def connect(self, *args):
        pass

    def disconnect(self):
        pass


BOTH = (WLAN(True), WLAN(False))


class network:  # noqa: N801  (stands for the module)
    STA_IF, AP_IF = 0, 1
    WLAN = staticmethod(lambda interface: BOTH[interface])

    @staticmethod
    def hostname(*args):
        pass


class Store:
    """Stands for /wifi.dat and for the gateway, which answers at once."""

    def load(self):
        return None

    def save(self, data):
        pass

    def poll(self):
        return True

    def close(self):
        pass


STORE = Store()


def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def fill_names():
    """Make names until the VM has a new table for them: a table that grows (by doubling) is not ours alone."""
    number = 0
    while True:
        before = gc.mem_alloc()
        getattr(gc, "name%d" % number, None)
        number += 1
        if gc.mem_alloc() - before > 4096:
            return


def steady():
    start = used()
    import settings

    cfg, notes = settings.load(folder)
    assert not notes
    settings.release()
    del sys.modules["settings"], settings
    cfg = {name: cfg[name] for name in KEPT}
    import wifi

    manager = wifi.Manager(cfg["wifi"], "node-12345678", network, store=STORE, probe=lambda *hosts: STORE)
    now = time.ticks_ms()
    for i in range(20):
        if i == 10:
            manager.report_online(True, True)
        now = time.ticks_add(now, 1000)
        manager.step(now)
    assert manager.state == "up" and manager.calm
    whole = used() - start
    manager.cfg = cfg = None
    part = start + whole - used()
    del sys.modules["wifi"]
    return whole, part


def patch(settings, cfg, number):
    key = (bytes((0xE4, 0xB8 + number // 64, 0x80 + number % 64)) * 8).decode()  # not chr(): that would stay for good
    changes = {
        "wifi": {"networks": [{"ssid": key, "key": "k" * 8}]},
        "mqtt": {"keepalive": 120, "user": key, "password": key},
    }
    merged, faults = settings.patch(cfg, changes)
    assert not faults, faults
    return merged


def faults(settings, cfg, number):
    key = "x%d" % number * 20
    faults = settings.patch(cfg, {"wifi": {"networks": [{"ssid": key, "key": "short"}]}, "mqtt": {"qos": 9, key: key}})[
        1
    ]
    assert len(faults) == 4, faults


def redact(settings, cfg, number):
    assert settings.redact(cfg)["wifi"]["networks"][0]["key"] == settings.MARK


def load(settings, cfg, number):
    assert settings.load(folder)[0] == cfg


def save(settings, cfg, number):
    new = dict(cfg)
    new["telemetry"] = dict(cfg["telemetry"])
    new["telemetry"]["period"] = 100 + number
    assert settings.save(new, folder)


def work(settings, cfg, number):
    result = {"patch": patch, "faults": faults, "redact": redact, "load": load, "save": save}[what](
        settings, cfg, number
    )
    settings.release()
    return result


def leave(size):
    """Fill the heap, but for `size` bytes in one piece. The fillers are returned."""
    fillers = [None] * 3000
    at = 0
    for filler in (8192, 512, 64, 16):
        try:
            hole = None  # or there would be two
            hole = bytearray(size)
            while True:
                fillers[at] = bytearray(filler)
                at += 1
        except MemoryError:
            pass
    del hole
    return fillers


async def pause():
    await asyncio.sleep(0)


def main():
    asyncio.run(pause())
    if what == "steady":
        fill_names()
        whole, part = steady()
        print(whole, part, steady()[0])
        return
    import settings

    cfg = settings.load(folder)[0]
    settings.release()
    fill_names()
    if room:
        fillers = leave(room)
        try:
            work(settings, cfg, 0)
            print("enough")
        except MemoryError:
            print("too little")
        del fillers
        return
    start = used()
    work(settings, cfg, 0)
    first = used()
    for number in range(1, 101):
        work(settings, cfg, number)
    print(first - start, used() - first)


main()
