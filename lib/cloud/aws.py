"""AWS IoT Core: the topics of `plain`, a client certificate instead of a password. TLS only, see docs/bridge.md.

docs.aws.amazon.com/iot/latest/developerguide/mqtt.html. Fields: the account's endpoint
(…-ats.iot.….amazonaws.com) in mqtt.brokers, device = thing name (the client id); /cert.der and /key.der on the board.
The policy must allow connecting as that client id and the topics under the base topic.
"""

from cloud import Platform
from cloud.plain import decode, report, subscriptions  # noqa: F401  (methods)


def setup(p: Platform, cloud: dict, mqtt: dict, device: dict) -> None:
    """AWS closes the connection of a client that does what its policy does not allow."""
    from cloud.base import need
    from cloud.plain import setup as plain_setup

    p.publish_interval = 10  # payload up to 128 KB
    p.cert = "/cert.der"
    p.key = "/key.der"
    name = need(cloud, "device", 128)
    plain_setup(p, cloud, mqtt, {"id": name}, tls_only=True, max_qos=1, keepalive=(30, 1200))
    p.client_id = name
    p._user = p._password = None
    if len(p.base.split("/")) > 6:
        raise ValueError("mqtt.base_topic: AWS allows 7 slashes in a topic, two are ours")
