"""Home Assistant's own broker: `plain`, plus MQTT discovery by one retained message for the whole device.

Home Assistant docs, "MQTT", "Device discovery payload": {prefix}/device/{id}/config with `dev`, `o`, `cmps`.
"""

import json

from cloud.base import ANNOUNCE
from cloud.plain import Plain


class HomeAssistant(Plain):
    """Home Assistant's broker."""

    discovery = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Plain.__init__(self, cloud, mqtt, device)
        self._device = device
        self._prefix = mqtt.get("discovery_prefix") or "homeassistant"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._prefix + "/status", 1)] + Plain.subscriptions(self)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if topic == self._prefix + "/status":  # Home Assistant says online when it has started
            return (ANNOUNCE, None, None, None) if payload == b"online" else None
        return Plain.decode(self, topic, payload)

    def announce(self, items: list) -> list:
        """[(topic, payload, retain)], one discovery message. `items`: [(kind, name, unit)], kind `sensor`,
        `binary_sensor` or `switch`. A switch is set by {base}/cmd/set {name: true} and read from the telemetry.
        """
        ident = self._device["id"]
        parts = []
        for kind, name, unit in items:
            key = json.dumps(name)[1:-1]
            value = "value" if self.topics else "value_json['%s']" % key
            part = '"%s":{"p":"%s","uniq_id":"%s_%s","name":"%s"' % (key, kind, ident, key, key)
            part += ',"stat_t":"%s/%s"' % (json.dumps(self.base)[1:-1], key if self.topics else "telemetry")
            if kind != "sensor":
                value = "'ON' if %s in (1, true, 'true', '1') else 'OFF'" % value
            part += ',"val_tpl":"{{ %s }}"' % value
            if kind == "sensor" and unit:
                part += ',"unit_of_meas":%s,"stat_cla":"measurement"' % json.dumps(unit)
                found = _device_class(name, unit)
                if found:
                    part += ',"dev_cla":"%s"' % found
            elif kind == "switch":
                part += ',"cmd_t":"%s/cmd/set"' % json.dumps(self.base)[1:-1]
                part += ',"pl_on":"{\\"%s\\":true}","pl_off":"{\\"%s\\":false}","stat_on":"ON","stat_off":"OFF"' % (
                    key,
                    key,
                )
            parts.append(part + "}")
        head = '{"dev":{"ids":["%s"],"name":%s},"o":{"name":"esp8266-mqtt-node"}' % (
            ident,
            json.dumps(self._device.get("name") or ident),
        )
        if self.presence:
            head += ',"avty_t":' + json.dumps(self.presence)
        return [("%s/device/%s/config" % (self._prefix, ident), head + ',"cmps":{' + ",".join(parts) + "}}", True)]


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


create = HomeAssistant
