"""The air and the ESP8266's radio, as plain Python for CPython and MicroPython.

`Air` holds the access points around a node; a test changes them at any time. `Radio` obeys the chip's rules and its
`Network` looks like the port's module `network` (ports/esp8266/network_wlan.c, MicroPython 1.29): the unit tests of
lib/wifi use it in process, the virtual board forwards the node's calls to it. Nothing here sleeps: time is `clock()`,
and what would block the chip is added to `Radio.blocked_ms` (or given to the injected `sleep`).

Timing and status codes are those reported for the NONOS SDK 2.x. The SDK is closed, so where the field's reports differ
the harsher behaviour was taken: the SDK goes on searching by itself and throws the stations off our AP while it does.
"""

STA_IF, AP_IF = 0, 1
IDLE, CONNECTING, WRONG_PASSWORD, NO_AP_FOUND, CONNECT_FAIL, GOT_IP = 0, 1, 2, 3, 4, 5
OPEN, WEP, WPA, WPA2, WPA_WPA2 = 0, 1, 2, 3, 4

SEARCH_MS = 2000  # all channels, looking for the wanted SSID
AUTH_MS = 300  # authentication, association and handshake with the right key
WRONG_KEY_MS = 4000  # until the SDK gives up a handshake
DHCP_MS = 1500
BEACON_TIMEOUT_MS = 6000  # silence until the SDK believes that the AP is gone
PAUSE_MS = 1000  # between the SDK's own attempts
SCAN_MS = 2200
REJOIN_MS = 3000  # a phone finds its way back to our AP
NO_RSSI = 31  # wifi_station_get_rssi() without a link
MAX_STATIONS = 4

_REST, _SEARCH, _AUTH, _DHCP, _UP, _PAUSE = 0, 1, 2, 3, 4, 5  # phases of the station


def _bytes(text):
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
            _bytes(ssid), _bytes(key), bssid=bssid, channel=channel, rssi=rssi, auth=auth, hidden=hidden, loss=loss,
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
            new = _bytes(value) if name in ("ssid", "key") else value
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


