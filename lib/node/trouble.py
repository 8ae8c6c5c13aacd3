"""Why there is no WiFi, in words. Loaded when there is something to say."""

from .log import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .node import Node

_TEXTS = (
    "no_network no known network is in the air\n"
    "wrong_key the key is wrong\n"
    "no_address the router gives no address (DHCP)\n"
    "refused the router refuses the connection\n"
    "lost lost, searching\n"
    "dead the link is up but nothing answers, connecting anew\n"
)


def wifi(node: "Node", reason: str) -> None:
    """A line on a failure of the WiFi (`Manager.reason`), unless the last lines of the log have it already."""
    at = _TEXTS.find(reason + " ")
    text = "wifi: " + (_TEXTS[at + len(reason) + 1 : _TEXTS.find("\n", at)] if at >= 0 else reason)
    if reason == "wrong_key":
        text += ", network %s" % node.wifi.info()["ssid"]
    if "warning: " + text not in node.log.lines:
        node.log(WARNING, text)
