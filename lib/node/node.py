"""The node: settings, WiFi, MQTT, sensors and the readings' way from one to the other.

    sensors --collect--> outbox --deliver--> MQTT

One task a sensor puts readings together, one task delivers them oldest first, and only takes a group out of the outbox
when the broker has it (QoS 1 and 2). WiFi and MQTT run in tasks of their own and come back by themselves.
"""

import asyncio
import gc
import json
import sys
import time

import machine
import network
import settings
from micropython import const

from . import VERSION
from .link import Link
from .log import Log
from .outbox import Outbox

_GROUP_MS = const(200)  # readings of several sensors within this time go in one message
_UNIX_2000 = const(946684800)
_YEAR_OK = const(2024)  # an earlier clock has never been set


class Node:
    """The one node. `directory`: where its settings lie."""

    def __init__(self, directory: str):
        self.log = Log()
        self.log.info("node %s, %d bytes of heap free" % (VERSION, gc.mem_free()))
        self.cfg, notes = settings.load(directory)
        for note in notes:
            self.log.warning(note)
        settings.release()
        gc.collect()
        cfg = self.cfg
        self.log.set_level(cfg["log"]["level"])
        self.id = "node-" + "".join("%02x" % b for b in machine.unique_id())
        self.name = cfg["device"]["name"] or self.id
        self._started = time.ticks_ms()
        self._uptime = 0
        self.sensors: list = []
        self.outbox = Outbox(cfg["telemetry"]["queue_bytes"], cfg["telemetry"]["drop"])
        self._fresh: list = []  # readings of the group that is being put together
        self._collected = asyncio.Event()
        self.link: "Link | None" = None
        self._make_wifi()
        gc.collect()
        self._make_platform()
        gc.collect()
        self._make_sensors()
        gc.collect()
        self.log.info("%s: %d bytes of heap free" % (self.name, gc.mem_free()))

    # --- parts

    def _make_wifi(self) -> None:
        import wifi

        self.wifi = wifi.Manager(self.cfg["wifi"], self.id, network, on_event=self._wifi_event)

    def _make_platform(self) -> None:
        import cloud

        mqtt = dict(self.cfg["mqtt"])
        if not mqtt["base_topic"]:
            mqtt["base_topic"] = "node/" + self.name
        try:
            self.platform = cloud.create(
                self.cfg["cloud"], mqtt, {"id": self.id, "name": self.name, "version": VERSION}
            )
        except ValueError as e:
            self.platform = None
            self.log.error("%s: no broker, readings are kept" % e)
            return
        finally:
            _forget("cloud.fields")
        self.platform.topics = self.cfg["telemetry"]["format"] == "topics"
        self.link = Link(
            self.platform,
            self.log,
            clean_session=mqtt["clean_session"],
            online=lambda: self.wifi.online,
            unix=self.unix,
            on_report=self.wifi.report_online,
            on_up=self._arrived,
            on_message=self._message,
        )

    def _make_sensors(self) -> None:
        import sensors

        board = sensors.Board(self.cfg["device"]["board"], machine, status=self.status)
        for i, entry in enumerate(self.cfg["sensors"]):
            if "period" not in entry:
                entry = dict(entry)
                entry["period"] = self.cfg["telemetry"]["period"]
            try:
                self.sensors.append(sensors.create(entry, board))
            except ValueError as e:
                self.log.error("sensors.%d: %s" % (i, e))
        for warning in board.warnings:
            self.log.warning(warning)

    # --- time

    def uptime(self) -> int:
        """Seconds since the start; to be called once in 6 days at least."""
        now = time.ticks_ms()
        passed = time.ticks_diff(now, self._started) // 1000
        self._started = time.ticks_add(self._started, passed * 1000)
        self._uptime += passed
        return self._uptime

    def unix(self) -> "int | None":
        """Unix time in seconds, None while the clock is not set."""
        if time.gmtime()[0] < _YEAR_OK:
            return None
        return int(time.time()) + (_UNIX_2000 if time.gmtime(0)[0] == 2000 else 0)

    # --- running

    async def run(self) -> None:
        """Run for ever."""
        if not self.cfg["wifi"]["networks"]:
            self.log.warning("wifi.networks: none known, waiting for set-up")
        tasks = [self.wifi.run(), self._group(), self._deliver()]
        for sensor in self.sensors:
            tasks.append(self._sample(sensor))
        if self.link:
            self.link.start()
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
                    self.log.warning("%s: %s" % (sensor.name, fault))
            if readings:
                self._fresh.extend(readings)
                self._collected.set()

    async def _group(self) -> None:
        """Put readings that come together into one group, and the group into the outbox."""
        while True:
            await self._collected.wait()
            await asyncio.sleep_ms(_GROUP_MS)
            self._collected.clear()
            readings, self._fresh = self._fresh, []
            dropped = self.outbox.dropped
            self.outbox.add(self.uptime(), readings)
            if self.outbox.dropped != dropped and dropped == 0:
                self.log.warning("outbox: full, %s readings are dropped" % self.cfg["telemetry"]["drop"])

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
            try:
                for topic, payload, _ in self.platform.report(readings, taken):
                    await self.link.client.publish(topic, payload, self.platform.qos)
            except OSError:
                continue  # no link; the group stays
            self.outbox.pop()

    async def _arrived(self) -> None:
        """After each CONNACK: info, descriptions, subscriptions."""
        client = self.link.client
        if hasattr(self.platform, "base"):
            await client.publish(self.platform.base + "/info", json.dumps(self.info()), 1, self.platform.retain_ok)
        filters = self.platform.subscriptions()
        if filters:
            await client.subscribe(filters)

    def _message(self, message) -> None:
        self.log.debug("message on %s" % message.topic)

    def _wifi_event(self, event: str, state: str, reason: "str | None") -> None:
        if event == "address":
            self.log.info("wifi: online, address %s" % self.wifi.sta.ifconfig()[0])
            if self.link:
                self.link.client.retry_now()
        elif event in ("failed", "lost", "dead"):
            self.log.warning("wifi: %s" % (reason or event))
        else:
            self.log.debug("wifi: %s -> %s" % (event, state))

    # --- what others want to know

    def units(self) -> dict:
        """Unit of each value that has one."""
        found = {}
        for sensor in self.sensors:
            for field in sensor.fields:
                if field[1]:
                    found[field[0]] = field[1]
        return found

    def info(self) -> dict:
        """What a user wants to know of a node once: version, address, why it started."""
        return {
            "version": VERSION,
            "platform": sys.platform,
            "ip": self.wifi.sta.ifconfig()[0],
            "reset": machine.reset_cause(),
            "units": self.units(),
        }

    def status(self) -> dict:
        """The node's state for the health sensor."""
        return {"uptime": self.uptime(), "free": gc.mem_free(), "connects": self.link.client.connects if self.link else 0}


def _forget(name: str) -> None:
    sys.modules.pop(name, None)
