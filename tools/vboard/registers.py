"""What the VM asks of the board itself, and of the name server: targets of the stand-ins' calls (device/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools import image as image_module

from . import silicon

if TYPE_CHECKING:
    from .board import Board


class Registers:
    """What the VM asks of the board itself (device/start.py, machine.py, vb_flash.py)."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def hello(self) -> list[Any]:
        board = self._board
        size = board.flash.stat().st_size
        return [
            image_module.ROMFS_OFFSET,
            image_module.ROMFS_SIZE,
            image_module.LITTLEFS_OFFSET,
            image_module.littlefs_blocks(size),
            board.cut,
            board.heap_free,
            board.console.raw,
            board.clock.skipped_ms if board.clock.warp else -1,
        ]

    def idle(self, ms: int) -> int:
        """The VM has nothing to do for `ms`. Returns how far its clock is ahead of real time then."""
        board = self._board
        board.connect_link()
        if board.link.settle():
            board.clock.advance(ms / 1000, to_event=True)
        return board.clock.skipped_ms

    def skipped(self) -> int:
        return self._board.clock.skipped_ms

    def knock(self, ms: int) -> None:
        """From now on the VM has timers (device/vb_timer.py)."""
        self._board.knock(ms)

    def heap(self, standins: int, surplus: int) -> None:
        """Measured in the VM before boot.py: bytes of the stand-ins, and what had to be occupied."""
        self._board.heap_report = {"standins": standins, "ballast": surplus}

    def booted(self) -> None:
        self._board.booted()

    def reset(self) -> None:
        self._board.soft_restart()
        raise silicon.NoAnswer

    def deepsleep(self, ms: int) -> None:
        self._board.sleep(ms)
        raise silicon.NoAnswer

    def power_cut(self) -> None:
        self._board.power_cut()
        raise silicon.NoAnswer

    def reset_cause(self) -> int:
        return self._board.silicon.reset_cause

    def unique_id(self) -> bytes:
        return self._board.store.chip_id[::-1] + b"\x00"

    def freq(self, *value: int) -> int | None:
        if value:
            self._board.silicon.frequency = value[0]
            return None
        return self._board.silicon.frequency

    def flash_size(self) -> int:
        return self._board.flash.stat().st_size


class Resolver:
    """The name server, and the way of every address into the link (device/socket.py)."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def resolve(self, host: str, port: int, stream: bool) -> int:
        """The real port on 127.0.0.1 for the node's `host`:`port`. Raises OSError(-2), as the port does."""
        board = self._board
        service = board.services.get(host)
        if service is not None and not stream:
            self._ask_name_server()
            return board.link.answer(host, service)
        if host in ("", "0.0.0.0") or host in board.silicon.own_addresses():
            return board.link.inbound(port)
        literal = all(part.isdigit() for part in host.split(".")) and host.count(".") == 3
        if not literal:
            self._ask_name_server()
        target = board.names.get(host)
        if target is None and not literal:
            raise OSError(-2)
        where, there = target or (host, port)
        return board.link.forward(where, port if there is None else there)

    def _ask_name_server(self) -> None:
        board = self._board
        up, real = board.connect_link()
        if not up:
            raise OSError(-2)
        if not real or not board.link.wait_flow(0 if board.clock.warp else board.dns_timeout):
            if not real or board.clock.warp:
                board.clock.sleep(board.dns_timeout)
            raise OSError(-2)
