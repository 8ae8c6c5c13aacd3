"""The node while it runs: the readings' way from the sensors to the broker.

    sensors --_sample--> _fresh --_group--> outbox --_deliver--> MQTT

One task a sensor; readings that come together make one group. A group leaves the outbox when the broker has it
(QoS 1 and 2). WiFi and MQTT run in tasks of their own and come back by themselves.
"""

import asyncio
import gc
import time

from micropython import const

from .log import DEBUG, INFO, WARNING

TYPE_CHECKING = const(0)
if TYPE_CHECKING:
    from wifi import Manager

    from .link import Link

_GROUP_MS = const(200)  # readings of several sensors within this time go in one message
_PAGE_MS = const(500)
_UNIX_2000 = const(946684800)
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
        self._fresh: list = []
        self._collected = asyncio.Event()
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
        tasks = [self.wifi.run(), self._group(), self._deliver(), self._page()]
        for sensor in self.sensors:
            tasks.append(self._sample(sensor))
        if self.link:
            self.link.client.start()
        await asyncio.gather(*tasks)

    async def stop(self) -> None:
        """Leave the broker in an orderly way."""
        if self.link:
            await self.link.stop()

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
                self._collected.set()

    async def _group(self) -> None:
        """Put readings that come together into one group, and the group into the outbox."""
        while True:
            await self._collected.wait()
            await asyncio.sleep_ms(_GROUP_MS)
            self._collected.clear()
            readings = self.latest = self._fresh
            self._fresh = []
            if self.outbox.add(self.uptime(), readings) == 1:
                self.log(WARNING, "outbox: full, %s readings are dropped" % self.cfg["telemetry"]["drop"])

    async def _deliver(self) -> None:
        """Send what the outbox holds, oldest first."""
        while True:
            group = self.outbox.first()
            if group is None or not self.link or not self.link.client.connected:
                await asyncio.sleep_ms(_GROUP_MS)
                continue
            at, readings = group
            now = self.unix()
            taken = None if now is None else now - (self.uptime() - at)
            platform = self.link.platform
            try:
                for topic, payload, _ in platform.report(readings, taken):
                    await self.link.client.publish(topic, payload, platform.qos)
            except OSError:
                continue  # no link; the group stays
            self.outbox.pop()

    async def _page(self) -> None:
        """Have the portal up while the access point is, or where the settings want the page on the home network."""
        task = None
        while True:
            await asyncio.sleep_ms(_PAGE_MS)
            device = self.cfg["device"]
            at_home = device.get("web") and device.get("password") and self.wifi.online
            wanted = self.wifi.ap_state == "ap_on" or at_home
            if task is not None and (task.done() or not wanted):
                task.cancel()
                task = None
            elif wanted and task is None:
                task = asyncio.create_task(self._portal())

    async def _portal(self) -> None:
        from .setup import serve

        try:
            await serve(self)
        except OSError as e:
            self.log(WARNING, "portal: %s" % e)

    # --- what the parts call

    def message(self, message) -> None:
        """A message of the broker."""
        self.log(DEBUG, "message on %s" % message.topic)

    def wifi_event(self, event: str, state: str, reason: "str | None") -> None:
        """An edge of the WiFi's state table."""
        if event == "address":
            self.log(INFO, "wifi: online, address %s" % self.wifi.sta.ifconfig()[0])
            if self.link:
                self.link.client.retry_now()
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
