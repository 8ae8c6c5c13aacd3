"""HiveMQ Cloud: `plain` with TLS on 8883. Fields: mqtt.brokers, mqtt.user, mqtt.password.

From an ESP8266 use a bridge (docs/bridge.md).
"""

from cloud import Platform
from cloud.plain import decode, report, subscriptions  # noqa: F401  (methods)


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """No anonymous clients; the host name must be sent (SNI)."""
    from cloud.base import need
    from cloud.plain import setup as plain_setup

    need(mqtt, "user", 0, "mqtt.")
    need(mqtt, "password", 0, "mqtt.")
    plain_setup(p, cloud, mqtt, device, tls_only=True)
