"""In the VM: calls to the silicon on the host. One JSON line each way over a socket; see ../silicon.py.

Request: [id, target, name, args, kwargs]; id 0 wants no answer. Answer: [id, value] or [id, exception, args].
`bytes` travel as {"b": hex} and tuples, from the host, as {"t": list}.
An answer to an interrupted call (Ctrl-C) is still to come: it is known by its id and skipped.
"""

# ruff: noqa: D103
import builtins
import json
from binascii import hexlify, unhexlify

_file = None
_id = 0


def start(fd):
    global _file
    _file = open(fd, "r+b")  # noqa: SIM115  (open as long as the VM runs)


def _pack(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"b": hexlify(value).decode()}
    if isinstance(value, (list, tuple)):
        return [_pack(v) for v in value]
    return value


def _unpack(value):
    if isinstance(value, dict):
        return unhexlify(value["b"]) if "b" in value else tuple([_unpack(v) for v in value["t"]])
    if isinstance(value, list):
        return [_unpack(v) for v in value]
    return value


def _send(number, target, name, args, kwargs):
    for key in kwargs:
        kwargs[key] = _pack(kwargs[key])
    _file.write(json.dumps([number, target, name, _pack(args), kwargs]) + "\n")


def cast(target, name, *args):
    _send(0, target, name, args, {})


def tell(line):
    """Send a ready-made request, without allocating. Must end with a newline and have id 0."""
    _file.write(line)


def call(target, name, *args, **kwargs):
    global _id
    _id = _id % 9999 + 1
    _send(_id, target, name, args, kwargs)
    while True:
        line = _file.readline()
        if not line:
            raise SystemExit  # no silicon, no chip
        answer = json.loads(line)
        if answer[0] == _id:
            break
    if len(answer) == 3:
        raise getattr(builtins, answer[1])(*answer[2])
    return _unpack(answer[1])
