"""`make deploy`: brings the program on a board up to date. Only what differs, by hash, is sent; then one switch.

What is new goes to the folder /staging on the board and is checked there. One rename to the file /staged is the switch:
from then on every boot puts it in place (firmware/device/update.py) until all is. A cable or a power cut at any moment
leaves the old program or the new one. The node is interrupted first and restarted at the end; settings stay unless
others are given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tools import onboard, whole
from tools.build import SETTINGS, Build
from tools.errors import ToolError
from tools.image import BLOCK, ROMFS_SIZE
from tools.wire import BoardRaised, Wire, WireLost

STAGING, REMOVE, SWITCH = "/staging", "/staged.new", "/staged"
START_FILES = ("update.py", "boot.py")  # in the order in which a board without them gets them
APPLY_SILENCE = 30.0  # s without a word while the board puts the new program in place; erasing takes a few
MIN_REUSE = 64  # bytes; smaller files are sent rather than copied on the board
ENOSPC = ("28", "ENOSPC")
WAYS = ("mpremote", "ampy")
SWITCH_OVER = f"os.rename('{REMOVE}','{SWITCH}')"


@dataclass
class Deployed:
    """What a deployment did. sent: names of what was sent, ROMFS files as /rom/...; bytes: of their contents."""

    sent: list[str] = field(default_factory=list)
    bytes: int = 0
    unchanged: int = 0


@dataclass
class _Plan:
    """files: for LittleFS. rom: pieces of the ROMFS image, (path on the board, b"") or ("", bytes). remove: paths."""

    files: dict[str, bytes]
    rom: list[tuple[str, bytes]]
    remove: list[str]
    knows_staging: bool

    def size(self) -> int:
        """Bytes to send."""
        return sum(map(len, self.files.values())) + sum(len(data) for _, data in self.rom)


def deploy(port: str, built: Build, console: Console, tool: str = "mpremote", wipe: bool = False) -> Deployed:
    """Bring the board at `port` to `built`. With settings.json in `built.data`, its settings too. Raises ToolError.

    wipe: nothing of what is on it stays, settings included; both partitions become those of the image (whole.py).
    """
    done = Deployed()
    with Wire(port, tool) as wire:
        wire.take(console)
        wire.restart(onboard.STAY, console)
        wire.run(onboard.TOOLS)
        if tool != "ampy" and (wipe or whole.is_empty(wire)):
            return _whole(wire, built, console)
        try:
            plan = _plan(wire, built, done, console)
            if done.sent or plan.remove:
                _stage(wire, built, plan, console)
        except WireLost as error:
            raise WireLost(f"{error}\nThe board still has the program it had; deploy again.") from error
        if done.sent or plan.remove:
            _switch(wire, console)
        else:
            wire.leave(onboard.RESTART)
    done.bytes = plan.size()
    return done


def _whole(wire: Wire, built: Build, console: Console) -> Deployed:
    """All of it, where nothing is or shall stay."""
    _check_firmware(wire, built)
    try:
        count = whole.write(wire, built, console)
    except (WireLost, BoardRaised) as error:
        raise WireLost(f"{error}\nThe board has no program now, and no settings; deploy again.") from error
    wire.leave("import machine\nmachine.reset()")
    return Deployed(sorted(built.data) + [f"/rom/{path}" for path in sorted(built.files)], count)


def _plan(wire: Wire, built: Build, done: Deployed, console: Console) -> _Plan:
    """Ask the board for hashes, and find what differs; fills in `done`."""
    with console.status("comparing with what the board has"):
        there = _hashes(
            wire.run("for n in os.listdir('/'):\n if n[-3:]=='.py' or n=='settings.json':print(_h('/'+n),'/'+n)")
        )
        there |= _hashes(wire.run("_w('/lib')"))
        knows = "/update.py" in there and wire.run("print('staged' in open('/boot.py').read())").strip() == "True"
    files = {path: data for path, data in built.data.items() if there.get("/" + path) != _hash(data)}
    done.sent = sorted(files)
    done.unchanged = len(built.data) - len(files)
    folders = tuple({"/" + path.rpartition("/")[0] + "/" for path in built.data if "/" in path})
    remove = [path for path in sorted(there) if folders and path.startswith(folders) and path[1:] not in built.data]
    rom: list[tuple[str, bytes]] = []
    _check_firmware(wire, built)
    if built.romfs and wire.tool == "ampy":
        console.print("ampy cannot write ROMFS; only the files on LittleFS are deployed. Leave TOOL out for all of it.")
    elif built.romfs:
        rom = _plan_rom(wire, built, done)
    return _Plan(files, rom, remove, knows)


def _plan_rom(wire: Wire, built: Build, done: Deployed) -> list[tuple[str, bytes]]:
    if _rom_hash(wire, len(built.romfs)) == _hash(built.romfs):
        done.unchanged += len(built.files)
        return []
    old = {digest: path for path, digest in _hashes(wire.run("_w('/rom')")).items()}
    new = [path for path, data in built.files.items() if _hash(data) not in old]
    done.sent += [f"/rom/{path}" for path in sorted(new)] or ["/rom"]
    done.unchanged += len(built.files) - len(new)
    return list(pieces(built.romfs, built.files, old))


def _rom_hash(wire: Wire, size: int) -> str:
    """Of the first bytes of the ROMFS partition, "none" if the board has none."""
    return wire.run(onboard.ROM_HASH.format(size=size)).strip()


def _check_firmware(wire: Wire, built: Build) -> None:
    """Raises ToolError if the board's firmware is for another target."""
    if built.target == "frozen" and wire.run(onboard.HAS_NODE).strip() != "True":
        raise ToolError(
            "the firmware of this board has no node frozen into it: make flash TARGET=frozen FILE=yours.bin"
        )
    if built.romfs and wire.tool != "ampy" and _rom_hash(wire, 1) == "none":
        raise ToolError(
            "the firmware of this board has no ROMFS partition. Write the right one with make flash, "
            "or deploy the slim node for stock firmware: TARGET=littlefs"
        )


