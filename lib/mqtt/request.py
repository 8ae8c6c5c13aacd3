"""SUBSCRIBE (§3.8) and UNSUBSCRIBE (§3.10): asked by a task, or made again after a reconnect; and every rare packet.

A request is a list in session.waiting by its packet identifier: [first byte of the answer, ticks_ms when it was
written (as in a slot: session.AT), who waits, codes of the answer or None, filter where it is made again and no task
waits].
"""

import asyncio
import errno
import sys

from . import load
from .packet import CONNACK, SUBACK, UNSUBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Client

if sys.implementation.name == "micropython":
    from .transport import Waiters, wait, wake
else:
    from .transport_cpython import Waiters, wait, wake


async def subscribe(client: "Client", topic_filter: "str | list", qos: int = 0) -> list:
    """Subscribe to a filter, or to [(filter, qos), ...]; returns the granted QoS of each.

    Subscriptions are made again after a reconnect without session. Raises SubscribeRefused if any is refused.
    """
    wanted = [(topic_filter, qos)] if isinstance(topic_filter, str) else list(topic_filter)
    filters = [(filter_bytes(name), level) for name, level in wanted]
    for _, level in filters:
        if not isinstance(level, int) or not 0 <= level <= 2:
            raise ValueError("qos: 0, 1 or 2 wanted, %r given" % (level,))
    codes = await request(client, SUBACK, filters)
    for (name, level), code in zip(filters, codes):
        if code != 0x80:
            client._subscriptions[name] = level
    if 0x80 in codes:
        raise refused(codes)
    return codes


async def unsubscribe(client: "Client", topic_filter: "str | list") -> None:
    """Take back one filter, or a list of them."""
    filters = [filter_bytes(name) for name in ([topic_filter] if isinstance(topic_filter, str) else topic_filter)]
    for name in filters:
        client._subscriptions.pop(name, None)
    await request(client, UNSUBACK, filters)


def filter_bytes(topic_filter: str) -> bytes:
    """UTF-8 of a topic filter: + alone in its level, # alone in the last one (§4.7.1)."""
    raw = load("text").text_bytes(topic_filter, "filter")
    if not raw:
        raise ValueError("filter: is empty")
    levels = raw.split(b"/")
    for level in levels[:-1]:
        if b"#" in level:
            raise ValueError("filter: # must be the last level, %r given" % topic_filter)
    for level in levels:
        if len(level) > 1 and (b"+" in level or b"#" in level):
            raise ValueError("filter: a wildcard must fill its level, %r given" % topic_filter)
    return raw


def refused(codes: list) -> Exception:
    """SubscribeRefused for these codes."""
    from .errors import SubscribeRefused

    e = SubscribeRefused("refused by the broker: %s" % codes)
    e.codes = codes
    return e


def body(filters: list) -> bytes:
    """(filter, qos) of SUBSCRIBE, or filter of UNSUBSCRIBE."""
    out = b""
    for each in filters:
        name = each if isinstance(each, bytes) else each[0]
        out += bytes((len(name) >> 8, len(name) & 255)) + name
        if name is not each:
            out += bytes((each[1],))
    return out


async def send(client: "Client", kind: int, filters: list, again: "bytes | None" = None) -> list:
    """Write one request; returns it. Raises OSError without a link."""
    if client._out is not None or not client.connected:
        from .backlog import free

        await free(client)
    pid = client.session.new_pid()
    entry = client.session.waiting[pid] = [kind, client._now, Waiters(), None, again]
    data = load("opening").packet(0x82 if kind == SUBACK else 0xA2, bytes((pid >> 8, pid & 255)) + body(filters))
    client._push(data, len(data))
    return entry


async def request(client: "Client", kind: int, filters: list) -> list:
    """The codes of the answer, from this connection or a later one."""
    if not filters:
        raise ValueError("filter: at least one wanted")
    waiting = client.session.waiting
    while True:
        while not client.connected:
            if client._task is None:
                raise client.reason or OSError(errno.ENOTCONN, "not connected")
            await wait(client._changed)
        entry = None
        try:
            entry = await send(client, kind, filters)
            if client._fault is None:
                await wait(entry[2])
        except OSError:
            if client._task is None:
                raise
        finally:
            for pid in list(waiting):
                if waiting[pid] is entry:
                    del waiting[pid]
        if entry and entry[3] is not None:
            if kind == SUBACK and len(entry[3]) != len(filters):
                client._fail(
                    load("wrong").protocol_error("SUBACK for %d filters, %d asked" % (len(entry[3]), len(filters)))
                )
                raise client._fault or OSError(errno.ENOTCONN, "not connected")
            return entry[3]
        await wait_until_down(client)


async def wait_until_down(client: "Client") -> None:
    """A fault was found; let the reading task see it."""
    while client.connected and client._fault:
        await asyncio.sleep(0)


async def resubscribe(client: "Client") -> None:
    """After a CONNACK without session: what the broker does not know any more."""
    for item in list(client._subscriptions.items()):
        await send(client, SUBACK, [item], item[0])


def answered(client: "Client", first: int) -> None:
    """SUBACK, UNSUBACK, and what must not come."""
    if first == CONNACK:
        raise load("wrong").protocol_error("a second CONNACK")
    rx = client._rx
    codes = list(rx.buf[rx.pos + 2 : rx.pos + rx.size])
    for code in codes:
        if code > 2 and code != 0x80:
            raise load("wrong").protocol_error("SUBACK with code 0x%02x" % code)
    entry = client.session.waiting.get(rx.pid)
    if entry is None or entry[0] != first:
        return  # late, or unasked for: nobody waits
    del client.session.waiting[rx.pid]
    entry[3] = codes
    wake(entry[2])
    if entry[4] is not None and 0x80 in codes:
        client._subscriptions.pop(entry[4], None)
        client.reason = refused(codes)
