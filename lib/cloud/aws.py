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
    publish_interval = 10  # payload up to 128 KB
    cert = "/cert.der"
    key = "/key.der"

    def __init__(self, cloud: dict, mqtt: dict, device: dict) -> None:
        name = need(cloud, "device", 128)
        Plain.__init__(self, cloud, mqtt, {"id": name})
        self.client_id = name
        self._user = self._password = None
        if len(self.base.split("/")) > 6:
            raise ValueError("mqtt.base_topic: AWS allows 7 slashes in a topic, two are ours")


create = AWS