class Radio:
    """The chip's radio since the last reset. For a reboot `close()` it and make a new one on the same `store`."""

    def __init__(self, air, clock, store, sleep=None):
        self.air = air
        self.clock = clock  # () -> ms, never going back
        self.store = store
        self.sleep = sleep  # (ms), if blocking calls should take their time; else they only count
        self.blocked_ms = 0
        self.disturbed = 0  # times that stations on our AP were cut off by a search, a scan or a new channel
        self.attempts = 0  # searches by the station, the SDK's own included
        self.scans = 0
        self.hostname = "mpy-esp8266"
        self.sta_mac = b"\x5c\xcf\x7f" + store.chip_id
        self.ap_mac = b"\x5e\xcf\x7f" + store.chip_id
        self.ap_address = ("192.168.4.1", "255.255.255.0", "192.168.4.1")
        self.static = None
        self.dns = "0.0.0.0"
        self.channel = store.ap_channel
        self.protocol, self.pm, self.txpower = 3, 2, 20.5
        self.stations = []
        self.point = None  # AccessPoint that the station is associated with
        self.link = None  # (boots, channel) of it when associated
        self._gone_at = None
        self._check_at = 0
        self._status = IDLE
        self._phase, self._until = _REST, 0
        air.attach(self)
        if store.opmode & 1 and store.ssid:
            self.start()  # the SDK connects by itself at boot

    def close(self):
        """The chip loses power, or is reset."""
        self._leave()
        self.air.detach(self)

    def wlan(self, interface=STA_IF):
        """The `network.WLAN` of one interface."""
        if interface not in (STA_IF, AP_IF):
            raise ValueError
        return WLAN(self, interface)

    # -- the station

    def start(self):
        """wifi_station_connect()."""
        self._leave()
        self._search(self.clock())

    def stop(self):
        """wifi_station_disconnect(): also ends the SDK's own attempts."""
        self._leave()
        self._phase, self._status = _REST, IDLE

    def status(self):
        self.advance()
        return self._status

    def rssi(self):
        self.advance()
        return self.point.rssi if self.point else NO_RSSI

    def address(self):
        """(address, mask, gateway) of the station."""
        self.advance()
        if self._phase == _UP or (self.static and self._phase != _REST):
            if self.static:
                return self.static
            net = self.point.subnet
            return (net + ".%d" % (50 + self.store.chip_id[2] % 200), "255.255.255.0", net + ".1")
        return ("0.0.0.0", "0.0.0.0", "0.0.0.0")

    def advance(self):
        """Let everything happen that was due by now."""
        now = self.clock()
        while self._step(now):
            pass
        for station in self.stations:
            if station.away_until is not None and now - station.away_until >= 0:
                station.away_until = None

    def _step(self, now):
        phase = self._phase
        if phase in (_AUTH, _DHCP, _UP) and self._silent(now):
            return True
        if phase in (_REST, _UP) or self._until is None or now - self._until < 0:
            return False
        at = self._until
        if phase == _PAUSE:
            self._search(at)
        elif phase == _SEARCH:
            self._found(at, self._pick())
        elif phase == _AUTH:
            self._authenticated(at)
        else:
            self._phase, self._status = _UP, GOT_IP
            if not self.static:
                self.dns = self.point.subnet + ".1"
        return True

    def _search(self, at):
        self.attempts += 1
        self._phase, self._until, self._status = _SEARCH, at + SEARCH_MS, CONNECTING
        self._disturb(at)

    def _pick(self):
        best = None
        for point in self.air.points:
            if not point.up or point.ssid != self.store.ssid or self.air.unlucky(point.loss):
                continue
            if self.store.bssid and point.bssid != self.store.bssid:
                continue
            if best is None or point.rssi > best.rssi:
                best = point
        return best

    def _found(self, at, point):
        if point is None:
            self._failed(at, NO_AP_FOUND)
            return
        self.point, self.link = point, (point.boots, point.channel)
        self._gone_at, self._check_at = None, at
        self._move(at, point.channel)
        self._phase = _AUTH
        self._until = at + (AUTH_MS if point.key == self._usable_key(point) else WRONG_KEY_MS)

    def _usable_key(self, point):
        return b"" if point.auth == OPEN else self.store.key

    def _authenticated(self, at):
        if self.point.key != self._usable_key(self.point):
            self._failed(at, WRONG_PASSWORD)
        elif self.air.unlucky(self.point.loss):
            self._failed(at, CONNECT_FAIL)
        else:
            self._phase = _DHCP
            answers = self.static or (self.point.dhcp and self.point.up)
            self._until = at + (0 if self.static else DHCP_MS) if answers else None

    def _failed(self, at, status):
        self._leave()
        self._phase, self._until, self._status = _PAUSE, at + PAUSE_MS, status

    def _silent(self, now):
        """Has the associated AP been lost? A rebooted one says so at once, a silent one is missed after a while."""
        point = self.point
        if point.up and point.boots != self.link[0]:
            self._leave()
            self._search(now)
            return True
        if self._phase == _UP and point.loss:  # a weak link: one draw in ten seconds
            while now - self._check_at >= 10000:
                self._check_at += 10000
                if self.air.unlucky(point.loss * point.loss * point.loss):
                    self._leave()
                    self._search(self._check_at)
                    return True
        if point.up and point.channel == self.link[1]:
            self._gone_at = None
            if self._phase == _DHCP and self._until is None and point.dhcp:
                self._until = now + DHCP_MS
            return False
        if self._gone_at is None:
            self._gone_at = now
        if now - self._gone_at < BEACON_TIMEOUT_MS:
            return False
        at = self._gone_at + BEACON_TIMEOUT_MS
        self._leave()
        self._search(at)
        return True

    def _leave(self):
        self.point = self.link = self._gone_at = None

    # -- the access point

    def joined(self):
        """Stations on our AP now."""
        self.advance()
        return [s for s in self.stations if s.away_until is None] if self.store.opmode & 2 else []

    def join(self, mac, ssid, key=""):
        """A phone tries our AP. True if it is on: AP up, name and key right, room left, radio on our channel."""
        self.advance()
        store = self.store
        if not store.opmode & 2 or self._phase == _SEARCH or len(self.stations) >= MAX_STATIONS:
            return False
        if _bytes(ssid) != store.ap_ssid or (store.ap_auth != OPEN and _bytes(key) != store.ap_key):
            return False
        self.leave(mac)
        net = self.ap_address[0].rsplit(".", 1)[0]
        self.stations.append(Station(mac, net + ".%d" % (2 + len(self.stations))))
        return True

    def leave(self, mac):
        """A phone goes."""
        self.stations = [s for s in self.stations if s.mac != mac]

    def _disturb(self, at):
        """The radio leaves the AP's channel: whoever is on the AP is thrown off for a while."""
        if not self.store.opmode & 2:
            return
        present = [s for s in self.stations if s.away_until is None]
        if present:
            self.disturbed += 1
        for station in self.stations:
            station.away_until = at + REJOIN_MS

    def _move(self, at, channel):
        if channel != self.channel:
            self.channel = channel
            self._disturb(at)

    # -- both

    def block(self, ms):
        self.blocked_ms += ms
        if self.sleep:
            self.sleep(ms)

    def scan(self):
        """All beacons and probe answers: what `WLAN.scan` returns. Takes SCAN_MS."""
        self.advance()
        if self._phase in (_SEARCH, _AUTH):
            raise OSError("scan failed")
        self.scans += 1
        self._disturb(self.clock())
        self.block(SCAN_MS)
        self.advance()
        found = []
        for p in self.air.points:
            if p.up and not self.air.unlucky(p.loss):
                found.append((b"" if p.hidden else p.ssid, p.bssid, p.channel, p.rssi, p.auth, 1 if p.hidden else 0))
        return found

    def set_opmode(self, mode):
        self.advance()
        if mode == self.store.opmode:
            return
        if not mode & 1:
            self.stop()
        if not mode & 2:
            self.stations = []
        elif not self.point:
            self.channel = self.store.ap_channel
        self.store.opmode = mode
        self.store.writes["opmode"] += 1


