"""The cable with faults: a TCP relay that delays, throttles, fragments, stalls, swallows, resets and refuses.

Alone, as a proxy in a test or a bench:

    with Link() as link:
        port = link.forward("127.0.0.1", 1883)   # connect to 127.0.0.1:port
        link.delay = 0.05
        link.black_hole()

On the virtual board every connection of the node passes one. Faults hold for all connections of a link.
Runs in a thread of its own; every method may be called from any thread.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar, cast

T = TypeVar("T")

CHUNK = 4096
FRAGMENT_GAP = 0.0005  # s between fragments, or the receiving kernel would join them
QUEUE = 64 * 1024  # bytes on the way in each direction; when it is full the sender feels it

ANSWER_TIME = 0.3  # s, real time within which a server answers if it does; a clock that jumps waits for it
SETTLE_TURNS = 5

PASS, STALL, BLACK_HOLE = "pass", "stall", "black hole"
ACCEPT, DROP, REFUSE = "accept", "drop", "refuse"

FIRST_PORT_FOR_ALL = 1024  # ports below are for root


class Link:
    """A relay for any number of destinations.

    delay: seconds, one way. bandwidth: bytes/s in each direction and connection, None for no limit.
    fragment: at most so many bytes a write, with TCP_NODELAY; None for as they come. opened: connections so far.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self.bandwidth: float | None = None
        self.fragment: int | None = None
        self.opened = 0
        self._flow = PASS
        self._entry = ACCEPT
        self._station = (True, True)
        self._forwards: dict[tuple[str, int], _Listener] = {}
        self._inbound: dict[int, int] = {}
        self._pipes: set[_Connection] = set()
        self._services: dict[str, asyncio.DatagramTransport] = {}
        self.swallow: Callable[[bytes], bool] = lambda data: False  # is this piece, on its way to the node, lost?
        self._delivered = self._seen = 0
        self._delivery = asyncio.Event()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._moving = asyncio.Event()
        self._moving.set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._main, name="link", daemon=True)
        self._thread.start()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _main(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            work.close()
            raise RuntimeError("the link is closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # -- ways

    def forward(self, host: str, port: int) -> int:
        """A port on 127.0.0.1 that leads to `host`:`port`; the same one every time."""
        return self._run(self._forward(host, port))

    async def _forward(self, host: str, port: int) -> int:
        listener = self._forwards.get((host, port))
        if listener is None:
            listener = self._forwards[(host, port)] = _Listener(self, host, port)
            listener.apply(self._effective()[1])
        return listener.port

    def inbound(self, port: int) -> int:
        """The free real port that stands for the node's own `port`: that very one if it is to be had; the same every time."""
        if port not in self._inbound:
            for wanted in (port, 0) if port >= FIRST_PORT_FOR_ALL else (0,):
                with socket.socket() as free:
                    free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        free.bind(("127.0.0.1", wanted))
                    except OSError:
                        continue  # taken
                    self._inbound[port] = free.getsockname()[1]
                    break
        return self._inbound[port]

    @property
    def connections(self) -> int:
        """Connections open now, dead ones that nobody has noticed included."""
        return len(self._pipes)

    def answer(self, name: str, answer: Callable[[bytes], bytes | None]) -> int:
        """The UDP port on 127.0.0.1 where `answer` gets a datagram and gives the one to send back, or None."""
        return self._run(self._answer(name, answer))

    async def _answer(self, name: str, answer: Callable[[bytes], bytes | None]) -> int:
        if name not in self._services:
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda: _Datagrams(self, answer), local_addr=("127.0.0.1", 0)
            )
            self._services[name] = transport
        return int(self._services[name].get_extra_info("sockname")[1])

    # -- for a clock that jumps

    def settle(self) -> bool:
        """Wait until nothing more is to be expected for the node. False: something has come meanwhile, it should look."""
        try:
            return self._run(self._settle())
        except CancelledError:  # the link was closed meanwhile: there is nothing to expect
            return True

    async def _settle(self) -> bool:
        for _ in range(SETTLE_TURNS):  # what the node has sent reaches the pumps
            await asyncio.sleep(0)
        while True:
            if self._delivered != self._seen:
                self._seen = self._delivered
                return False
            left = max([pipe.expecting() for pipe in self._pipes], default=0.0)
            if left <= 0:
                return True
            self._delivery.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._delivery.wait(), left)

    def delivered(self) -> None:
        """Something has reached the node."""
        self._delivered += 1
        self._delivery.set()

    # -- faults

    def stall(self) -> None:
        """Nothing moves, nothing is lost; connections are still accepted. Until `restore()`."""
        self._set(STALL, ACCEPT)

    def black_hole(self) -> None:
        """A router that lost power: what is sent is lost, no FIN, no RST, and new connections get no answer.

        After `restore()` a connection of before gets an RST when the node next sends something; its server hears
        nothing. New ones get through at their next SYN, up to 1 s later.
        """
        self._set(BLACK_HOLE, DROP)

    def refuse(self) -> None:
        """New connections get an RST, old ones live on."""
        self._set(PASS, REFUSE)

    def restore(self) -> None:
        """End stall, black hole and refusal (not delay, bandwidth and fragments)."""
        self._set(PASS, ACCEPT)

    def reset(self) -> None:
        """All connections end with an RST to both sides, now."""
        self._run(self._reset())

    async def _reset(self) -> None:
        for pipe in list(self._pipes):
            pipe.abort()

    def station(self, up: bool, real: bool) -> None:
        """The board's WiFi: has it an address; is there really an access point behind it."""
        if (up, real) != self._station:
            self._station = (up, real)
            self._run(self._apply())

    def node_gone(self) -> None:
        """The node lost power: no FIN reaches the servers. Nothing more comes through its connections."""
        self._run(self._lose())

    async def _lose(self) -> None:
        for pipe in self._pipes:
            pipe.lost = True

    def wait_flow(self, timeout: float) -> bool:
        """Wait until packets get through (as a name server's answer must), delay included."""
        return self._flowing.wait(timeout)

    def _set(self, flow: str, entry: str) -> None:
        self._flow, self._entry = flow, entry
        self._run(self._apply())

    def _effective(self) -> tuple[str, str]:
        up, real = self._station
        if not up:
            return BLACK_HOLE, REFUSE  # no route: connect() fails at once
        if not real:
            return BLACK_HOLE, DROP
        return self._flow, self._entry

    async def _apply(self) -> None:
        flow, entry = self._effective()
        if flow == BLACK_HOLE:
            await self._lose()
        if flow == PASS:
            self._moving.set()
            self._flowing.set()
        else:
            self._flowing.clear()
            if flow == STALL:
                self._moving.clear()
            else:
                self._moving.set()
        for listener in self._forwards.values():
            listener.apply(entry)

    def close(self) -> None:
        """End everything."""
        if self._closed:
            return
        self._run(self._shutdown())
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _shutdown(self) -> None:
        for listener in self._forwards.values():
            listener.close()
        for service in self._services.values():
            service.close()
        for pipe in list(self._pipes):
            pipe.abort()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Listener:
    """One destination. A second socket, bound and never listening, keeps the port while connections are refused."""

    def __init__(self, link: Link, host: str, port: int) -> None:
        self._link, self._target = link, (host, port)
        self._holder = self._bind(0)
        self.port: int = self._holder.getsockname()[1]
        self._entry = REFUSE
        self._socket: socket.socket | None = None
        self._filler: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    def _bind(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", port))
        made.setblocking(False)
        return made

    def apply(self, entry: str) -> None:
        if entry == self._entry:
            return
        self._stop_accepting()
        if entry == REFUSE:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
        else:
            if self._socket is None:
                self._socket = self._bind(self.port)
            self._socket.listen(16 if entry == ACCEPT else 0)
            if entry == DROP:
                # A full backlog: the kernel leaves further SYNs unanswered, as a dead network does.
                self._filler = socket.socket()
                self._filler.setblocking(False)
                with suppress(BlockingIOError):
                    self._filler.connect(("127.0.0.1", self.port))
            else:
                self._task = asyncio.ensure_future(self._accept(self._socket))
        self._entry = entry

    def _stop_accepting(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        filler, self._filler = self._filler, None
        own = filler.getsockname() if filler else None
        while True:
            client, peer = await loop.sock_accept(listener)
            if filler is not None and peer == own:
                filler.close()
                client.close()
                filler = None
                continue
            self._link.opened += 1
            pipe = _Connection(self._link, client)
            self._link._pipes.add(pipe)
            pipe.task = asyncio.ensure_future(pipe.run(*self._target))

    def close(self) -> None:
        self._stop_accepting()
        for each in (self._socket, self._filler, self._holder):
            if each is not None:
                each.close()


class _Datagrams(asyncio.DatagramProtocol):
    """A UDP service behind the link."""

    def __init__(self, link: Link, answer: Callable[[bytes], bytes | None]) -> None:
        self._link, self._answer = link, answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._link._effective()[0] != PASS or self._transport is None:
            return
        answer = self._answer(data)
        if answer is not None:
            self._transport.sendto(answer, addr)
            self._link.delivered()


class _Connection:
    """Both directions of one connection. `lost`: it went through a black hole; nothing passes any more."""

    def __init__(self, link: Link, client: socket.socket) -> None:
        self._link = link
        self._client = client
        self._writers: list[asyncio.StreamWriter] = []
        self.lost = False
        self.task: asyncio.Task[None] | None = None
        self._asked: float | None = time.monotonic()  # when the node last sent something that is not answered yet

    def expecting(self) -> float:
        """Seconds for which an answer to the node may still be on its way; 0: none will come."""
        if self._asked is None or self.lost or self._link._effective()[0] != PASS:
            return 0.0
        return self._asked + ANSWER_TIME + 2 * self._link.delay - time.monotonic()

    async def run(self, host: str, port: int) -> None:
        try:
            near = await asyncio.open_connection(sock=self._client)
            self._writers.append(near[1])
            try:
                far = await asyncio.open_connection(host, port)
            except OSError:
                self.abort()
                return
            self._writers.append(far[1])
            for _, writer in (near, far):
                writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.gather(self._pump(near[0], far[1], True), self._pump(far[0], near[1], False))
        except OSError:  # reset, timed out, or gone before its end could be told (ENOTCONN)
            self.abort()
        finally:
            self._link._pipes.discard(self)
            for writer in self._writers:
                writer.close()
            if not self._writers:
                self._client.close()

    def abort(self) -> None:
        """RST to both sides."""
        self._link.delivered()
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            with suppress(OSError):  # closed by the peer a moment ago
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_node: bool) -> None:
        """Read, note when each chunk is due, and let `_deliver` write it then."""
        loop = asyncio.get_running_loop()
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUE // CHUNK)
        delivery = asyncio.ensure_future(self._deliver(way, writer, from_node))
        free_at = loop.time()
        try:
            while True:
                data = await reader.read(CHUNK)
                if from_node:
                    self._asked = time.monotonic() if data else None
                if self.lost:
                    if from_node and data and self._link._effective()[0] != BLACK_HOLE:
                        self._reset_node()
                        return
                    if not data:
                        await self._forgotten(from_node)
                        return
                    continue
                now = loop.time()
                if self._link.bandwidth:
                    free_at = max(free_at, now) + len(data) / self._link.bandwidth
                await way.put((max(now, free_at if self._link.bandwidth else now) + self._link.delay, data))
                if not data:
                    await delivery
                    return
        finally:
            delivery.cancel()

    async def _forgotten(self, from_node: bool) -> None:
        """An end of a lost connection closed it. The other one is not told: it finds out, or the link closes."""
        if not from_node:
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    def _reset_node(self) -> None:
        """Whoever forwarded this connection has forgotten it: RST to the node, silence to the server."""
        writer = self._writers[0]
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        self._link.delivered()

    async def _deliver(
        self, way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, from_node: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await way.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self._link._moving.wait()
            if self.lost or (not from_node and self._link.swallow(data)):
                continue
            if not from_node:
                self._asked = None
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                if not from_node:
                    self._link.delivered()
                return
            step = self._link.fragment or len(data)
            for at in range(0, len(data), step):
                writer.write(data[at : at + step])
                await writer.drain()
                if self._link.fragment:
                    await asyncio.sleep(FRAGMENT_GAP)
            if not from_node:
                self._link.delivered()
