"""Runs in the MicroPython VM: `peers.py NAME HOST PORT RELAY_PORT` measures one peer; prints `@ NAME VALUE` a figure.

Each is used as its own documentation shows. Heap is what is kept over a bare VM, with .mpy files in RAM; for a peer on
asyncio that counts too.
"""

import gc
import sys
import time

NAME, HOST, PORT, RELAY = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PAYLOAD = b"x" * 32
TOPIC = "bench/q"
ECHO = "bench/peer"


def used():
    gc.collect()
    return gc.mem_alloc() - base


def say(name, value):
    print("@", name, value)


class Umqtt:
    """umqtt.simple, umqtt.robust: blocking; QoS 1 returns after PUBACK."""

    def __init__(self, port):
        module = __import__(NAME, None, None, ("MQTTClient",))
        self.count = 0
        self.acked = 0
        self.client = module.MQTTClient(b"peer%d" % port, HOST, port, keepalive=60)
        self.client.set_callback(self.arrived)
        if hasattr(self.client, "set_callback_status"):  # simple2
            self.client.set_callback_status(self.status)
        self.client.connect()

    def arrived(self, *args):
        self.count += 1

    def status(self, pid, state):
        self.acked += 1

    def subscribe(self):
        self.client.subscribe(ECHO.encode())
        time.sleep_ms(100)
        self.client.check_msg()

    def qos0(self):
        self.client.publish(TOPIC.encode(), PAYLOAD)

    def qos1(self):
        want = self.acked + 1
        self.client.publish(TOPIC.encode(), PAYLOAD, qos=1)
        if hasattr(self.client, "set_callback_status"):
            while self.acked < want:
                self.client.wait_msg()

    def echo(self):
        want = self.count + 1
        self.client.publish(ECHO.encode(), PAYLOAD)
        while self.count < want:
            self.client.wait_msg()


class Chumicro:
    """chumicro-mqtt: a tick at a time."""

    def __init__(self, port):
        from chumicro_mqtt import MQTTClient
        from chumicro_timing import ticks_ms

        self.ticks_ms = ticks_ms
        self.count = 0
        self.acked = 0
        self.sent = 0
        config = {"mqtt.broker.host": HOST, "mqtt.broker.port": port, "mqtt.client_id": "peer%d" % port}
        self.client = MQTTClient.from_config(config)
        self.client.on_message = self.arrived
        self.client.connect()
        while self.client.state != "connected":
            self.tick()

    def tick(self):
        now = self.ticks_ms()
        if self.client.check(now):
            self.client.handle(now)

    def arrived(self, *args):
        self.count += 1

    def done(self, *args):
        self.acked += 1

    def subscribe(self):
        self.client.subscribe(ECHO)
        end = self.ticks_ms() + 100
        while self.ticks_ms() < end:
            self.tick()

    def qos0(self):
        self.client.publish(TOPIC, PAYLOAD)
        self.tick()

    def qos1(self):
        want = self.acked + 1
        self.client.publish(TOPIC, PAYLOAD, qos=1, on_publish=self.done)
        end = self.ticks_ms() + 5000
        while self.acked < want:
            self.tick()
            if self.ticks_ms() > end:
                raise OSError("no PUBACK")

    def eight(self):
        """One more, with at most eight on their way."""
        self.sent += 1
        self.client.publish(TOPIC, PAYLOAD, qos=1, on_publish=self.done)
        while self.sent - self.acked >= 8:
            self.tick()

    def echo(self):
        want = self.count + 1
        self.client.publish(ECHO, PAYLOAD)
        while self.count < want:
            self.tick()


class Aiomqttc:
    """aiomqttc: asyncio."""

    def __init__(self, port):
        import aiomqttc

        aiomqttc.log = lambda text="": None
        self.client = aiomqttc.MQTTClient("peer%d" % port, HOST, port)
        self.client.on_message = self.arrived
        self.count = 0

    async def open(self):
        await self.client.connect()

    async def arrived(self, *args):
        self.count += 1

    async def subscribe(self):
        import asyncio

        await self.client.subscribe(ECHO)
        await asyncio.sleep(0.1)

    async def qos0(self):
        await self.client.publish(TOPIC, PAYLOAD, 0)

    async def qos1(self):
        await self.client.publish(TOPIC, PAYLOAD, 1)

    async def echo(self):
        import asyncio

        want = self.count + 1
        await self.client.publish(ECHO, PAYLOAD, 0)
        while self.count < want:
            await asyncio.sleep(0)


SECONDS = 1.5  # each rate is measured for about so long


async def rate_async(work):
    gc.collect()
    count = 0
    begin = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), begin) < SECONDS * 1000000:
        await work()
        count += 1
    return count * 1000000 // time.ticks_diff(time.ticks_us(), begin)


def rate(work):
    gc.collect()
    count = 0
    begin = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), begin) < SECONDS * 1000000:
        work()
        count += 1
    return count * 1000000 // time.ticks_diff(time.ticks_us(), begin)


def allocated(work):
    """Bytes that one call allocates; the collector is off."""
    before = gc.mem_alloc()
    for _ in range(100):
        work()
    return (gc.mem_alloc() - before) // 100


async def come_back(work):
    """When a QoS 1 publish succeeds again after a restart of the broker, in ms of the clock; 0: not within 20 s."""
    import asyncio

    print("@restart")
    gone = False
    begin = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), begin) < 20000:
        tried = time.ticks_ms()
        try:
            await work()
        except Exception:  # noqa: BLE001  whatever a peer raises without a link
            gone = True
            await asyncio.sleep(0.01)
            continue
        if gone or time.ticks_diff(time.ticks_ms(), tried) > 300:
            return time.time_ns() // 1000000
    return 0


def measure():
    peer = (Chumicro if NAME == "chumicro_mqtt.client" else Umqtt)(PORT)
    peer.subscribe()
    say("connected", used())
    say("qos0", rate(peer.qos0))
    peer.qos1()
    say("window1", rate(peer.qos1))
    say("echo", rate(peer.echo))
    gc.collect()
    gc.disable()
    out = allocated(peer.qos0)
    say("alloc0", out)
    if NAME != "chumicro_mqtt.client":  # its turns while it waits would count
        say("alloc_in", allocated(peer.echo) - out)
    gc.enable()
    far = type(peer)(RELAY)
    say("far1", rate(far.qos1))
    if hasattr(far, "eight"):
        far.acked = far.sent = 0
        say("far8", rate(far.eight))
    import asyncio  # not before: its heap is not that of a peer without it

    async def publish():
        peer.qos1()

    say("back", asyncio.run(come_back(publish)))


async def measure_async():
    peer = Aiomqttc(PORT)
    await peer.open()
    await peer.subscribe()
    say("connected", used())
    say("qos0", await rate_async(peer.qos0))
    say("window1", await rate_async(peer.qos1))
    say("echo", await rate_async(peer.echo))
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        await peer.qos0()
    say("alloc0", (gc.mem_alloc() - before) // 100)
    gc.enable()
    far = Aiomqttc(RELAY)
    await far.open()
    say("far1", await rate_async(far.qos1))
    say("back", await come_back(lambda: asyncio.wait_for(peer.qos1(), 5)))


gc.collect()
base = gc.mem_alloc()
__import__(NAME)
say("imported", used())
if NAME == "aiomqttc":
    import asyncio

    asyncio.run(measure_async())
else:
    measure()
