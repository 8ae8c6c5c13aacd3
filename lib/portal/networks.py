"""WiFi names as data: what a scan returns, made ready for the list on the page. Names are bytes of strangers."""

LIMIT = 20  # networks kept; a page of more serves nobody and every entry costs heap


def digest(scan, limit: int = LIMIT) -> "list[tuple[bytes, int, bool]]":
    """[(name, signal in dBm, locked)], strongest first, one entry a name, from `WLAN.scan()`'s tuples.

    Hidden networks (empty name, or only NUL) are left out: they are typed in. The list never holds more than `limit`.
    """
    best: "list[tuple[bytes, int, bool]]" = []
    for ssid, _, _, rssi, security, _ in scan:
        if not ssid.strip(b"\0"):
            continue
        for i in range(len(best)):
            if best[i][0] == ssid:
                if best[i][1] >= rssi:
                    break
                del best[i]
                _insert(best, (bytes(ssid), rssi, security != 0))
                break
        else:
            if len(best) < limit or rssi > best[-1][1]:
                _insert(best, (bytes(ssid), rssi, security != 0))
                if len(best) > limit:
                    best.pop()
    return best


def _insert(best: list, entry: tuple) -> None:
    at = 0
    while at < len(best) and best[at][1] >= entry[1]:
        at += 1
    best.insert(at, entry)


def readable(ssid: bytes) -> bool:
    """True if the name is UTF-8 without control characters, so that it can stand in the settings as text."""
    last = 0
    for c in ssid:
        if (
            c < 32 or c == 127 or (last == 0xED and c >= 0xA0)
        ):  # control characters; surrogates, which MicroPython takes
            return False
        last = c
    try:
        return str(ssid, "utf-8").encode() == ssid
    except UnicodeError:
        return False
