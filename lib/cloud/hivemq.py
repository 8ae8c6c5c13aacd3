"""HiveMQ Cloud: `plain` with TLS on 8883. Fields: mqtt.brokers, mqtt.user, mqtt.password.

From an ESP8266 use a bridge (docs/bridge.md).
"""

from cloud.base import need
from cloud.plain import Plain


class HiveMQ(Plain):
    """HiveMQ Cloud; no anonymous clients, the host name must be sent (SNI)."""

    tls_only = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        need(mqtt, "user", 0, "mqtt.")
        need(mqtt, "password", 0, "mqtt.")
        Plain.__init__(self, cloud, mqtt, device)


create = HiveMQ
