"""Home Assistant's own broker: `plain`, plus MQTT discovery by one retained message for the whole device.

Home Assistant docs, "MQTT", "Device discovery payload": {prefix}/device/{id}/config with `dev`, `o`, `cmps`.
"""

import json

from cloud import Platform
from cloud.plain import decode as plain_decode
from cloud.plain import report  # noqa: F401  (a method)
from cloud.plain import subscriptions as plain_subscriptions


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """As for plain, and discovery."""
    from cloud.plain import setup as plain_setup

    plain_setup(p, cloud, mqtt, device)
    p._device = device
    p._prefix = mqtt.get("discovery_prefix") or "homeassistant"


def subscriptions(p: Platform, outputs: tuple = (), commands: tuple = ()) -> list:
    """See base.py."""
    return [(p._prefix + "/status", 1)] + plain_subscriptions(p)


def decode(p: Platform, topic: str, payload: bytes) -> tuple | None:
    """See base.py."""
    if topic == p._prefix + "/status":  # Home Assistant says online when it has started
        return ("announce", None, None, None) if payload == b"online" else None
    return plain_decode(p, topic, payload)


def announce(p: Platform, items: list) -> list:
    """[(topic, payload, retain)], one discovery message. `items`: [(kind, name, unit)], kind `sensor`,
    `binary_sensor` or `switch`. A switch is set by {base}/cmd/set {name: true} and read from the telemetry.
    """
    ident = p._device["id"]
    parts = []
    for kind, name, unit in items:
        key = json.dumps(name)[1:-1]
        value = "value" if p.topics else "value_json['%s']" % key
        part = '"%s":{"p":"%s","uniq_id":"%s_%s","name":"%s"' % (key, kind, ident, key, key)
        part += ',"stat_t":"%s/%s"' % (json.dumps(p.base)[1:-1], key if p.topics else "telemetry")
        if kind != "sensor":
            value = "'ON' if %s in (1, true, 'true', '1') else 'OFF'" % value
        part += ',"val_tpl":"{{ %s }}"' % value
        if kind == "sensor" and unit:
            part += ',"unit_of_meas":%s,"stat_cla":"measurement"' % json.dumps(unit)
            found = _device_class(name, unit)
            if found:
                part += ',"dev_cla":"%s"' % found
        elif kind == "switch":
            part += ',"cmd_t":"%s/cmd/set"' % json.dumps(p.base)[1:-1]
            part += ',"pl_on":"{\\"%s\\":true}","pl_off":"{\\"%s\\":false}","stat_on":"ON","stat_off":"OFF"' % (
                key,
                key,
            )
        parts.append(part + "}")
    head = '{"dev":{"ids":["%s"],"name":%s},"o":{"name":"esp8266-mqtt-node"}' % (
        ident,
        json.dumps(p._device.get("name") or ident),
    )
    if p.presence:
        head += ',"avty_t":' + json.dumps(p.presence)
    return [("%s/device/%s/config" % (p._prefix, ident), head + ',"cmps":{' + ",".join(parts) + "}}", True)]


def _device_class(name: str, unit: str) -> str | None:
    """Home Assistant's class for a unit that only one class has; humidity by its name."""
    if unit == "%":
        return "humidity" if "humid" in name else None
    units = "°C temperature °F temperature hPa pressure Pa pressure lx illuminance V voltage A current W power "
    words = (units + "dBm signal_strength").split(" ")
    for i in range(0, len(words), 2):
        if words[i] == unit:
            return words[i + 1]
    return None
