"""Rules that are about more than one field."""

from . import schema
from .ssid import ssid_bytes


def check_together(clean: dict, faults: list) -> None:
    """Add to `faults` what is wrong with `clean`, whose fields are right one by one."""
    wifi = clean["wifi"]
    if wifi["mode"] == "sta" and not wifi["networks"]:
        faults.append("wifi.networks: empty, wanted at least one network in mode sta")
    seen: list = []
    for i, network in enumerate(wifi["networks"]):
        _network(network, "wifi.networks.%d" % i, seen, faults)
    for section in ("sensors", "outputs"):
        names: list = []
        for i, entry in enumerate(clean[section]):
            name = entry.get("name")
            if name and name in names:
                from .faults import shown

                faults.append("%s.%d.name: %s is there twice, wanted a name of its own" % (section, i, shown(name)))
            names.append(name)
    if clean["device"]["web"] and not clean["device"].get("password"):
        faults.append("device.password: empty, wanted 8 to 64 bytes when device.web is on")
    cloud = clean["cloud"]
    for field in schema.fields("cloud"):
        if field.platforms and field.platforms.get(cloud["platform"]) and not cloud.get(field.name):
            faults.append("%s: empty, wanted for platform %s" % (field.dotted, cloud["platform"]))


def _network(network: dict, dotted: str, seen: list, faults: list) -> None:
    if ("ssid" in network) == ("ssid_hex" in network):
        faults.append(
            "%s.ssid: %s, wanted ssid or ssid_hex" % (dotted, "given twice" if "ssid" in network else "missing")
        )
        return
    ssid = ssid_bytes(network)
    if ssid in seen:
        faults.append("%s.ssid: this network is there twice, wanted each once" % dotted)
    seen.append(ssid)
    for name in ("mask", "gateway", "dns"):
        if name in network and "ip" not in network:
            faults.append("%s.ip: missing, wanted with %s" % (dotted, name))
    if "ip" in network and "gateway" not in network:
        faults.append("%s.gateway: missing, wanted with a static ip" % dotted)
