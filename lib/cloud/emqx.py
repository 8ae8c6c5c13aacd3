"""EMQX Serverless: `plain` with TLS on 8883 and its limits. EMQX of one's own is `plain`.

docs.emqx.com, Serverless restrictions. Fields: mqtt.brokers, mqtt.user, mqtt.password. TLS 1.2/1.3 with ECDHE
only: from an ESP8266 use a bridge (docs/bridge.md).
"""

from cloud import Platform
from cloud.plain import decode, report, subscriptions  # noqa: F401  (methods)


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """Limits of EMQX Serverless."""
    from cloud.hivemq import setup as hivemq_setup

    p.publish_interval = 100  # 10 messages a second and client; payload up to 1 MB
    hivemq_setup(p, cloud, mqtt, device)
