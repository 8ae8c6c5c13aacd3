"""The face of a radio (radio.py): `network.WLAN` and the module `network` of the ESP8266 port, MicroPython 1.29.

Same methods, return types, errors and flash writes as ports/esp8266/network_wlan.c.
"""

try:
    from .air import (
        AP_IF,
        CONNECT_FAIL,
        CONNECTING,
        GOT_IP,
        IDLE,
        NO_AP_FOUND,
        OPEN,
        STA_IF,
        WEP,
        WPA,
        WPA2,
        WPA_WPA2,
        WRONG_PASSWORD,
        raw,
    )  # fmt: skip
except ImportError:  # this folder itself is on the path, as in the MicroPython VM
    from air import (  # type: ignore[no-redef, import-not-found]
        AP_IF,
        CONNECT_FAIL,
        CONNECTING,
        GOT_IP,
        IDLE,
        NO_AP_FOUND,
        OPEN,
        STA_IF,
        WEP,
        WPA,
        WPA2,
        WPA_WPA2,
        WRONG_PASSWORD,
        raw,
    )  # fmt: skip


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
            store.ssid = raw(ssid or b"")[:32]
            store.key = raw(key or b"")[:64]
            store.bssid = raw(bssid or b"")
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

    def search(self):
        """A scan whose results the VM gets one by one (`found`); how many there are."""
        self._found = self.scan()
        return len(self._found)

    def found(self, number):
        """One result of `search`."""
        return self._found[number]

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
                ap["ap_ssid"] = raw(value)[:32]
            elif name in ("key", "password"):
                ap["ap_key"] = raw(value)[:63]
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
