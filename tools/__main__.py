"""`python -m tools COMMAND`: the commands behind the Makefile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tools.errors import ToolError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def tools() -> None:
    """Host side of the ESP8266 MQTT node."""


@app.command()
def run(
    broker: Annotated[
        str, typer.Option(envvar="BROKER", help="host[:port] of a broker of your own; else one is started")
    ] = "",
    readings: Annotated[
        int, typer.Option(envvar="READINGS", min=0, help="end after so many readings; 0: until Ctrl-C")
    ] = 0,
    timeout: Annotated[float, typer.Option(min=1, help="seconds that the readings may take")] = 120.0,
    svg: Annotated[Path | None, typer.Option(help="write a picture of the terminal to this file at the end")] = None,
    portal: Annotated[
        bool, typer.Option(envvar="PORTAL", help="an unconfigured node, to be set up in a browser")
    ] = False,
) -> None:
    """Boot the node on the virtual board and show its readings as a broker receives them."""
    from tools.run import run as run_node

    raise typer.Exit(run_node(broker=broker, wanted=readings, timeout=timeout, svg=svg, portal=portal))


@contextlib.contextmanager
def _command(name: str, endless: bool = False) -> Iterator[Console]:
    """A console for a command; what goes wrong becomes words in red and exit code 1, Ctrl-C exit code 130.

    endless: Ctrl-C is how it ends.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    try:
        yield console
    except (ToolError, OSError) as error:
        words = (
            error if isinstance(error, ToolError) else f"{error.filename or 'this PC says'}: {error.strerror or error}"
        )
        Console(stderr=True).print(Text(f"make {name}: {words}", style="bold red"), soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0 if endless else 130) from None


Target = Annotated[str, typer.Option(envvar="TARGET", help="romfs, littlefs or frozen")]
FlashMB = Annotated[int, typer.Option(envvar="FLASH", help="size of the chip's flash in MB: 2 or 4")]
File = Annotated[Path | None, typer.Option(envvar="FILE", help="a base firmware that you have")]
Settings = Annotated[Path | None, typer.Option(envvar="SETTINGS", help="a settings.json to put on the board")]
Topic = Annotated[str, typer.Option(envvar="TOPIC", help="topic filter")]
User = Annotated[str, typer.Option(envvar="MQTT_USER", help="at the broker")]
Password = Annotated[str, typer.Option(envvar="MQTT_PASSWORD", help="at the broker; better in the environment")]
Tls = Annotated[bool, typer.Option(envvar="TLS", help="TLS to the broker, its certificate checked")]
Ca = Annotated[str, typer.Option(envvar="CA", help="file of certificates to check it against")]
Port = Annotated[str, typer.Option(envvar="PORT", help="serial port; chosen by itself if there is one board")]
Baud = Annotated[int, typer.Option(envvar="BAUD", help="speed of the boot loader; 115200 is tried if it fails")]


@app.command()
def build(target: Target = "romfs", flash: FlashMB = 4, file: File = None, settings: Settings = None) -> None:
    """Compile and build what goes on the chip, into build/<target>/, and report its sizes."""
    from tools import build as builder
    from tools import firmware as base
    from tools.user_settings import content, read

    with _command("build") as console:
        pin = base.pinned()
        found = file or (base.kept(pin) if target == "romfs" else None)
        if found:
            base.check(found, pin, target)
        cfg = content(read(settings)) if settings else None
        made = builder.build(target, settings=cfg, flash_size=flash << 20, firmware=found)
        builder.report(made, console)


@app.command()
def firmware(
    file: File = None,
    pin: Annotated[bool, typer.Option(envvar="PIN", help="write its SHA-256 to firmware/base.json")] = False,
) -> None:
    """Get and check the base firmware: MicroPython itself."""
    from tools.firmware import firmware as get

    with _command("firmware") as console:
        get(file, pin, console)


@app.command()
def flash(
    port: Port = "",
    everything: Annotated[bool, typer.Option("--all", envvar="ALL", help="the program too, in one pass")] = False,
    target: Target = "romfs",
    file: File = None,
    settings: Settings = None,
    baud: Baud = 460800,
    stub: Annotated[bool, typer.Option(envvar="STUB", help="esptool's stub: faster, and it verifies")] = True,
    reset: Annotated[
        bool, typer.Option(envvar="RESET", help="put the chip into boot loader mode by DTR and RTS")
    ] = True,
) -> None:
    """Erase the chip and write the base firmware, through its boot loader."""
    from tools import build as builder
    from tools import firmware as base
    from tools import flash as flasher
    from tools.ports import choose
    from tools.user_settings import content, read

    with _command("flash") as console:
        pin = base.pinned()
        if target == "frozen" and file is None:
            raise ToolError(
                "target frozen is for firmware that you have built: give it as FILE= (make build TARGET=frozen)"
            )
        source = file or base.kept(pin) or base.firmware(None, False, console).path
        found = base.check(source, pin, target)
        cfg = content(read(settings)) if settings else None

        def make(size: int) -> builder.Build:
            return builder.build(target, settings=cfg, flash_size=min(size, 4 << 20), firmware=found.path)

        where = choose(port, console)
        flasher.flash(where, found.path, console, build=make if everything else None, baud=baud, stub=stub, reset=reset)
        console.print("done" if everything else "done; next: make deploy")


