"""Home Assistant's own broker: `plain`, plus MQTT discovery by one retained message for the whole device.

Home Assistant docs, "MQTT", "Device discovery payload": topic homeassistant/device/{id}/config with `dev`, `o`, `cmps`.
"""

import json

from cloud.base import ANNOUNCE
from cloud.plain import Plain

# unit -> device class; units that several classes share are left to Home Assistant's user
_CLASSES = (
    "°C temperature °F temperature hPa pressure Pa pressure lx illuminance "
    "V voltage A current W power dBm signal_strength"
)


class HomeAssistant(Plain):
    """Home Assistant's broker."""

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Plain.__init__(self, cloud, mqtt, device)
        self._device = device
        self._prefix = mqtt.get("discovery_prefix") or "homeassistant"

    def subscriptions(self, outputs: tuple = (), commands: tuple = ()) -> list:
        return [(self._prefix + "/status", 1)] + Plain.subscriptions(self)

    def decode(self, topic: str, payload: bytes) -> tuple | None:
        if topic == self._prefix + "/status":  # Home Assistant has started
            return (ANNOUNCE, None, None, None) if payload == b"online" else None
        return Plain.decode(self, topic, payload)

    def announce(self, items: list) -> list:
        """One retained discovery message. `items`: [(kind, name, unit)], kind `sensor`, `binary_sensor` or `switch`.

        A switch `relay` is set by {base}/cmd/set {"relay":true|false} and read from telemetry, as sensors are.
        """
        ident = self._device["id"]
        parts = []
        for kind, name, unit in items:
            key = json.dumps(name)[1:-1]
            part = '"%s":{"p":"%s","uniq_id":"%s_%s","name":"%s"' % (key, kind, ident, key, key)
            if self.topics:
                part += ',"stat_t":"~/%s"' % key
                value = "value"
            else:
                part += ',"stat_t":"~/telemetry"'
                value = "value_json['%s']" % key
            if kind == "sensor":
                part += ',"val_tpl":"{{ %s }}"' % value
                if unit:
                    part += ',"unit_of_meas":%s,"stat_cla":"measurement"' % json.dumps(unit)
                    words = _CLASSES.split()
                    if unit in words[::2]:
                        part += ',"dev_cla":"%s"' % words[words.index(unit) + 1]
                    elif unit == "%" and "humid" in name:
                        part += ',"dev_cla":"humidity"'
            else:
                part += ",\"val_tpl\":\"{{ 'ON' if %s in (1, true, 'true', '1') else 'OFF' }}\"" % value
            if kind == "switch":
                part += ',"cmd_t":"~/cmd/set","pl_on":"{\\"%s\\":true}","pl_off":"{\\"%s\\":false}"' % (key, key)
                part += ',"stat_on":"ON","stat_off":"OFF"'
            parts.append(part + "}")
        head = '{"~":%s,"avty_t":"~/status","dev":{"ids":["%s"],"name":%s}' % (
            json.dumps(self.base),
            ident,
            json.dumps(self._device.get("name") or ident),
        )
        head += ',"o":{"name":"esp8266-mqtt-node"},"cmps":{'
        return [("%s/device/%s/config" % (self._prefix, ident), head + ",".join(parts) + "}}", True)]


create = HomeAssistant
