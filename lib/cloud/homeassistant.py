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
    """[(topic, payload, retain)], one discovery message; its payload, a list of bytes, is to be sent piece by piece: as a
    whole it takes 1.5 KB in a row with five values. `items`: [(kind, name, unit)], kind `sensor`, `binary_sensor`,
    `switch`: an output, set by {base}/cmd/set {name: true}, or `output`: one that can only be looked at.
    The state of an output is on or off, retained, on {base}/output/{name}.
    """
    ident = p._device["id"]
    base = json.dumps(p.base)[1:-1]
    parts = []
    for kind, name, unit in items:
        key = json.dumps(name)[1:-1]
        part = '"%s":{"p":"%s","uniq_id":"%s_%s","name":"%s"' % (
            key,
            "binary_sensor" if kind == "output" else kind,
            ident,
            key,
            key,
        )
        if kind in ("switch", "output"):
            part += ',"stat_t":"%s/output/%s"' % (base, key)
        else:
            part += ',"stat_t":"%s/%s"' % (base, key if p.topics else "telemetry")
            value = "value" if p.topics else "value_json['%s']" % key
            if kind != "sensor":
                value = "'ON' if %s in (1, true, 'true', '1') else 'OFF'" % value
                if not p.topics:  # a message without this value is no news of it; "" is ignored
                    value += " if '%s' in value_json else ''" % key
            part += ',"val_tpl":"{{ %s }}"' % value
        if kind == "sensor" and unit:
            part += ',"unit_of_meas":%s,"stat_cla":"measurement"' % json.dumps(unit)
            found = _device_class(name, unit)
            if found:
                part += ',"dev_cla":"%s"' % found
        elif kind == "switch":
            part += ',"cmd_t":"%s/cmd/set","stat_on":"on","stat_off":"off"' % base
            part += ',"pl_on":"{\\"%s\\":true}","pl_off":"{\\"%s\\":false}"' % (key, key)
        elif kind == "output":
            part += ',"pl_on":"on","pl_off":"off"'
        parts.append((("}," if parts else "") + part).encode())
    head = '{"dev":{"ids":["%s"],"name":%s},"o":{"name":"esp8266-mqtt-node"}' % (
        ident,
        json.dumps(p._device.get("name") or ident),
    )
    if p.presence:
        head += ',"avty_t":' + json.dumps(p.presence)
    parts.insert(0, (head + ',"cmps":{').encode())
    parts.append(b"}}}" if len(parts) > 1 else b"}}")
    return [("%s/device/%s/config" % (p._prefix, ident), parts, True)]


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
