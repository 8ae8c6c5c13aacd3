"""Signed commands: who has the command key, and no command twice.

A signed command is {"command": "signed", "counter": 7, "text": "{\"command\":\"restart\"}", "mac": "9f…"}: `mac` is
HMAC-SHA256, in hex, over device id, counter (decimal) and text, a line feed between them, with device.command_key.
The text is signed as it stands, so nobody has to agree on how to write JSON.

The counter must be larger than any before, also after a power cut. So that the flash is not written for each command, a
limit ahead of it is stored, _BLOCK at a time; after a start the counter goes on from that limit. `counter` asks for it.
"""

import errno
import json
import os

FILE = "/command.counter"  # decimal: no command up to this counter was ever accepted and forgotten
_BLOCK = 64  # counters to a flash write
_MOST = (1 << 53) - 1  # what every JSON reader takes as a whole number
_STEP = 1 << 31  # a counter further ahead is refused: one misled sender must not use up all of them


async def counter(node, args: dict, ref: object = None) -> tuple:
    """The last counter used, and the device id, which is signed too."""
    return "", {"counter": last(node), "device": node.id}


def last(node, file: str = FILE) -> int:
    """The last counter used, or one that is certainly not smaller. ValueError: the file is damaged."""
    number = _state(node)[0]
    if number is None:
        try:
            with open(file) as f:
                text = f.read(20)
        except OSError as e:
            if e.errno != errno.ENOENT:
                raise
            return 0  # none yet
        if not text.isdigit():
            raise ValueError("%s is damaged; remove it, and change the command key" % file)
        number = int(text)
        node.counter = number, number
    return number


def _state(node) -> tuple:
    """The last counter used, None if that is not known yet, and the one up to which the flash knows."""
    return getattr(node, "counter", (None, 0))


def accept(node, number: int, file: str = FILE) -> None:
    """Use up a counter. ValueError: it, or a later one, was used before."""
    before = last(node, file)
    if not before < number <= min(before + _STEP, _MOST):
        raise ValueError("counter: more than %d wanted" % before)
    limit = _state(node)[1]
    if number > limit:
        limit = min(number + _BLOCK - 1, _MOST)
        with open(file + ".new", "w") as f:
            f.write(str(limit))
        os.rename(file + ".new", file)
    node.counter = number, limit


def signature(key: str, device: str, number: int, text: str) -> str:
    """The mac of a command, 64 hex digits in lower case."""
    from cloud.sign import hexmac

    return hexmac("sha256", key.encode(), "%s\n%d\n%s" % (device, number, text))


def opened(node, args: dict, file: str = FILE) -> tuple:
    """(command, arguments) of a signed command; its counter is used up. ValueError: refused, and why."""
    key = node.cfg["device"].get("command_key")
    number = args.get("counter")
    text = args.get("text")
    mac = args.get("mac")
    if not key:
        raise ValueError("signed: the node has no command key")
    if type(number) is not int or not isinstance(text, str) or not isinstance(mac, str):
        raise ValueError("signed: counter (number), text and mac (texts) wanted")
    if number <= 0 or number > _MOST or not same(mac.encode(), signature(key, node.id, number, text).encode()):
        raise ValueError("signed: wrong mac")
    accept(node, number, file)
    try:
        inner = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        inner = None
    if not isinstance(inner, dict) or not isinstance(inner.get("command"), str):
        raise ValueError('text: a JSON object with "command" wanted')
    return inner.pop("command"), inner


def same(a: bytes, b: bytes) -> bool:
    """a == b, in a time that does not tell how much of it is right."""
    if len(a) != len(b):
        return False
    wrong = 0
    for x, y in zip(a, b):
        wrong |= x ^ y
    return not wrong