class WLAN:
    """`network.WLAN` of the ESP8266 port: same methods, return types and errors."""

    IF_STA, IF_AP = STA_IF, AP_IF
    SEC_OPEN, SEC_WEP, SEC_WPA, SEC_WPA2, SEC_WPA_WPA2 = OPEN, WEP, WPA, WPA2, WPA_WPA2
    PM_NONE, PM_POWERSAVE, PM_PERFORMANCE = 0, 1, 2

    def __init__(self, radio, interface):
        self._radio = radio
        self._if = interface

    def _require(self, interface):
        if self._if != interface:
            raise OSError("STA required" if interface == STA_IF else "AP required")

    def active(self, *args):
        mode, mask = self._radio.store.opmode, 1 << self._if
        if not args:
            return bool(mode & mask)
        self._radio.set_opmode(mode | mask if args[0] else mode & ~mask)

    def connect(self, ssid=None, key=None, *, bssid=None):
        self._require(STA_IF)
        radio = self._radio
        radio.advance()
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if ssid is not None or key is not None or bssid is not None:
            if not radio.store.opmode & 1:
                raise OSError("Cannot set STA config")
            store = radio.store
            store.ssid = _bytes(ssid or b"")[:32]
            store.key = _bytes(key or b"")[:64]
            store.bssid = _bytes(bssid or b"")
            store.writes["connect"] += 1
        if not radio.store.opmode & 1:
            raise OSError("Cannot connect to AP")
        radio.start()

    def disconnect(self):
        self._require(STA_IF)
        if not self._radio.store.opmode & 1:
            raise OSError("Cannot disconnect from AP")
        self._radio.advance()
        self._radio.stop()

    def isconnected(self):
        return self._radio.status() == GOT_IP if self._if == STA_IF else len(self._radio.joined()) > 0

    def status(self, *args):
        if not args:
            return self._radio.status() if self._if == STA_IF else -1
        if args[0] == "rssi" and self._if == STA_IF:
            return self._radio.rssi()
        if args[0] == "stations" and self._if == AP_IF:
            return [(s.mac, s.ip) for s in self._radio.joined()]
        raise ValueError("unknown status param")

    def scan(self):
        self._require(STA_IF)
        if not self._radio.store.opmode & 1:
            raise OSError("STA must be active")
        return self._radio.scan()

    def config(self, *args, **kwargs):
        if args and kwargs:
            raise TypeError("either pos or kw args are allowed")
        if kwargs:
            self._configure(kwargs)
            return None
        if len(args) != 1:
            raise TypeError("can query only one param")
        return self._query(args[0])

    def _configure(self, kwargs):
        radio, store = self._radio, self._radio.store
        radio.advance()
        ap = {}
        for name, value in kwargs.items():
            if name in ("ssid", "essid"):
                ap["ap_ssid"] = _bytes(value)[:32]
            elif name in ("key", "password"):
                ap["ap_key"] = _bytes(value)[:63]
            elif name in ("security", "authmode"):
                ap["ap_auth"] = int(value)
            elif name == "hidden":
                ap["ap_hidden"] = bool(value)
            elif name == "channel":
                ap["ap_channel"] = int(value)
            elif name in ("hostname", "dhcp_hostname"):
                radio.hostname = _hostname(value)
            elif name == "mac":
                if len(value) != 6:
                    raise ValueError("invalid buffer length")
                setattr(radio, "ap_mac" if self._if else "sta_mac", bytes(value))
            elif name in ("protocol", "txpower", "pm"):
                setattr(radio, name, value)
            else:
                raise ValueError("unknown config param")
        if ap:
            self._require(AP_IF)
        if not store.opmode & (1 << self._if):
            raise OSError("can't set AP config" if self._if else "can't set STA config")
        for name, value in ap.items():
            setattr(store, name, value)
        if ap and not radio.point:
            radio.channel = store.ap_channel
        if "ap_ssid" in ap or "ap_key" in ap:
            radio.stations = []
        store.writes["config"] += 1  # the port writes the whole configuration back, whatever was set

    def _query(self, name):
        radio, store = self._radio, self._radio.store
        if name == "mac":
            return radio.ap_mac if self._if else radio.sta_mac
        if name in ("ssid", "essid"):
            if self._if:
                return store.ap_ssid.decode()
            # strlen() over char ssid[32], password[64]: a name of 32 bytes drags the key along
            return (store.ssid if len(store.ssid) < 32 else store.ssid + store.key).decode()
        if name in ("hostname", "dhcp_hostname"):
            self._require(STA_IF)
            return radio.hostname
        if name in ("protocol", "pm"):
            return getattr(radio, name)
        if name in ("hidden", "security", "authmode", "channel"):
            self._require(AP_IF)
            if name == "channel":
                radio.advance()
                return radio.channel
            return store.ap_hidden if name == "hidden" else store.ap_auth
        raise ValueError("unknown config param")

    def _address(self):
        return self._radio.ap_address if self._if else self._radio.address()

    def _set_address(self, address):
        if self._if:
            self._radio.ap_address = address
        else:
            self._radio.static = address

    def ifconfig(self, *args):
        if not args:
            return self._address() + (self._radio.dns,)  # noqa: RUF005  (MicroPython has no such unpacking)
        if args[0] == "dhcp":
            self._require(STA_IF)
            self._radio.advance()
            self._radio.static = None
            return None
        address, mask, gateway, dns = args[0]
        self._radio.advance()
        self._set_address((_dotted(address), _mask(mask) if isinstance(mask, int) else _dotted(mask), _dotted(gateway)))
        self._radio.dns = _dotted(dns)
        return None

    def ipconfig(self, *args, **kwargs):
        if not kwargs:
            if len(args) != 1:
                raise TypeError("must query one param")
            address = self._address()
            if args[0] == "dhcp4":
                self._require(STA_IF)
                return self._radio.static is None
            if args[0] == "addr4":
                return address[:2]
            if args[0] == "gw4":
                return address[2]
            raise ValueError("unexpected key")
        if args:
            raise TypeError("either pos or kw args are allowed")
        self._radio.advance()
        for name, value in kwargs.items():
            address, mask, gateway = self._address()
            if name == "dhcp4":
                self._require(STA_IF)
                self._radio.static = None if value else (address, mask, gateway)
            elif name == "addr4":
                if isinstance(value, str):
                    address, bits = (value + "/").split("/")[:2]
                    mask = _mask(int(bits)) if bits else mask
                else:
                    address, mask = value
                self._set_address((_dotted(address), _dotted(mask), gateway))
            elif name == "gw4":
                self._set_address((address, mask, _dotted(value)))
            else:
                raise ValueError("unexpected key")
        return None


