"""Home Assistant's published rules for MQTT discovery, as a checker: what it would refuse, warn about or misread.

From home-assistant.io, integrations "MQTT" (discovery topic, device discovery payload, abbreviations, base topic,
availability), "MQTT Sensor", "MQTT Switch", "MQTT Binary sensor", and "Sensor" (device classes, their units and state
classes); from home-assistant/core, components/mqtt/schemas.py (DEVICE_DISCOVERY_SCHEMA) and components/sensor/const.py
(DEVICE_CLASS_UNITS, DEVICE_CLASS_STATE_CLASSES). Only options that the node uses are known: any other is a fault here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOPIC = re.compile(r"(?P<prefix>.+)/device/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")
ROOT = {
    "dev": "device",
    "o": "origin",
    "cmps": "components",
    "avty_t": "availability_topic",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "stat_t": "state_topic",
    "cmd_t": "command_topic",
    "qos": "qos",
    "~": "~",
}
DEVICE = {"ids": "identifiers", "cns": "connections", "mf": "manufacturer", "mdl": "model", "sw": "sw_version"}
ORIGIN = {"sw": "sw_version", "url": "support_url"}
COMPONENT = {
    "p": "platform",
    "uniq_id": "unique_id",
    "stat_t": "state_topic",
    "val_tpl": "value_template",
    "unit_of_meas": "unit_of_measurement",
    "stat_cla": "state_class",
    "dev_cla": "device_class",
    "cmd_t": "command_topic",
    "pl_on": "payload_on",
    "pl_off": "payload_off",
    "stat_on": "state_on",
    "stat_off": "state_off",
}
COMMON = {"platform", "unique_id", "name", "state_topic", "value_template", "device_class"}
OPTIONS = {
    "sensor": COMMON | {"unit_of_measurement", "state_class"},
    "binary_sensor": COMMON | {"payload_on", "payload_off"},
    "switch": COMMON | {"command_topic", "payload_on", "payload_off", "state_on", "state_off"},
}
UNITS = {
    "temperature": {"°C", "°F", "K"},
    "humidity": {"%"},
    "pressure": {"bar", "cbar", "mbar", "mmHg", "inHg", "inH₂O", "hPa", "kPa", "Pa", "mPa", "psi"},
    "illuminance": {"lx"},
    "voltage": {"V", "mV", "μV", "kV", "MV"},
    "current": {"A", "mA"},
    "power": {"mW", "W", "kW", "MW", "GW", "TW"},
    "signal_strength": {"dB", "dBm"},
}
SWITCH_CLASSES = {"outlet", "switch"}
_SENSOR_TEMPLATE = re.compile(r"\{\{ (value|value_json\['(?P<key>.+)'\]) \}\}")
_BINARY_TEMPLATE = re.compile(
    r"\{\{ 'ON' if (value|value_json\['(?P<key>.+)'\]) in \(1, true, 'true', '1'\) else 'OFF'"
    r"(?P<may_lack> if '(?P=key)' in value_json else '')? \}\}"
)


class Refused(AssertionError):
    """Home Assistant would not take it; the text says why."""


def expect(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


@dataclass
class Entity:
    """One entity, as Home Assistant would have made it."""

    component: str
    platform: str
    config: dict[str, Any]

    def state(self, topic: str, payload: bytes) -> str | None:
        """Its new state after a message; None if the message is not about it (or Home Assistant ignores it)."""
        if topic != self.config["state_topic"]:
            return None
        if "value_template" not in self.config and self.platform != "sensor":
            on = self.config.get("state_on", self.config.get("payload_on", "ON"))
            off = self.config.get("state_off", self.config.get("payload_off", "OFF"))
            return {on: "ON", off: "OFF"}.get(payload.decode())
        template = self.config.get("value_template", "{{ value }}")
        pattern = _SENSOR_TEMPLATE if self.platform == "sensor" else _BINARY_TEMPLATE
        match = pattern.fullmatch(template)
        if match is None:
            raise Refused(f"a template that this checker does not know: {template}")
        if match["key"] is None:
            value: Any = payload.decode()
        else:
            value = json.loads(payload).get(match["key"], "")  # jinja: a missing key is empty text
        if self.platform == "sensor":
            return None if value == "" else str(value)
        if value == "" and match["may_lack"]:
            return None  # an empty text is ignored
        return "ON" if value in (1, True, "true", "1") else "OFF"


def _long(values: Mapping[str, Any], short: Mapping[str, str], allowed: set[str], where: str) -> dict[str, Any]:
    expect(isinstance(values, dict), f"{where}: an object wanted")
    found: dict[str, Any] = {}
    for name, value in values.items():
        full = short.get(name, name)
        expect(full in allowed, f"{where}: option {name} is not known")
        expect(full not in found, f"{where}: {full} is there twice")
        found[full] = value
    return found


def _topic(value: object, where: str) -> str:
    expect(isinstance(value, str) and value and len(value.encode()) < 65536, f"{where}: a topic wanted")
    assert isinstance(value, str)
    expect("+" not in value and "#" not in value and "\0" not in value, f"{where}: wildcard in {value}")
    expect("~" not in value, f"{where}: base topic not replaced in {value}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    expect(len({name for name, _ in pairs}) == len(pairs), f"a name twice in {[name for name, _ in pairs]}")
    return dict(pairs)


def discovered(topic: str, payload: bytes, prefix: str = "homeassistant") -> tuple[dict[str, Any], dict[str, Entity]]:
    """What Home Assistant makes of a discovery message: (device options, entities by component). Raises Refused."""
    match = TOPIC.fullmatch(topic)
    if match is None or match["prefix"] != prefix:
        raise Refused(f"illegal discovery topic {topic}")
    root = _long(json.loads(payload, object_pairs_hook=_unique), ROOT, set(ROOT.values()), "message")
    base = root.pop("~", None)
    for name in ("device", "origin", "components"):
        expect(name in root, f"{name} is missing")
    device = _long(root["device"], DEVICE, {*DEVICE.values(), "name"}, "device")
    expect(device.get("identifiers") or device.get("connections"), "device: identifiers or connections wanted")
    expect(all(isinstance(i, str) for i in device.get("identifiers", [])), "device: identifiers are texts")
    origin = _long(root["origin"], ORIGIN, {*ORIGIN.values(), "name"}, "origin")
    expect(isinstance(origin.get("name"), str), "origin: name wanted")
    if "availability_topic" in root:
        root["availability_topic"] = _topic(_based(base, root["availability_topic"]), "availability_topic")
    expect(root["components"], "components: none")
    entities: dict[str, Entity] = {}
    for key, values in root["components"].items():
        entities[key] = _entity(key, values, base)
    idents = [entity.config["unique_id"] for entity in entities.values()]
    expect(len(set(idents)) == len(idents), f"unique_id is not unique: {idents}")
    return {**root, "device": device}, entities


def _based(base: str | None, value: str) -> str:
    """`~` at the start or end of a topic stands for the base topic."""
    if base is not None and value.startswith("~"):
        return base + value[1:]
    if base is not None and value.endswith("~"):
        return value[:-1] + base
    return value


def _entity(key: str, values: Mapping[str, Any], base: str | None) -> Entity:
    platform = values.get("p", values.get("platform"))
    expect(platform in OPTIONS, f"{key}: platform {platform}")
    config = _long(values, COMPONENT, OPTIONS[str(platform)], key)
    expect(isinstance(config.get("unique_id"), str) and config["unique_id"], f"{key}: unique_id wanted")
    for name in ("state_topic", "command_topic"):
        if name in config:
            config[name] = _topic(_based(base, config[name]), f"{key}.{name}")
    expect("state_topic" in config, f"{key}: state_topic wanted")
    expect(platform != "switch" or "command_topic" in config, f"{key}: command_topic wanted")
    kind, unit = config.get("device_class"), config.get("unit_of_measurement")
    if platform == "sensor" and kind is not None:
        expect(kind in UNITS, f"{key}: device class {kind}")
        expect(unit in UNITS[kind], f"{key}: unit {unit} is not one of device class {kind}")
        expect(config.get("state_class") in (None, "measurement"), f"{key}: state class of {kind}")
    if platform == "switch":
        expect(kind is None or kind in SWITCH_CLASSES, f"{key}: device class {kind}")
        for name in ("payload_on", "payload_off"):
            expect(isinstance(config.get(name), str), f"{key}: {name} is a text")
    expect(config.get("state_class") in (None, "measurement", "total", "total_increasing"), f"{key}: state class")
    expect(unit is None or (isinstance(unit, str) and unit), f"{key}: unit")
    return Entity(key, str(platform), config)
