"""The log's way to MQTT; loaded for good where the settings want it (`log.mqtt`)."""

from micropython import const

_LOGS = const(8)  # lines that wait for MQTT


def remote(node):
    """The log's way to MQTT, `base/log`, for lines of the level that the settings name and above; None: off."""
    levels = "debug info warning error".split()
    wanted = node.cfg["log"]["mqtt"]
    if wanted not in levels:
        return None
    least = levels.index(wanted)

    def sink(level: int, text: str) -> None:
        if level >= least:
            node.logs.append("%s: %s" % (levels[level], text))
            if len(node.logs) > _LOGS:
                node.logs.pop(0)

    return sink
