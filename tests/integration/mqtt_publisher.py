"""Publishes numbered messages, QoS 1 on `q1` and QoS 2 on `q2`, until a message on `stop` comes; on CPython and
MicroPython.

`mqtt_publisher.py HOST PORT CLIENT_ID`. Prints, at the end, how many of each were acknowledged and how often it
connected.
"""

import asyncio
import sys

from mqtt import Client

DEPTH = 4  # messages in flight of each QoS


async def main():
    stopped = []

    def arrived(message):
        if message.topic == "stop":
            stopped.append(message)

    client = Client(
        sys.argv[3],
        sys.argv[1],
        int(sys.argv[2]),
        clean_session=False,
        keepalive=2,
        response_timeout=1,
        max_backoff=0.2,
        on_message=arrived,
    )
    client.start(1)
    await client.subscribe("stop", 1)
    sent = [0, 0]

    async def publish_all(qos):
        topic = "q%d" % qos
        tasks = []
        while not stopped:
            sent[qos - 1] += 1
            tasks.append(asyncio.create_task(client.publish(topic, "%d" % sent[qos - 1], qos)))
            await asyncio.sleep(0.003)
            if len(tasks) >= DEPTH:
                await tasks.pop(0)
        for task in tasks:
            await task

    await asyncio.gather(publish_all(1), publish_all(2))
    print("@sent", sent[0], sent[1], client.connects)
    await client.disconnect()


asyncio.run(main())
