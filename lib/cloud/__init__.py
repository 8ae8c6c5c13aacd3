"""Cloud platforms: from the identity in the settings to what the MQTT client must present, send and understand.

`create()` loads the one module that is asked for; base.py has the interface that all of them share. sign.py is the
signature arithmetic, pace.py the rate limits, fields.py the form fields of each platform (for portal and provisioning;
not needed to connect). Nothing here does I/O or knows a clock: times are handed in.
"""

from cloud.base import ACK, ANNOUNCE, COMMAND, FAULT, Platform


def create(cloud: dict, mqtt: dict, device: dict) -> Platform:
    """The platform named by `cloud["platform"]` (blank: `plain`), ready to use.

    `cloud` and `mqtt` are the sections of the settings; `device` has `id` (unique, [a-z0-9-]) and may have `name`
    and `version`. Raises ValueError with the name of the field and what was wanted.
    """
    name = cloud.get("platform") or "plain"
    edition = cloud.get("edition")
    if name == "plain" and mqtt.get("discovery"):
        name = "homeassistant"
    elif edition in ("hub", "legacy"):
        name += "_" + edition
    try:
        module = __import__("cloud." + name, None, None, ("create",))
    except ImportError:
        module = None
    if not hasattr(module, "create"):
        raise ValueError("cloud.platform: there is no platform %r" % name)
    return module.create(cloud, mqtt, device)


__all__ = ("ACK", "ANNOUNCE", "COMMAND", "FAULT", "Platform", "create")
