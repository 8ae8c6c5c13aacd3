"""`python -m tools COMMAND`: the commands behind the Makefile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
) -> None:
    """Boot the node on the virtual board and show its readings as a broker receives them."""
    from tools.run import run as run_node

    raise typer.Exit(run_node(broker=broker, wanted=readings, timeout=timeout, svg=svg))


if __name__ == "__main__":
    app(prog_name="python -m tools")
