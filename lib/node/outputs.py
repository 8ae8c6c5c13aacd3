"""Outputs: relays and the like, from the list `outputs` of the settings.

node.outputs is a list of [name, pin, inverted, on, is it to start as it was]; the functions here are loaded when an
output is made or switched.
A state goes out when it changes and at each connection: on or off, retained, on {base}/output/{name} where topics are
one's own, elsewhere as a reading, true or false.
"""

import json

from .log import ERROR

FILE = "/outputs.json"  # states of the outputs that start as they last were
_ON = ("on", "true", "1")
_OFF = ("off", "false", "0")


def make(node, board, entries: list, file: str = FILE) -> list:
    """The outputs of the settings, at their level for the start. A fault costs a log line."""
    from sensors.pins import claim

    machine = board.machine
    made: list = []
    before = _stored(file)
    for i, entry in enumerate(entries):
        name = entry["name"]
        try:
            for c in name:
                if c in "/+#\"'\\":
                    raise ValueError("name: %s may not be in it" % c)
            if name in [output[0] for output in made] + [field[0] for s in node.sensors for field in s.fields]:
                raise ValueError("name: %s is there twice" % name)
            number = claim(board, entry["pin"], "out", "", name)
            start = entry.get("start", "off")
            kept = start == "last"
            on = before.get(name) is True if kept else start == "on"
            inverted = bool(entry.get("inverted"))
            pin = machine.Pin(number, machine.Pin.OUT, value=int(on != inverted))
        except ValueError as e:
            node.log(ERROR, "outputs.%d: %s" % (i, e))
            continue
        made.append([name, pin, inverted, on, kept])
    return made


def _stored(file: str) -> dict:
    try:
        with open(file) as f:
            found = json.loads(f.read(512))
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def _level(value: object, on: bool) -> bool:
    if value is True or value is False:
        return value
    word = str(value).lower()
    if word == "toggle":
        return not on
    if word in _ON:
        return True
    if word in _OFF:
        return False
    raise ValueError("true, false, on, off or toggle wanted")


async def command(node, args: dict, ref: object = None) -> tuple:
    """The command `set`: {output: level, ...}; all of them or none."""
    wanted = []
    for name, value in args.items():
        output = [output for output in node.outputs if output[0] == name]
        if not output:
            known = " ".join([output[0] for output in node.outputs])
            raise ValueError("%s: no such output, there is %s" % (name[:32], known or "none"))
        try:
            wanted.append((output[0], _level(value, output[0][3])))
        except ValueError as e:
            raise ValueError("%s: %s" % (name, e))
    if not wanted:
        raise ValueError("set: an output and its level wanted")
    for output, on in wanted:
        output[3] = on
        output[1].value(int(on != output[2]))
    _store(node)
    await publish(node)
    return "", {output[0]: output[3] for output, _ in wanted}


def _store(node, file: str = FILE) -> None:
    """Remember what is to survive a power cut, if it has changed."""
    states = {output[0]: output[3] for output in node.outputs if output[4]}
    if states and states != _stored(file):
        import os

        with open(file + ".new", "w") as f:
            f.write(json.dumps(states))
        os.rename(file + ".new", file)


async def publish(node) -> None:
    """Tell the broker the state of all outputs. OSError: no link, and then it is told on the next one."""
    link = node.link
    if not node.outputs or not link or not link.client.connected:
        return
    platform = link.platform
    client = link.client
    if hasattr(platform, "base"):
        for output in node.outputs:
            topic = "%s/output/%s" % (platform.base, output[0])
            await client.publish(topic, "on" if output[3] else "off", 1, platform.retain_ok)
    else:
        readings = [(output[0], output[3], "", None) for output in node.outputs]
        for topic, payload, _ in platform.report(readings):
            await link.turn()
            await client.publish(topic, payload, platform.qos)
