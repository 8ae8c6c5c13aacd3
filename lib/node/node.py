"""The node while it runs: the readings' way from the sensors to the broker.

    sensors --_sample--> fresh --_tick--> outbox --_deliver--> MQTT

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
_HEALTH_S = const(60)
_UNIX_2000 = const(946684800)
_YEAR_SET = const(2024)  # an earlier clock has never been set


class Node:
    """The one node; start.make() puts its parts in."""

    wifi: "Manager"
    on_readings: "Callable[[list], object] | None" = None  # app.py's (extend.py)
    link: "Link | None" = None  # none where the settings name no broker
    knocked = -60  # uptime in s of the last CONNECT
    sent_at = 0  # ticks in ms of the last report, see link.turn()

    def __init__(self, log, cfg: dict, device: str, outbox):
        self.log = log
        self.cfg = cfg
        self.id = device
        self.name = cfg["device"].get("name") or device
        self.outbox = outbox
        self.sensors: list = []
        self.latest: list = []  # readings of the last group
        self.trial = False  # new settings are being tried: WiFi and MQTT are in the trial's hands
        self.within = 0  # see trial.py
        self.periods: dict = {}  # s, by the name of a sensor, "": all; those set by command since the start
        self.own_period: tuple = ()  # names of the sensors that have one of their own
        self.mute = False  # the settings name no broker
        self.outputs: "list | tuple" = ()  # see outputs.py
        self.pins: tuple = ()  # GPIO numbers in use
        self.inbox: list = []  # messages of the broker that wait for commands.py; None: some more were missed
        self.fresh: list = []
        self._grown = 0
        self._health_at = 0  # uptime in s from which on the node's health is told
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
        """Leave the broker in an orderly way, before the end or a restart."""
        gc.collect()
        try:
            await call("connect.offline", self, True)
        except MemoryError as e:
            self.log(WARNING, "no goodbye to the broker: %s" % e)  # it sends the will

    async def _tick(self) -> int:
        """Look at everything once; returns the ms until the next time."""
        grown = len(self.fresh) > self._grown  # a group is whole when nothing has come since the last look
        self._grown = len(self.fresh)
        if self.fresh and not grown:
            self._grown = 0
            self.latest = self.fresh
            self.fresh = []
            if self.on_readings:
                call("extend.tell", self, self.latest)
            if self.outbox.add(self.uptime(), self.latest) == 1:
                self.log(WARNING, "outbox: full, %s readings are dropped" % self.cfg["telemetry"]["drop"])
        wifi = self.wifi
        if self.link and not self.trial and not wifi.sta.isconnected():
            await call("connect.offline", self, False)  # WiFi is to have the heap for what it does now
        if self.link:
            self.link.look()
            if self.link.ready and self.uptime() >= self._health_at and self.cfg["telemetry"]["health"]:
                self._health_at = self._uptime + _HEALTH_S
                asyncio.create_task(call("about.health", self))
        wait_ms = min(wifi.step(time.ticks_ms()), _TICK_MS)
        if wifi.online and not (self.link or self.trial or self.mute):
            call("connect.online", self)
        device = self.cfg["device"]
        page = self._page
        wanted = wifi.ap_state == "ap_on" or (device.get("web") and device.get("password") and wifi.online)
        if page is not None and (page.done() or not wanted):
            page.cancel()
            self._page = None
        elif wanted and page is None:
            self._page = asyncio.create_task(self._portal())
        return wait_ms

    async def _sample(self, sensor) -> None:
        """Read one sensor whenever it is due. What goes wrong is said when it changes."""
        said = ""
        while True:
            await sensor.due()
            errors = sensor.errors
            known = len(sensor.fields)
            readings = await sensor.read()
            fault = sensor.last_error if sensor.errors != errors else ""
            if fault != said:
                said = fault
                if fault:
                    self.log(WARNING, "%s: %s" % (sensor.name, fault))
            if len(sensor.fields) != known and self.link:  # found on the bus just now
                asyncio.create_task(call("discovery.renew", self))
            if readings:
                self.fresh.extend(readings)

    async def _deliver(self) -> None:
        """Send what the outbox holds, oldest first."""
        while True:
            group = self.outbox.first()
            if group is None or not self.link or not self.link.ready:
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
        messages = platform.report(readings, taken)
        if platform.publish_interval > _TICK_MS:
            cloud.release()  # there is time to load it again
        for topic, payload, _ in messages:
            await link.turn()
            await link.client.publish(topic, payload, platform.qos, platform.retain)

    async def _portal(self) -> None:
        try:
            self.log(INFO, "page: up")
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
            "rssi": self.wifi.sta.status("rssi") if self.wifi.online else None,
            "free_heap": gc.mem_free(),
            "uptime": self.uptime(),
            "reset_reason": call("about.reset_word"),
            "reconnects": max(0, self.link.client.connects - 1) if self.link else 0,
        }
