"""Commands and answers where the platform leaves their shape to us.

command   {"command": "set", "id": 7, "relay": true}; or the name in the topic and as payload nothing, a bare value or
          the JSON object without "command"; or a bare name as payload
answer    {"ok":true,"id":7} or {"ok":false,"id":7,"error":"..."}, "text" and "data" as the command has them
"""

import json

from cloud import Platform

_OPEN = 100  # brackets and braces


def request(payload: bytes, name: str, topic: str | None) -> tuple:
    """The received command, for decode(). `name`: from the topic, or ""; `topic`: where the answer goes."""
    try:
        text = str(payload, "utf-8")
    except ValueError:
        return "fault", "not UTF-8", None, (topic, None)
    if text.count("[") + text.count("{") > _OPEN:  # its parser asks for KB in a row
        return "fault", "nested too deep", None, (topic, None)
    try:
        args = json.loads(text) if text else {}
    except ValueError:
        args = text
    except RuntimeError:
        return "fault", "nested too deep", None, (topic, None)
    if not isinstance(args, dict):
        if name or not isinstance(args, str):
            args = {"value": args}
        else:
            args = {"command": args}
    ident = args.pop("id", None)
    ref = (topic, ident if isinstance(ident, (int, str)) else None)
    name = args.pop("command", None) or name
    if not name or not isinstance(name, str):
        return "fault", "no command named", None, ref
    return "command", name, args, ref


def reply(p: Platform, ref: tuple, ok: bool = True, text: str = "", data: dict | None = None) -> tuple | None:
    """(topic, payload) that answers."""
    if ref[0] is None:
        return None
    parts = ['{"ok":true' if ok else '{"ok":false']
    if ref[1] is not None:
        parts += (',"id":', json.dumps(ref[1]))
    if text:
        parts += (',"text":' if ok else ',"error":', json.dumps(text))
    if data is not None:
        parts += (',"data":', json.dumps(data))
    parts.append("}")
    return ref[0], "".join(parts)
