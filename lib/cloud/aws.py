"""AWS IoT Core: the topics of `plain`, a client certificate instead of a password. TLS only, see docs/bridge.md.

docs.aws.amazon.com/iot/latest/developerguide/mqtt.html. Fields: the account's endpoint
(…-ats.iot.….amazonaws.com) in mqtt.brokers, device = thing name (the client id); /cert.der and /key.der on the board.
The policy must allow connecting as that client id and the topics under the base topic.
"""

from cloud.base import need
from cloud.plain import Plain


class AWS(Plain):
    """AWS IoT Core. It closes the connection of a client that does what its policy does not allow."""

    tls_only = True
    max_qos = 1
    keepalive_min = 30
    keepalive_max = 1200
    publish_interval = 10
    cert = "/cert.der"
    key = "/key.der"
    max_payload = 131072

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        Plain.__init__(self, cloud, mqtt, device)
        self.client_id = need(cloud, "device", 128)
        self.base = mqtt.get("base_topic") or self.client_id
        if len(self.base.split("/")) > 6:
            raise ValueError("mqtt.base_topic: AWS allows 7 slashes in a topic, two are ours")

    def credentials(self, now: int | None = None) -> tuple:
        return self.client_id, None, None

    def explain(self, code: int) -> str:
        if code in (2, 5):
            return "AWS: the certificate is not active, or its policy does not allow this client id"
        return Plain.explain(self, code)


create = AWS