def pieces(image: bytes, files: Mapping[str, bytes], old: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The image as pieces: ("", bytes) to send, or (path, b"") for the content of a file that the board has.

    old: path on the board by SHA-256.
    """
    at = 0
    for _, data in sorted(files.items(), key=lambda item: item[0].split("/")):  # the order in the image
        path = old.get(_hash(data))
        found = image.find(data, at) if path and len(data) >= MIN_REUSE else -1
        if path and found >= 0:
            if found > at:
                yield "", image[at:found]
            yield path, b""
            at = found + len(data)
    if at < len(image):
        yield "", image[at:]


def _stage(wire: Wire, built: Build, plan: _Plan, console: Console) -> None:
    """Send, and check what has arrived. Nothing that the board boots is touched, but for the two start files."""
    wire.run(f"_x('{STAGING}')")
    _check_space(wire, built, plan)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("sending", total=plan.size())

        def sent(count: int) -> None:
            bar.update(task, advance=count)

        try:
            if not plan.knows_staging:
                _put_start_files(wire, built)
            wire.run(f"try:os.mkdir('{STAGING}')\nexcept OSError:pass")
            for path, data in sorted(plan.files.items()):
                _put(wire, f"{STAGING}/{path.replace('/', '+')}", data, sent)
            _put(wire, REMOVE, "\n".join(plan.remove).encode(), lambda _: None)
            if plan.rom:
                _put_rom(wire, built.romfs, plan.rom, sent)
        except BoardRaised as error:
            wire.run(f"try:_f.close()\nexcept Exception:pass\n_x('{STAGING}')")
            if any(word in error.last for word in ENOSPC):
                raise ToolError(
                    "the board's file system is full. Nothing has changed; remove files from it."
                ) from error
            raise


def _check_space(wire: Wire, built: Build, plan: _Plan) -> None:
    sizes = [len(data) for data in plan.files.values()] + [len(built.romfs)] * bool(plan.rom)
    needed = sum(-(-size // BLOCK) + 1 for size in sizes) * BLOCK + 4 * BLOCK
    free = int(wire.run("s=os.statvfs('/');print(s[0]*s[3])"))
    if free < needed:
        raise ToolError(
            f"the board's file system is full: {free:,} bytes are free, {needed:,} are needed. "
            "Nothing has changed; remove files from it (mpremote fs ls, mpremote fs rm), or make deploy WIPE=1."
        )


def _put_start_files(wire: Wire, built: Build) -> None:
    """For a board that has never had them: it must be able to finish what it has begun."""
    for name in START_FILES:
        if name in built.data:
            _put(wire, f"/{name}.new", built.data[name], lambda _: None)
            wire.run(f"os.rename('/{name}.new','/{name}')")


def _put(wire: Wire, path: str, data: bytes, sent: object) -> None:
    wire.put(path, data, sent)  # type: ignore[arg-type]
    if wire.tool == "ampy":
        wire.run(onboard.TOOLS)  # its soft reset has forgotten them
    verify(wire, path, data)


def _put_rom(wire: Wire, image: bytes, parts: list[tuple[str, bytes]], sent: object) -> None:
    path = f"{STAGING}/rom.img"
    wire.run(f"_f=open('{path}','wb')")
    for source, data in parts:
        if source:
            wire.run(f"with open({source!r},'rb') as g:\n while 1:\n  b=g.read(1024)\n  if not b:break\n  _f.write(b)")
        else:
            wire.append(data, sent)  # type: ignore[arg-type]
    wire.run("_f.close()")
    verify(wire, path, image)


def verify(wire: Wire, path: str, data: bytes) -> None:
    """Compare the hash of a file on the board, which has TOOLS. Raises ToolError."""
    if wire.run(f"print(_h({path!r}))").strip() != _hash(data):
        raise ToolError(f"{path} arrived damaged. Nothing has changed; deploy again, perhaps with another cable.")


def _switch(wire: Wire, console: Console) -> None:
    """The rename; then the board works alone, and we watch it."""
    gone = "\nAll has arrived: the board finishes by itself, at its next start if it is off now."
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        wire.leave(f"{onboard.GO}{SWITCH_OVER}\nmachine.reset()")
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("the board puts it in place", total=ROMFS_SIZE)
            for line in wire.lines(APPLY_SILENCE):
                words = line.split()
                if line == "update: done":
                    bar.update(task, completed=ROMFS_SIZE, total=ROMFS_SIZE)
                    return
                if line.startswith("update: ") and words[2:3] == ["of"]:
                    bar.update(task, completed=int(words[1]), total=int(words[3]))
                elif "Error" in line:
                    raise ToolError(f"the board could not put the new program in place: {line}")
    except WireLost as error:
        raise WireLost(f"{error}{gone}") from error
    raise ToolError(f"the board says nothing any more.{gone}")


def _hashes(text: str) -> dict[str, str]:
    """SHA-256 by path, from lines of both."""
    found = {}
    for line in text.splitlines():
        digest, _, path = line.partition(" ")
        found[path] = digest
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def say(done: Deployed, console: Console) -> None:
    """What was done, for the person."""
    if not done.sent:
        console.print(f"nothing to copy: all {done.unchanged} files are up to date. The node starts again.")
        return
    shown = ", ".join(done.sent[:8]) + (f" and {len(done.sent) - 8} more" if len(done.sent) > 8 else "")
    console.print(f"sent {shown}: {done.bytes:,} bytes; {done.unchanged} files were up to date", soft_wrap=True)
    if SETTINGS in done.sent:
        console.print("its settings are the given ones now")
    console.print("the node starts")
