"""The ESP8266's radio in its air, as plain Python for CPython and MicroPython.

`Air` (air.py) holds the access points around a node; a test changes them at any time. `Radio` obeys the chip's rules,
and its `Network` (wlan.py) looks like the port's module `network`: the unit tests of lib/wifi use it in process, the
virtual board forwards the node's calls to it. Nothing here sleeps: time is `clock()`, and what would block the chip is
added to `Radio.blocked_ms` (or given to the injected `sleep`).

Timing and status codes are those reported for the NONOS SDK 2.x. The SDK is closed, so where the field's reports differ
the harsher behaviour was taken: the SDK goes on searching by itself and throws the stations off our AP while it does.
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
        WRONG_PASSWORD,
        Air,
        Station,
        Store,
        raw,
    )  # fmt: skip
    from .wlan import WLAN, Network
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
        WRONG_PASSWORD,
        Air,
        Station,
        Store,
        raw,
    )  # fmt: skip
    from wlan import WLAN, Network  # type: ignore[no-redef, import-not-found]

__all__ = ("GOT_IP", "Air", "Network", "Radio", "Store")

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
        if raw(ssid) != store.ap_ssid or (store.ap_auth != OPEN and raw(key) != store.ap_key):
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