@app.command()
def deploy(
    port: Port = "",
    target: Target = "romfs",
    settings: Settings = None,
    tool: Annotated[
        str, typer.Option(envvar="TOOL", help="mpremote, or ampy for the files on LittleFS only")
    ] = "mpremote",
    wipe: Annotated[
        bool, typer.Option(envvar="WIPE", help="make the board's flash that of the image; its settings go too")
    ] = False,
) -> None:
    """Bring the program on a board up to date: only what differs is sent."""
    from tools import build as builder
    from tools import deploy as deployer
    from tools.ports import choose
    from tools.user_settings import content, read

    with _command("deploy") as console:
        cfg = content(read(settings)) if settings else None
        made = builder.build(target, settings=cfg)
        if tool not in deployer.WAYS or (wipe and tool == "ampy"):
            raise ToolError("TOOL is mpremote or ampy, and WIPE=1 needs mpremote")
        deployer.say(deployer.deploy(choose(port, console), made, console, tool, wipe), console)


@app.command()
def ports() -> None:
    """List the serial ports that may have a board."""
    from tools.ports import show

    with _command("ports") as console:
        show(console)


@app.command()
def provision(
    port: Port = "",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, such as mqtt.keepalive=120")
    ] = None,
    settings: Settings = None,
    table: Annotated[
        Path | None, typer.Option("--csv", envvar="CSV", help="many nodes: a row each, columns as --set")
    ] = None,
    out: Annotated[
        Path, typer.Option(envvar="OUT", help="folder for what is made for --csv, and for the label")
    ] = Path("build/nodes"),
    fresh: Annotated[bool, typer.Option(envvar="FRESH", help="from the defaults, not from what the board has")] = False,
    show: Annotated[bool, typer.Option(envvar="SHOW", help="only show what the board has, without secrets")] = False,
) -> None:
    """Write settings to a board, or make them for many; with a key and a label for each node's access point."""
    import sys

    from tools import provision as maker
    from tools.label import Label
    from tools.ports import choose
    from tools.settings_file import settings as rules
    from tools.user_settings import read

    with _command("provision") as console:
        pairs = maker.parse_assignments(assignments or [])
        base = read(settings) if settings else rules.defaults() if fresh or table else None
        if table:
            cfg, faults = maker.merged(base or {}, pairs)
            if faults:
                raise ToolError("\n".join(faults))
            raise typer.Exit(1 if maker.provision_csv(table, out, cfg, console) else 0)
        where = choose(port, console)
        if show:
            maker.show_board(where, console)
            return
        questions = sys.stdin.isatty() and not pairs and settings is None
        cfg = maker.provision_board(where, pairs, base, console, questions)
        label = Label.of(cfg)
        folder = out / maker.folder_name(label.name)
        maker.write_folder(folder, cfg)
        maker.show(cfg, console)
        console.print(label.text(), soft_wrap=True, markup=False)
        console.print(f"label and settings are in {folder}; the node starts", soft_wrap=True)


@app.command()
def monitor(
    port: Port = "",
    broker: Annotated[str, typer.Option("--broker", "--mqtt", envvar="BROKER", help="show what it receives too")] = "",
    topic: Topic = "#",
    user: User = "",
    password: Password = "",
    tls: Tls = False,
    ca: Ca = "",
) -> None:
    """Show a board's console with the time of each line. Ctrl-C ends."""
    from tools.monitor import monitor as run_monitor
    from tools.ports import choose
    from tools.watcher import Login

    with _command("monitor", endless=True) as console:
        login = Login(user, password, tls, ca)
        run_monitor(choose(port, console), console, broker, topic=topic, login=login)


@app.command()
def watch(
    broker: Annotated[str, typer.Option(envvar="BROKER", help="host[:port]")] = "127.0.0.1",
    topic: Topic = "node/#",
    user: User = "",
    password: Password = "",
    tls: Tls = False,
    ca: Ca = "",
    record: Annotated[Path | None, typer.Option("--csv", envvar="CSV", help="append each reading to this file")] = None,
) -> None:
    """Show all nodes at a broker. Ctrl-C ends."""
    from tools.watch import watch as run_watch
    from tools.watcher import Login

    with _command("watch", endless=True) as console:
        run_watch(broker, console, topic=topic, login=Login(user, password, tls, ca), record=record)


@app.command()
def doctor(
    port: Port = "",
    broker: Annotated[
        str, typer.Option(envvar="BROKER", help="host[:port]; else the one in the board's settings")
    ] = "",
) -> None:
    """Examine port, board, firmware, program, settings and broker."""
    from tools.doctor import doctor as examine

    with _command("doctor") as console:
        raise typer.Exit(1 if examine(port, broker, console) else 0)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
def command(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Send one command to a node and wait for its answer: docs/commands.md."""
    from tools.command import main as send

    raise typer.Exit(send(arguments or []))


def _add_cloud_commands() -> None:
    from tools import bridge, identity

    app.command(name="identity")(identity.command)
    app.command(name="bridge")(bridge.command)


_add_cloud_commands()

if __name__ == "__main__":
    app(prog_name="python -m tools")
