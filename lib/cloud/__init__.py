"""Cloud platforms: from the identity in the settings to what the MQTT client must present, send and understand.

`create()` loads the one module asked for; base.py has the interface that all of them share; sign.py: signatures,
own.py: commands and answers where the platform leaves their shape to us, pace.py: rate limits, why.py: refusals in
words, to be loaded when there is one. Nothing here does I/O or knows a clock: times are handed in.
"""

from cloud.base import ACK, ANNOUNCE, COMMAND, FAULT, Platform


def create(cloud: dict, mqtt: dict, device: dict) -> Platform:
    """The platform named by `cloud["platform"]` (blank: `plain`), ready to use.

    `cloud` and `mqtt` are the sections of the settings; `device` has `id` (unique, [a-z0-9-]) and may have `name`.
    Raises ValueError with the name of the field and what was wanted.
    """
    name = cloud.get("platform") or "plain"
    if name == "plain" and mqtt.get("discovery"):
        name = "homeassistant"
    elif cloud.get("edition") in ("hub", "legacy"):
        name += "_" + cloud["edition"]
    try:
        if name.startswith("_"):
            raise ImportError
        module = __import__("cloud." + name, None, None, ("create",))
    except ImportError:
        module = None
    if not hasattr(module, "create"):
        raise ValueError("cloud.platform: there is no " + name)
    return module.create(cloud, mqtt, device)


__all__ = ("ACK", "ANNOUNCE", "COMMAND", "FAULT", "Platform", "create")
