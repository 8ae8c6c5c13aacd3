"""A node on the virtual board with a broker, and a `Remote` that commands it: for the tests of commands."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.brokers import Mosquitto
from tools.board_run import BROKER_NAME, KEY, SSID, node_settings
from tools.command import Remote
from tools.image import build_image
from tools.vboard import Board
from tools.watcher import Address, Arrival, Watcher

PATIENCE = 40  # s, on a busy machine
NAME = "cmd"
BASE = f"node/{NAME}"


class Node:
    """board, remote (commands it), watcher (sees all of its topics), seen (what it saw so far)."""

    def __init__(self, board: Board, remote: Remote, watcher: Watcher) -> None:
        self.board = board
        self.remote = remote
        self.seen: list[Arrival] = []
        self._watcher = watcher

    def wait(self, what: Callable[[Arrival], object], since: int = 0, timeout: float = PATIENCE) -> Arrival:
        """The first message, of those since number `since`, for which `what` holds."""
        deadline = time.monotonic() + timeout
        while True:
            for arrival in self.seen[since:]:
                if what(arrival):
                    return arrival
            since = len(self.seen)
            try:
                self.seen.append(self._watcher.arrivals.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(
                    f"no such message; topics {[a.topic for a in self.seen]}\n{self.board.log[-2000:]}"
                ) from None

    def wait_topic(self, topic: str, payload: bytes | None = None, since: int = 0) -> Arrival:
        """The first message on {base}/{topic}, with this payload if one is given."""
        return self.wait(lambda a: a.topic == f"{BASE}/{topic}" and payload in (None, a.payload), since)

    def mark(self) -> int:
        """The number of messages seen, all that came by now included."""
        while not self._watcher.arrivals.empty():
            self.seen.append(self._watcher.arrivals.get())
        return len(self.seen)

    def no_trace(self) -> None:
        assert "Traceback" not in self.board.log, self.board.log


def settings(**sections: Mapping[str, Any] | list[Any]) -> dict[str, Any]:
    """The settings of `make run`, with other sections merged in; two sensors, read rarely."""
    found = node_settings(NAME, 1883)
    found["telemetry"] = {"period": 3600}
    for name, section in sections.items():
        found[name] = {**found.get(name, {}), **section} if isinstance(section, Mapping) else section
    return found


@contextmanager
def remote_node(
    tmp_path: Path,
    broker: Mosquitto,
    config: Mapping[str, Any],
    key: str | None = None,
    files: Mapping[str, str | bytes] | None = None,
    also: str = "#",
) -> Iterator[Node]:
    """Such a node, connected and subscribed. Everything ends with it."""
    image = build_image(tmp_path / "flash.bin", config, files=files)
    address = Address(broker.host, broker.port)
    with ExitStack() as stack:
        watcher = Watcher(address, also)
        watcher.start()
        stack.callback(watcher.stop)
        remote = stack.enter_context(Remote(address, BASE, key=key))
        board = stack.enter_context(Board(image, names={BROKER_NAME: (broker.host, broker.port)}))
        board.air.add(SSID, KEY)
        board.power_on()
        node = Node(board, remote, watcher)
        try:
            wait_subscribed(broker, remote, 1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{board.log[-3000:]}") from None
        yield node


def wait_subscribed(broker: Mosquitto, remote: Remote, times: int) -> None:
    """Wait until the node has subscribed to its commands for the nth time, by the broker's log."""
    deadline = time.monotonic() + PATIENCE
    while broker.log.read_text(errors="replace").count(f"\t{BASE}/cmd (QoS 1)") < times:
        if time.monotonic() > deadline:
            raise AssertionError("not subscribed:\n" + broker.log.read_text(errors="replace")[-3000:])
        time.sleep(0.05)


def data(arrival: Arrival) -> dict[str, Any]:
    """A message's JSON object."""
    found = json.loads(arrival.payload)
    assert isinstance(found, dict)
    return found
