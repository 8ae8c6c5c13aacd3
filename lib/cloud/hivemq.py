"""HiveMQ Cloud: `plain` with TLS on 8883. Fields: mqtt.brokers, mqtt.user, mqtt.password.
From an ESP8266 use a bridge (docs/bridge.md).
"""

from cloud.plain import Plain


class HiveMQ(Plain):
    """HiveMQ Cloud; no anonymous clients, the host name must be sent (SNI)."""

    tls_only = True

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Plain.__init__(self, cloud, mqtt, device)
        if not self._user or not self._password:
            raise ValueError("mqtt.user, mqtt.password: missing; there is no anonymous access")


create = HiveMQ
