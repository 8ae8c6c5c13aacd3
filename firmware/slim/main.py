"""The slim node, for stock firmware without ROMFS (build target littlefs): WiFi, MQTT, one reading. No portal, no sensors.

Bytecode from LittleFS lives in RAM, where little more than the MQTT client fits. Settings are those of the full node;
only wifi.networks[0], mqtt.brokers[0], mqtt.user, mqtt.password, mqtt.base_topic, telemetry.period are looked at.
"""

import os
import time

from mqtt import Client, Will  # first, while the heap is in one piece


async def run(cfg: dict, topic: str) -> None:
    """Publish the free heap and the analog input for ever."""
    import asyncio
    import gc
    import json

    import machine
    import network

    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wifi = cfg["wifi"]["networks"][0]
    if not wlan.isconnected():
        wlan.connect(wifi["ssid"], wifi.get("key", ""))
    while not wlan.isconnected():  # the SDK goes on trying by itself
        await asyncio.sleep_ms(200)
    mqtt = cfg["mqtt"]
    broker = mqtt["brokers"][0]
    will = Will(topic + "/status", "offline", 1, True)
    name = topic[topic.rfind("/") + 1 :]
    client = Client(
        name, broker["host"], broker.get("port", 1883), user=mqtt.get("user"), password=mqtt.get("password"), will=will
    )
    client.start()
    adc = machine.ADC(0)
    greeted = 0
    while True:
        gc.collect()
        if client.connected:
            try:
                if client.connects != greeted:
                    greeted = client.connects
                    await client.publish(topic + "/status", "online", 1, True)
                reading = {"adc": adc.read(), "heap": gc.mem_free()}
                await client.publish(topic + "/telemetry", json.dumps(reading), 1, timeout=30)
            except OSError as e:
                print("mqtt:", e)
        await asyncio.sleep(cfg.get("telemetry", {}).get("period", 60))


def main() -> None:
    """Read /settings.json and run."""
    import asyncio
    import json

    import machine

    try:
        with open("/settings.json") as file:
            cfg = json.load(file)
        name = "node-" + "".join(["%02x" % b for b in machine.unique_id()])
        topic = cfg["mqtt"].get("base_topic") or "node/" + (cfg.get("device", {}).get("name") or name)
        task = run(cfg, topic)
    except (OSError, ValueError, KeyError) as e:
        print("settings.json:", e)
        return
    asyncio.run(task)


if "stay" in os.listdir("/"):  # as in the full node's main.py
    os.remove("/stay")
    print("main.py: the node starts in 10 s; Ctrl-C keeps it out")
    time.sleep(10)
main()
