"""The defaults of each section and list entry as JSON: the table (schema.py) need not be read for them.

tests/host/test_settings_stamp.py compares them with the table, and prints what they should be.
"""

import json

# A line each: first the sections, then, after an empty line, the entries of lists. Optional fields have no default.
TEXT = """
device {"board": "nodemcu", "web": false}
wifi {"mode": "auto", "networks": [], "fallback_after": 180, "ap_open": false, "ap_channel": 6, \
"ap_address": "192.168.4.1"}
mqtt {"brokers": [], "keepalive": 60, "qos": 1, "availability": true, "retain": true, "clean_session": true, \
"format": "json", "discovery": false, "discovery_prefix": "homeassistant"}
cloud {"platform": "plain", "tls": false}
sensors []
outputs []
telemetry {"period": 60, "queue_bytes": 2048, "drop": "oldest", "spill": false, "health": true}
power {"deep_sleep": false, "period": 300, "listen_every": 12, "awake_max": 30}
time {"ntp_host": "pool.ntp.org"}
log {"level": "info", "mqtt": "off"}

network {"hidden": false}
broker {"tls": false}
sensor {}
output {"inverted": false, "start": "off"}
"""

# Fields that are never shown, as ` section.field `.
SECRETS = " device.password device.command_key wifi.ap_key network.key mqtt.password cloud.secret "


def of(name: str):
    """A new object with the defaults of a section or list entry."""
    at = TEXT.find("\n%s " % name) + len(name) + 2
    return json.loads(TEXT[at : TEXT.find("\n", at)])


def sections():
    """Names of the sections, in order."""
    at = 1
    while TEXT[at] != "\n":
        yield TEXT[at : TEXT.find(" ", at)]
        at = TEXT.find("\n", at) + 1
