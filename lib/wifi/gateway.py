"""Is anybody there? A DNS question to the gateway and to the name server; any answer shows that the link is alive."""

import socket

from . import Manager

# id, recursion desired, one question: the root's name servers
_QUESTION = b"\x6d\x71\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"


class Probe:
    """One look at the gateway. Never blocks."""

    def __init__(self, gateway: str, dns: str) -> None:
        hosts = (gateway,) if gateway == dns else (gateway, dns)
        self._peers = [socket.getaddrinfo(host, 53)[0][-1] for host in hosts]  # dotted addresses: nothing is looked up
        self._polls = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def poll(self) -> bool:
        """True once something answered. Asks again at every fourth call."""
        if self._polls % 4 == 0:
            for peer in self._peers:
                try:
                    self._socket.sendto(_QUESTION, peer)
                except OSError:
                    continue  # no route or no buffer: as good as no answer
        self._polls += 1
        try:
            return bool(self._socket.recv(32))
        except OSError:  # nothing there yet
            return False

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def start(m: Manager) -> "Probe":
    """A probe for the station's own addresses."""
    _, _, gateway, dns = m.sta.ifconfig()
    return (m._probe_maker or Probe)(gateway, dns)
