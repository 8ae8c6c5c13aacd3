"""The node while it runs: the readings' way from the sensors to the broker.

    sensors --_sample--> fresh --_tick--> outbox --_deliver--> MQTT

One task a sensor; readings that come together make one group. A group leaves the outbox when the broker has it
(QoS 1 and 2). One task looks after WiFi, has MQTT loaded while there is a network, and the page up while it is wanted.
"""

import asyncio
import errno
import gc
import time

import cloud
import machine
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
_BACKLOG_MS = const(100)  # between two groups: an outage's readings come at ten a second at most
_NO_TIME_S = const(20)  # how long readings wait for the first answer of a time server
_HANG_MS = const(60000)  # without a tick: longer than any lawful block (name lookup, TLS, scan); then the chip is reset
_HEALTH_S = const(60)
_TRYING = const(1)  # as lib/portal has it


class Node:
    """The one node; start.make() puts its parts in."""

    wifi: "Manager"
    on_readings: "Callable[[list], object] | None" = None  # app.py's (extend.py)
    link: "Link | None" = None  # none without a network, or where the settings name no broker
    epoch: "int | None" = None  # Unix time at uptime 0, once known (clock.py)
    sync_at = asked_at = 0  # s of uptime when the time server is to be asked, and was
    tick_at = 0  # s of uptime when watch.tick is due
    later = _NO_TIME_S  # s of uptime until which readings wait for the time
    said = ""  # why the last attempt to connect failed, in words, for the page
    safe = False  # safe mode: no sensors, no user code, no MQTT
    sleeps = False  # in deep sleep between readings (sleep.py)
    quiet = False  # a wake without a window for commands: nothing but readings is said
    recalled = False  # what RTC memory held is in the outbox (nap.py)
    identify = 0  # s of uptime until which the LED shows which board this is
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
        self.attempt: "list | None" = None  # new settings of the page are being tried: attempt.py
        self.short = False  # a task has died of a lack of memory: page and MQTT are to begin anew
        self.spare: "bytearray | None" = None  # a piece of heap for what must not fail at the end (sleep.py)
        self.within = 0  # see trial.py
        self.periods: dict = {}  # s, by the name of a sensor, "": all; those set by command since the start
        self.own_period: tuple = ()  # names of the sensors that have one of their own
        self.mute = ""  # why there is to be no connection to a broker
        self.logs: list = []  # lines for MQTT
        self.session: "bytes | None" = None  # what MQTT had in flight when the network went (connect.py)
        self._sent = 0  # messages of the first group that are delivered
        self._handed = False  # the next one is in `session`, or was
        self.outputs: "list | tuple" = ()  # see outputs.py
        self.pins: tuple = ()  # GPIO numbers in use
        self.inbox: list = []  # messages of the broker that wait for commands.py; None: some more were missed
        self._door = False  # only the door to the page is there
        self._fresh: list = []
        self._fresh_at = 0
        self._grown = 0
        self._health_at = 0  # uptime in s from which on the node's health is told
        self._page: "asyncio.Task | None" = None
        self._counted = self._beaten = time.ticks_ms()
        self._uptime = 0

    # --- time

    def uptime(self) -> int:
        """Seconds since the start; to be called once in 6 days at least."""
        passed = time.ticks_diff(time.ticks_ms(), self._counted) // 1000
        self._counted = time.ticks_add(self._counted, passed * 1000)
        self._uptime += passed
        return self._uptime

    def unix(self) -> "int | None":
        """Unix time in seconds, None while it is not known."""
        return None if self.epoch is None else self.epoch + self.uptime()

    # --- running

    async def run(self) -> None:
        """Run for ever; raises what nobody has handled."""
        call("guard.arm", self)
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
                try:
                    self.log(ERROR, "%s: %s" % (type(e).__name__, e))
                except MemoryError:
                    self.short = True
            await asyncio.sleep_ms(_TICK_MS)

    async def _look_after(self) -> None:
        try:
            while True:
                await asyncio.sleep_ms(await self._tick())
        except MemoryError:
            self.short = True
            raise

    async def stop(self) -> None:
        """Leave the broker in an orderly way; the node may be reset, or its chip left to the REPL, after it."""
        try:
            call("ending.stopped", self)
        except MemoryError as e:
            self.log(WARNING, "readings are not kept: %s" % e)
        gc.collect()
        try:
            await call("connect.offline", self, True)
        except MemoryError as e:
            self.log(WARNING, "no goodbye to the broker: %s" % e)  # it sends the will

    async def _tick(self) -> int:
        """Look at everything once; returns the ms until the next time."""
        if self.short:
            if self._page:
                self._page.cancel()
                self._page = None
                await asyncio.sleep_ms(_TICK_MS)
            await call("connect.offline", self, False)
            self.short = False
            self.log(WARNING, "short of memory: page and MQTT begin anew")
        if self.uptime() >= self.tick_at:
            self.tick_at += 60
            call("watch.tick", self)
        grown = len(self._fresh) > self._grown  # a group is whole when nothing has come since the last look
        self._grown = len(self._fresh)
        if self._fresh and not grown:
            self._grown = 0
            self.latest = self._fresh
            self._fresh = []
            if self.on_readings:
                call("extend.tell", self, self.latest)
            if self.outbox.add(self._fresh_at, self.latest) == self.outbox.dropped > 0:
                self.log(WARNING, "outbox: full, %s readings are dropped" % self.cfg["telemetry"]["drop"])
        wifi = self.wifi
        if self.link and not wifi.sta.isconnected():
            await call("connect.offline", self, False)  # WiFi is to have the heap for what it does now
        if self.link:
            self.link.look()
            if self.link.ready and self.uptime() >= self._health_at and self.cfg["telemetry"]["health"]:
                self._health_at = self._uptime + _HEALTH_S
                asyncio.create_task(call("about.health", self))
        wifi.lean = self.link is not None or self._page is not None
        wait_ms = min(wifi.step(time.ticks_ms()), _TICK_MS)
        if wifi.online and self.uptime() >= self.sync_at:
            await call("clock.sync", self)
        device = self.cfg["device"]
        page = self._page
        wanted = wifi.ap_state == "ap_on" or (device.get("web") and device.get("password") and wifi.online)
        if self.attempt and self.attempt[0] == _TRYING:
            wanted = False  # MQTT needs the heap
        door = wifi.online and not self.mute  # MQTT is up, or will be: no room for the page
        if page is not None and (page.done() or not wanted or door != self._door):
            page.cancel()
            self._page = None
        elif wanted and page is None:
            self._door = door
            self._page = asyncio.create_task(self._portal(door))  # before MQTT: its names need room in one piece
        elif door and not self.link:
            gc.collect()
            call("connect.online", self)
        self._beaten = time.ticks_ms()
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
            self.take(readings)

    def take(self, readings: list) -> None:
        """Readings of one sensor, to be sent with those that come within a moment."""
        if readings:
            if not self._fresh:
                self._fresh_at = self.uptime()  # not later: what blocks the loop must not shift it
            self._fresh.extend(readings)

    async def _deliver(self) -> None:
        """Send what the outbox holds, oldest first; rate-limited, for all nodes of a broker come back at once."""
        while True:
            await asyncio.sleep_ms(_TICK_MS)
            while self.link and self.link.ready and not (self.epoch is None and self.uptime() < self.later):
                if self.logs:
                    await call("watch.send_log", self)
                group = self.outbox.first()
                if group is None or not await self.deliver(group):
                    break
                await asyncio.sleep_ms(_BACKLOG_MS)

    async def deliver(self, group: tuple) -> bool:
        """Send one group of the outbox; False: no link, or no room for it now; it stays."""
        link = self.link
        if not link:
            return False
        at, readings = group
        now = self.unix()
        taken = None if now is None or at is None else now - (self.uptime() - at)
        try:
            await self._report(link, readings, taken)
        except (OSError, MemoryError):
            gc.collect()
            return False
        self.outbox.done()
        if not self.outbox.used:
            cloud.release()
        return True

    def hung(self, timer) -> None:
        """Interrupt: reset a chip whose tasks do not run. Allocates nothing."""
        if time.ticks_diff(time.ticks_ms(), self._beaten) > _HANG_MS:
            machine.reset()

    async def _report(self, link: "Link", readings: list, taken: "int | None") -> None:
        platform = link.platform
        messages = platform.report(readings, taken)
        if platform.publish_interval > _TICK_MS:
            cloud.release()  # there is time to load it again
        n = 0
        for topic, payload, _ in messages:
            n += 1
            if n <= self._sent:
                continue
            if self._handed:  # the client's session has it, from before an outage of the WiFi: sent again, but once
                while link.client.session.order:
                    await asyncio.sleep_ms(_POLL_MS)
                    if link is not self.link:
                        raise OSError(errno.ENOTCONN)
                self._handed = False
            else:
                await link.turn()
                try:
                    await link.client.publish(topic, payload, platform.qos, platform.retain)
                except OSError:
                    body = payload if isinstance(payload, bytes) else payload.encode()
                    self._handed = call("connect.in_flight", self, link, topic.encode(), body)
                    raise
            self._sent = n
        self._sent = 0

    async def _portal(self, door: bool) -> None:
        try:
            if door:
                await call("meanwhile.serve", self, None)
            else:
                await call("setup.serve", self)
        except Exception as e:  # noqa: BLE001  the node goes on without its page, and says why
            self.log(WARNING, "portal: %s: %s" % (type(e).__name__, e))
            if isinstance(e, MemoryError):
                self.short = True

    # --- what the parts call

    def wifi_event(self, event: str, state: str, reason: "str | None") -> None:
        """An edge of the WiFi's state table."""
        if event == "address":
            self.log(INFO, "wifi: online, address %s" % self.wifi.sta.ifconfig()[0])
        elif event in ("failing", "failed", "lost", "dead"):
            call("trouble.wifi", self, reason or event)
        else:
            self.log(DEBUG, "wifi: %s -> %s" % (event, state))

    def status(self) -> dict:
        """The node's state, for the health sensor."""
        return {
            "rssi": self.wifi.sta.status("rssi") if self.wifi.online else None,
            "free_heap": gc.mem_free(),
            "uptime": self.uptime(),
            "queued": self.outbox.used,
            "dropped": self.outbox.dropped,
            "reset_reason": call("about.reset_word"),
            "reconnects": max(0, self.link.client.connects - 1) if self.link else 0,
        }
