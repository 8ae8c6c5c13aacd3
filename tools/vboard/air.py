"""What is around a radio: access points, and luck; and what outlives it: the SDK's flash. For radio.py, wlan.py.

Names and codes are those of the ESP8266 port (modnetwork_globals.h) and of the SDK.
"""

STA_IF, AP_IF = 0, 1
IDLE, CONNECTING, WRONG_PASSWORD, NO_AP_FOUND, CONNECT_FAIL, GOT_IP = 0, 1, 2, 3, 4, 5
OPEN, WEP, WPA, WPA2, WPA_WPA2 = 0, 1, 2, 3, 4


def raw(text):
    """Text or bytes as bytes."""
    return text.encode() if isinstance(text, str) else bytes(text)


class AccessPoint:
    """One BSS. Change it through `Air.change` only, so that radios see it at the right moment."""

    def __init__(self, ssid, key, *, bssid, channel, rssi, auth, hidden, loss, dhcp, subnet):
        self.ssid = ssid  # bytes, up to 32
        self.key = key  # bytes; empty: open
        self.bssid = bssid
        self.channel = channel
        self.rssi = rssi  # dBm
        self.auth = auth
        self.hidden = hidden
        self.loss = loss  # 0..1: share of attempts, scans and seconds-long spells that fail
        self.dhcp = dhcp  # does its DHCP server answer
        self.subnet = subnet  # "192.168.1"
        self.up = True
        self.boots = 0  # a rebooted AP knows its stations no more


class Air:
    """Access points, and a seeded source of bad luck."""

    def __init__(self, seed=1):
        self.points = []
        self._radios = []
        self._random = (seed * 2654435761 + 1) & 0xFFFFFFFF

    def add(self, ssid, key="", *, bssid=None, channel=6, rssi=-60, auth=None, hidden=False, loss=0.0, dhcp=True,
            subnet="192.168.1"):  # fmt: skip
        """Put up an access point; `ssid` and `key` are bytes or text. Returns the `AccessPoint`."""
        self._sync()
        if bssid is None:
            bssid = b"\x02\xaa\x00\x00\x00" + bytes((len(self.points) + 1,))
        if auth is None:
            auth = WPA2 if key else OPEN
        point = AccessPoint(
            raw(ssid), raw(key), bssid=bssid, channel=channel, rssi=rssi, auth=auth, hidden=hidden, loss=loss,
            dhcp=dhcp, subnet=subnet,
        )  # fmt: skip
        self.points.append(point)
        return point

    def remove(self, point):
        """Take an access point away for good."""
        self.change(point, up=False)
        self.points.remove(point)

    def change(self, point, **fields):
        """Set attributes of an access point at this moment: `air.change(router, up=False)`."""
        self._sync()
        for name, value in fields.items():
            if not hasattr(point, name):
                raise AttributeError(name)
            new = raw(value) if name in ("ssid", "key") else value
            if (name == "up" and point.up and not new) or (name in ("ssid", "key") and getattr(point, name) != new):
                point.boots += 1
            setattr(point, name, new)
        self._sync()

    def unlucky(self, chance):
        """True with probability `chance` (0..1)."""
        if chance <= 0:
            return False
        x = self._random
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self._random = x
        return (x >> 8) < chance * 0x1000000

    def attach(self, radio):
        self._radios.append(radio)

    def detach(self, radio):
        self._radios.remove(radio)

    def _sync(self):
        for radio in self._radios:
            radio.advance()


class Store:
    """What the SDK keeps in its own flash sectors, and how often it wrote them, by cause.

    A new one is a chip after MicroPython's first boot: AP `MicroPython-xxxxxx` with the public key, station off.
    `dump`/`load` turn it into a dict for JSON and back.
    """

    def __init__(self, chip_id=b"\x12\x34\x56"):
        self.chip_id = chip_id
        self.opmode = 2  # bit 0 station, bit 1 AP
        self.ssid = b""
        self.key = b""
        self.bssid = b""
        self.ap_ssid = b"MicroPython-" + b"".join([b"%02x" % b for b in chip_id])
        self.ap_key = b"micropythoN"
        self.ap_auth = WPA_WPA2
        self.ap_channel = 1
        self.ap_hidden = False
        self.writes = {"connect": 0, "opmode": 0, "config": 0}

    @property
    def written(self):
        """Number of flash writes of all causes."""
        return sum(self.writes.values())

    def dump(self):
        text = {}
        for name in self.__dict__:
            value = getattr(self, name)
            text[name] = "hex:" + "".join(["%02x" % b for b in value]) if isinstance(value, bytes) else value
        return text

    def load(self, text):
        for name in text:
            value = text[name]
            if isinstance(value, str) and value.startswith("hex:"):
                value = bytes([int(value[i : i + 2], 16) for i in range(4, len(value), 2)])
            setattr(self, name, value)
        return self


class Station:
    """Somebody on our own AP: a phone at the set-up page."""

    def __init__(self, mac, ip):
        self.mac = mac
        self.ip = ip
        self.away_until = None  # thrown off by a channel hop; comes back by itself
