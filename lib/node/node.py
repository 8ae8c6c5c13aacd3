"""The node while it runs: the readings' way from the sensors to the broker.

    sensors --_sample--> _fresh --_tick--> outbox --_deliver--> MQTT

One task a sensor; readings that come together make one group. A group leaves the outbox when the broker has it
(QoS 1 and 2). One task looks after WiFi, has MQTT loaded while there is a network, and the page up while it is wanted.
"""

import asyncio
import gc
import time

import cloud
from micropython import const

from . import call
from .log import DEBUG, ERROR, INFO, WARNING

TYPE_CHECKING = const(0)
if TYPE_CHECKING:
    from collections.abc import Callable

    from wifi import Manager

    from .link import Link

_TICK_MS = const(500)  # between two looks at everything; readings of several sensors within it make one group
_POLL_MS = const(200)
_UNIX_2000 = const(946684800)
_TRYING = const(1)  # as lib/portal has it
_YEAR_SET = const(2024)  # an earlier clock has never been set


class Node:
    """The one node; start.make() puts its parts in."""

    wifi: "Manager"
    link: "Link | None" = None  # none where the settings name no broker

    def __init__(self, log, cfg: dict, device: str, outbox):
        self.log = log
        self.cfg = cfg
        self.id = device
        self.name = cfg["device"].get("name") or device
        self.outbox = outbox
        self.sensors: list = []
        self.latest: list = []  # readings of the last group
        self.attempt: "list | None" = None  # new settings are being tried: attempt.py
        self.mute = ""  # why the settings allow no connection to a broker
        self._door = False  # only the door to the page is there
        self.pause = 0  # looks of the page until MQTT may have the heap again
        self._fresh: list = []
        self._grown = 0
        self._page: "asyncio.Task | None" = None
        self._counted = time.ticks_ms()
        self._uptime = 0

    # --- time

    def uptime(self) -> int:
        """Seconds since the start; to be called once in 6 days at least."""
        passed = time.ticks_diff(time.ticks_ms(), self._counted) // 1000
        self._counted = time.ticks_add(self._counted, passed * 1000)
        self._uptime += passed
        return self._uptime

    def unix(self) -> "int | None":
        """Unix time in seconds, None while the clock is not set."""
        if time.gmtime()[0] < _YEAR_SET:
            return None
        return int(time.time()) + (_UNIX_2000 if time.gmtime(0)[0] == 2000 else 0)

    # --- running

    async def run(self) -> None:
        """Run for ever."""
        for sensor in self.sensors:
            asyncio.create_task(self._always(self._sample, sensor))
        asyncio.create_task(self._always(self._deliver))
        await self._always(self._look_after)

    async def _always(self, work: "Callable", *args: object) -> None:
        """Run a coroutine function for ever: what it did not handle costs a line, not the node."""
        while True:
            try:
                await work(*args)
            except Exception as e:  # noqa: BLE001  an unattended node has nobody to start it again
                gc.collect()
                self.log(ERROR, "%s: %s" % (type(e).__name__, e))
            await asyncio.sleep_ms(_TICK_MS)

    async def _look_after(self) -> None:
        try:
            while True:
                await asyncio.sleep_ms(await self._tick())
        except MemoryError:
            await call("connect.offline", self, False)  # WiFi comes first
            raise

    async def stop(self) -> None:
        """Leave the broker in an orderly way."""
        await call("connect.offline", self, True)

    async def _tick(self) -> int:
        """Look at everything once; returns the ms until the next time."""
        grown = len(self._fresh) > self._grown  # a group is whole when nothing has come since the last look
        self._grown = len(self._fresh)
        if self._fresh and not grown:
            self._grown = 0
            self.latest = self._fresh
            self._fresh = []
            if self.outbox.add(self.uptime(), self.latest) == 1:
                self.log(WARNING, "outbox: full, %s readings are dropped" % self.cfg["telemetry"]["drop"])
        wifi = self.wifi
        if self.link and (self.pause or not wifi.sta.isconnected()):
            await call("connect.offline", self, self.pause > 0)  # the page, or WiFi, is to have the heap now
        if self.link:
            self.link.look()
        wait_ms = min(wifi.step(time.ticks_ms()), _TICK_MS)
        device = self.cfg["device"]
        page = self._page
        wanted = wifi.ap_state == "ap_on" or (device.get("web") and device.get("password") and wifi.online)
        if self.attempt and self.attempt[0] == _TRYING:
            wanted = False  # MQTT needs the heap
        door = wifi.online and not (self.mute or self.pause)  # MQTT is up, or will be: no room for the page
        if page is not None and (page.done() or not wanted or door != self._door):
            page.cancel()
            self._page = None
        elif wanted and page is None:
            self._door = door
            self._page = asyncio.create_task(self._portal(door))  # before MQTT: its names need room in one piece
        elif door and not self.link:
            call("connect.online", self)
        return wait_ms

    async def _sample(self, sensor) -> None:
        """Read one sensor whenever it is due. What goes wrong is said when it changes."""
        said = ""
        while True:
            await sensor.due()
            errors = sensor.errors
            readings = await sensor.read()
            fault = sensor.last_error if sensor.errors != errors else ""
            if fault != said:
                said = fault
                if fault:
                    self.log(WARNING, "%s: %s" % (sensor.name, fault))
            if readings:
                self._fresh.extend(readings)

    async def _deliver(self) -> None:
        """Send what the outbox holds, oldest first."""
        while True:
            group = self.outbox.first()
            if group is None or not self.link or not self.link.client.connected:
                await asyncio.sleep_ms(_POLL_MS)
                continue
            at, readings = group
            now = self.unix()
            taken = None if now is None else now - (self.uptime() - at)
            try:
                await self._report(self.link, readings, taken)
            except (OSError, MemoryError):
                gc.collect()
                await asyncio.sleep_ms(_POLL_MS)
                continue  # no link, or no room for it now; the group stays
            self.outbox.pop()
            if not self.outbox.used:
                cloud.release()

    async def _report(self, link: "Link", readings: list, taken: "int | None") -> None:
        platform = link.platform
        for topic, payload, _ in platform.report(readings, taken):
            await link.client.publish(topic, payload, platform.qos)

    async def _portal(self, door: bool) -> None:
        try:
            if door:
                await call("meanwhile.serve", self, None)
            else:
                await call("setup.serve", self)
        except Exception as e:  # noqa: BLE001  the node goes on without its page, and says why
            self.log(WARNING, "portal: %s: %s" % (type(e).__name__, e))

    # --- what the parts call

    def wifi_event(self, event: str, state: str, reason: "str | None") -> None:
        """An edge of the WiFi's state table."""
        if event == "address":
            self.log(INFO, "wifi: online, address %s" % self.wifi.sta.ifconfig()[0])
        elif event in ("failed", "lost", "dead"):
            self.log(WARNING, "wifi: %s" % (reason or event))
        else:
            self.log(DEBUG, "wifi: %s -> %s" % (event, state))

    def status(self) -> dict:
        """The node's state, for the health sensor."""
        return {
            "uptime": self.uptime(),
            "free": gc.mem_free(),
            "reconnects": max(0, self.link.client.connects - 1) if self.link else 0,
        }
