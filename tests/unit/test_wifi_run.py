"""The loop over `step`, and the requests that wait."""

import asyncio

from check import raises
from wifi_world import HOME, KEY, World, settings


def with_loop(world, main):
    """Run `main(world)` while the manager's own loop runs in the world's time."""
    real = asyncio.sleep

    async def quick(seconds):
        world.clock.now += int(seconds * 1000)
        await real(0)

    asyncio.sleep = quick

    async def both():
        loop = asyncio.create_task(world.node.run())
        try:
            return await asyncio.wait_for(main(world), 20)
        finally:
            loop.cancel()
            try:
                await loop
            except asyncio.CancelledError:
                assert True  # that is how it ends

    try:
        return asyncio.run(both())
    finally:
        asyncio.sleep = real


async def online(world):
    while not world.node.online:
        await asyncio.sleep(0)
    return world.node.state


def test_run_connects_and_reconnects():
    w = World()
    assert with_loop(w, online) == "up"
    w.router(False)
    w.clock.now += 20000
    w.node.step(w.clock.ticks_ms())
    assert not w.node.online
    w.router(True)
    assert with_loop(w, online) == "up"


def test_try_network_tells_ok_or_the_reason():
    w = World(settings())
    w.air.add("new", KEY)

    async def tries(world):
        good = await world.node.try_network({"ssid": "new", "key": KEY})
        world.node.fire("drop")
        wrong = await world.node.try_network({"ssid": HOME, "key": "wrong wrong"})
        absent = await world.node.try_network({"ssid": "absent", "key": ""})
        return good, wrong, absent

    assert with_loop(w, tries) == ((True, None), (False, "wrong_key"), (False, "no_network"))
    assert w.node.cfg["networks"] == []  # the settings stayed


def test_info_tells_what_a_page_shows():
    w = World(settings(HOME, mode="ap+sta"))
    w.until_online()
    w.run(3)
    info = w.node.info()
    assert info["state"] == "up" and info["ssid"] == HOME.encode() and info["rssi"] == -60 and info["reason"] is None
    assert info["address"] == "192.168.1.136" and info["ap"] and info["ap_address"] == "192.168.4.1"
    assert info["clients"] == 0 and info["ap_ssid"] == "node-123456"
    raises(AttributeError, lambda: w.node.nonsense)


def test_own_address_of_the_ap_leaves_the_name_server_alone():
    w = World(settings(HOME, mode="ap+sta", ap_address="10.9.8.1"))
    w.until_online()
    w.node.fire("close")
    w.node.fire("open")
    w.run(2)
    assert w.node.info()["ap_address"] == "10.9.8.1"
    assert w.radio.wlan(0).ifconfig()[3] == "192.168.1.1"


def test_new_settings_take_hostname_and_ap_over():
    w = World(settings(HOME, mode="ap+sta"))
    w.until_online()
    w.run(3)
    w.node.apply(settings(HOME, mode="ap+sta", hostname="attic", ap_ssid="Attic", ap_key="new ap key"))
    assert w.node.state == "up" and w.radio.hostname == "attic"
    assert w.flash.ap_ssid == b"Attic" and w.flash.ap_key == b"new ap key"


def test_file_store_keeps_the_memory():
    import os

    from wifi.memory import load, save

    path = "wifi-test-%d.dat" % id(object())
    assert load(path) == b""
    save(b"a" * 36, path)
    save(b"b" * 36, path)
    try:
        assert load(path) == b"b" * 36
    finally:
        os.remove(path)
