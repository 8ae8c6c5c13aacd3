"""Commands from the broker: taken one by one, checked, done, and every one of them answered.

    link._take() --> node.inbox --work()--> actions.py, change.py, outputs.py, key.py --> reply

What a command looks like on the wire is the platform's matter (lib/cloud decodes and encodes), so clouds have the same
commands; docs/commands.md is for those who send them. This module is loaded when a message comes and let go when the
inbox is empty.
"""

import asyncio
import gc

import cloud

from . import call
from .log import DEBUG, ERROR, INFO, WARNING

_LARGEST = 1024  # bytes of a command's payload, as in large.py
_TURNS = 600  # of _TURN_MS to be connected again, before an answer is given up
_TURN_MS = 200
_TRIES = 3  # where there is too little memory, _BREATH_MS apart
_BREATH_MS = 700

# command, function that does it: takes (node, args, ref of the command) and returns text, or (text, data).
# ValueError: refused, and why.
_OPEN = "read actions.read identify actions.identify info actions.info log actions.log counter key.counter"
_GUARDED = "restart actions.restart set outputs.command period change.period settings change.shown patch change.patch"


def names(table: str = _OPEN + " signed key.counter " + _GUARDED) -> tuple:
    """The names of the commands."""
    return tuple(table.split()[::2])  # device: ok, a list


async def work(node) -> None:
    """Answer what is in the inbox. A message that was too large to keep has its length as payload, as an int."""
    while node.inbox:
        gc.collect()
        message = node.inbox[0]
        try:
            if message is None:
                node.log(WARNING, "command: too many at once, some were not looked at")
            elif await _ready(node):
                await _take(node, message)
        except Exception as e:  # noqa: BLE001  a message costs a line, never the node
            gc.collect()
            try:
                node.log(ERROR, "command: %s: %s" % (type(e).__name__, e))
            except MemoryError:
                node.short = True
        node.inbox.pop(0)
        cloud.release()


async def _ready(node) -> bool:
    """Wait for a connection on which all is said that has to be said first: there is heap for one of them only."""
    for _ in range(_TURNS):
        if node.link and node.link.ready:
            return True
        await asyncio.sleep_ms(_TURN_MS)
    return False


async def _take(node, message) -> None:
    node.log(DEBUG, "message on %s" % message.topic)
    payload = message.payload
    too_large = isinstance(payload, int)
    no_room = False
    try:
        found = await _patiently(_TRIES, _decoded, node, message.topic, b"" if too_large else payload)
    except MemoryError:
        no_room = True
        found = node.link.platform.decode(message.topic, b"")
    cloud.release()
    if found is None:
        return
    kind, name, args, ref = found
    if kind == "announce":
        if not message.retain:  # what was retained is older than our own announcement
            await call("about.announce", node)
        return
    if kind == "ack":
        if not args:
            node.log(WARNING, "a report was refused: %s" % (ref,))
        return
    if too_large:
        kind = "fault"
        name = "%d bytes, at most %d wanted" % (payload, _LARGEST)
        if payload <= _LARGEST:
            name = "busy, send it again"
    elif no_room:
        kind = "fault"
        name = "too little memory for it"
    elif message.retain:
        kind = "fault"
        name = "retained, so it would come again at each connection: not done"
    message = payload = found = data = None  # the heap is scarce
    ok = False
    try:
        if kind != "command":
            raise ValueError(name)
        node.log(INFO, "command: " + name[:32])
        twice = name == "settings" or name in names(_OPEN)  # does no harm
        text = await _patiently(_TRIES if twice else 1, run, node, name, args, ref)
        ok = True
        if isinstance(text, tuple):
            text, data = text
    except Exception as e:  # noqa: BLE001  whoever sent it is told, the node goes on
        text = str(e) if isinstance(e, ValueError) else "failed: %s: %s" % (type(e).__name__, e)
        node.log(WARNING, "command: %s" % text)
    args = None
    try:
        await answer(node, ref, ok, text, data)
    except MemoryError as e:
        node.log(WARNING, "command: answer: %s" % e)
        data = None
        await answer(node, ref, False, "done, perhaps; too little memory for the answer")
    if ok and text.startswith("restarting"):
        import machine

        await node.stop()
        machine.reset()


async def _decoded(node, topic: str, payload: bytes) -> "tuple | None":
    return node.link.platform.decode(topic, payload)


async def _patiently(tries: int, work, *args):
    """What the coroutine function `work` gives. Too little memory: again, when what else is going on has come to its end."""
    while True:
        try:
            return await work(*args)
        except MemoryError:
            tries -= 1
            if not tries:
                raise
        cloud.release()
        gc.collect()
        await asyncio.sleep_ms(_BREATH_MS)
        gc.collect()


async def answer(node, ref: object, ok: bool, text: str, data: "dict | None" = None) -> bool:
    """Publish the reply to the command with this `ref`, if the platform has replies; False: there was no connection."""
    if ref is None:
        return True
    gc.collect()
    if not await _ready(node):
        return False
    link = node.link
    reply = link.platform.reply(ref, ok, text, data)
    if reply and len(reply[1]) > link.platform.max_payload:
        reply = link.platform.reply(ref, False, "the answer is too long for this platform")
    cloud.release()
    if reply:
        try:
            await link.client.publish(reply[0], reply[1], 1)
        except OSError as e:
            node.log(WARNING, "command: reply not sent: %s" % e)
            return False
    return True


async def run(node, name: str, args: dict, ref: object = None) -> "str | tuple":
    """Do one command, after its signature was checked if it has or needs one. ValueError: refused, and why."""
    if name == "signed":
        name, args = call("key.opened", node, args)
    elif name not in names(_OPEN) and node.cfg["device"].get("command_key"):
        raise ValueError("%s: must be signed with the command key" % name[:32])
    words = (_OPEN + " " + _GUARDED).split()
    if name in words[::2]:  # device: ok, a list
        return await call(words[words.index(name) + 1], node, args, ref)
    if hasattr(node, "on_command"):  # app.py's
        result = node.on_command(name, args)
        if result is not None:
            return str(result)
    raise ValueError("unknown command %s, wanted one of %s" % (name[:32], " ".join(names())))
