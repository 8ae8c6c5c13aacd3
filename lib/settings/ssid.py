"""The name of a network as it is on the air. For this package, lib/wifi and lib/portal."""


def ssid_bytes(network: dict) -> bytes:
    """The SSID of an entry of wifi.networks, 1 to 32 bytes: `ssid`, or `ssid_hex` where it is not text."""
    digits = network.get("ssid_hex")
    if digits:
        return bytes([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])
    return network["ssid"].encode()