class Network:
    """Stands for the port's module `network`."""

    STA_IF, AP_IF = STA_IF, AP_IF
    STAT_IDLE, STAT_CONNECTING, STAT_WRONG_PASSWORD = IDLE, CONNECTING, WRONG_PASSWORD
    STAT_NO_AP_FOUND, STAT_CONNECT_FAIL, STAT_GOT_IP = NO_AP_FOUND, CONNECT_FAIL, GOT_IP
    AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK = OPEN, WEP, WPA, WPA2, WPA_WPA2
    MODE_11B, MODE_11G, MODE_11N = 1, 2, 3

    def __init__(self, radio):
        self.radio = radio
        self._country = "XX"

    def WLAN(self, interface=STA_IF):  # noqa: N802  (the name that it stands for)
        return self.radio.wlan(interface)

    def hostname(self, *args):
        if not args:
            return self.radio.hostname
        self.radio.hostname = _hostname(args[0])

    def country(self, *args):
        if not args:
            return self._country
        if len(args[0]) != 2:
            raise ValueError
        self._country = args[0].upper()

    def phy_mode(self, *args):
        if not args:
            return self.radio.protocol
        self.radio.protocol = args[0]

    def ipconfig(self, *args, **kwargs):
        if not kwargs:
            if args != ("dns",):
                raise ValueError("unexpected key")
            return self.radio.dns
        for name, value in kwargs.items():
            if name != "dns":
                raise ValueError("unexpected key")
            self.radio.dns = _dotted(value)


def _hostname(name):
    if not 0 < len(name) <= 32:
        raise ValueError
    return name


def _dotted(text):
    parts = text.split(".")
    if len(parts) != 4 or not all([p.isdigit() and int(p) < 256 for p in parts]):
        raise ValueError("invalid arguments")
    return text


def _mask(bits):
    value = (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
    return ".".join([str((value >> shift) & 255) for shift in (24, 16, 8, 0)])
