"""Runs inside the MicroPython VM: changes settings on LittleFS and cuts the power at a write.

Its host side is test_settings_power_cut.py.
`every SEED COUNT`: in memory, a cut at every write of every scenario and COUNT random ones more; prints one line.
`kill IMAGE SCENARIO N`: on an image file; at write N prints CUT and hangs, for the host to kill this process for good.
"""

import json
import random
import sys
import time

import settings
import vfs

BLOCK = 4096
BLOCKS = 32


class PowerCut(Exception):
    pass


class Flash:
    """NOR flash: erase sets a block to 0xFF, a write clears bits; at write `cut_at` the power fails."""

    def __init__(self, data):
        self.data = data
        self.writes = 0
        self.cut_at = 0
        self.cut_part = 0  # of 256: how much of that write still arrives
        self.dead = False

    def readblocks(self, n, buf, offset=0):
        at = n * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, n, buf, offset=0):
        size = self._size(len(buf))
        at = n * BLOCK + offset
        self.store(at, bytes([self.data[at + i] & buf[i] for i in range(size)]))
        self._cut()

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            size = self._size(BLOCK)
            self.store(arg * BLOCK, b"\xff" * size)
            self._cut()
        return 0

    def store(self, at, data):
        self.data[at : at + len(data)] = data

    def _size(self, size):
        if self.dead:
            raise PowerCut()
        self.writes += 1
        self.dead = self.writes == self.cut_at
        return size * self.cut_part // 256 if self.dead else size

    def _cut(self):
        if self.dead:
            raise PowerCut()


class KillFlash(Flash):
    """The same on a file; the cut is the end of the process."""

    def __init__(self, path):
        self.file = open(path, "r+b")  # noqa: SIM115  (until the process is killed)
        super().__init__(bytearray(self.file.read()))

    def store(self, at, data):
        super().store(at, data)
        self.file.seek(at)
        self.file.write(data)
        self.file.flush()

    def _cut(self):
        if self.dead:
            print("CUT")
            while True:
                time.sleep(1)


def mount(flash):
    vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=32, lookahead=32), "/chip")


def named(name):
    sensors = [{"type": "ds18b20", "name": "%s%d" % (name, i), "address": "28ff%012x" % i} for i in range(16)]
    changes = {"wifi": {"networks": [{"ssid": name, "key": name * 8}]}, "sensors": sensors}
    return settings.patch(settings.defaults(), changes)[0]


OLD, NEW, THIRD = named("older"), named("newer"), named("third")


def prepare_nothing():
    pass


def prepare_old():
    settings.save(OLD, "/chip")


def prepare_old_and_last():
    settings.save(THIRD, "/chip")
    settings.save(OLD, "/chip")


def prepare_a_persons():
    with open("/chip/settings.json", "w") as f:
        for line in settings.to_text(OLD):
            f.write(line)


def change_load():
    assert settings.load("/chip") == (OLD, [])
    with open("/chip/settings.json") as f:
        assert "sha256" in f.read(20)


def change_save():
    settings.save(NEW, "/chip")


def change_try():
    settings.stage(NEW, "/chip")
    assert settings.trial("/chip") == NEW
    settings.promote("/chip")


def change_drop():
    settings.stage(NEW, "/chip")
    assert settings.trial("/chip") == NEW
    settings.drop("wrong key", "/chip")


# name: how the flash looks before, what is done, what a load may find after a cut, what it finds when nothing is cut
DEFAULTS = settings.defaults()
SCENARIOS = {
    "save": (prepare_old, change_save, (OLD, NEW), NEW),
    "save with a last good": (prepare_old_and_last, change_save, (OLD, NEW), NEW),
    "first save": (prepare_nothing, change_save, (DEFAULTS, NEW), NEW),
    "try and promote": (prepare_old_and_last, change_try, (OLD, NEW), NEW),
    "first try and promote": (prepare_nothing, change_try, (DEFAULTS, NEW), NEW),
    "first start with a person's file": (prepare_a_persons, change_load, (OLD,), OLD),
    "try and drop": (prepare_old_and_last, change_drop, (OLD,), OLD),
}


def prepared(prepare):
    flash = Flash(bytearray(b"\xff" * (BLOCK * BLOCKS)))
    vfs.VfsLfs2.mkfs(flash, readsize=32, progsize=32, lookahead=32)
    mount(flash)
    prepare()
    vfs.umount("/chip")
    return bytes(flash.data)


def cut(image, scenario, cut_at, cut_part):
    """Do it once, with a cut; then boot three times. Returns (flash writes made, was the new one found)."""
    _, change, allowed, _ = SCENARIOS[scenario]
    flash = Flash(bytearray(image))
    flash.cut_at, flash.cut_part = cut_at, cut_part
    mount(flash)
    try:
        change()
    except PowerCut:
        pass
    vfs.umount("/chip")
    where = (scenario, cut_at, cut_part)
    after = Flash(flash.data)
    mount(after)
    found = settings.load("/chip")[0]
    assert found in allowed, (where, found)
    assert settings.trial("/chip") in (None, NEW), where
    assert settings.load("/chip")[0] == found, where
    settings.dropped("/chip")
    vfs.umount("/chip")
    mount(after)
    assert settings.trial("/chip") is None, where
    assert settings.load("/chip")[0] == found, where
    settings.save(THIRD, "/chip")
    vfs.umount("/chip")
    mount(after)
    assert settings.load("/chip") == (THIRD, []), where
    vfs.umount("/chip")
    return flash.writes, found == NEW


def every(seed, count):
    random.seed(seed)
    result = {}
    images = {}
    for name in sorted(SCENARIOS):
        prepare, _, _, final = SCENARIOS[name]
        images[name] = prepared(prepare)
        writes, new = cut(images[name], name, 0, 0)
        assert new == (final == NEW), name
        found = [0, 0]
        for at in range(1, writes + 1):
            for part in (0, 128, 256):
                found[cut(images[name], name, at, part)[1]] += 1
        result[name] = {"writes": writes, "old": found[0], "new": found[1]}
    names = sorted(SCENARIOS)
    for _ in range(count):
        name = names[random.getrandbits(16) % len(names)]
        at = 1 + random.getrandbits(16) % result[name]["writes"]
        new = cut(images[name], name, at, random.getrandbits(8))[1]
        result[name]["new" if new else "old"] += 1
    print("@" + json.dumps(result))


def kill(path, scenario, cut_at):
    flash = KillFlash(path)
    flash.cut_at, flash.cut_part = cut_at, 128
    mount(flash)
    SCENARIOS[scenario][1]()
    print("DONE")


if sys.argv[1] == "every":
    every(int(sys.argv[2]), int(sys.argv[3]))
else:
    kill(sys.argv[2], sys.argv[3], int(sys.argv[4]))
