"""EMQX Serverless: `plain` with TLS on 8883 and its limits. EMQX of one's own is `plain`.

docs.emqx.com, Serverless restrictions. Fields: mqtt.brokers, mqtt.user, mqtt.password. TLS 1.2/1.3 with ECDHE
only: from an ESP8266 use a bridge (docs/bridge.md).
"""

from cloud.hivemq import HiveMQ


class EMQX(HiveMQ):
    """EMQX Serverless: 10 messages a second and client, 1 MB each."""

    publish_interval = 100


create = EMQX
