"""Your own code on the node: /app.py on the board gets the node object. docs/extend.md says what it may do with it.

    def setup(node): ...            called once, before the first reading
    async def run(node): ...        runs beside the rest, for as long as it likes

Whatever it raises costs a line in the log, never the node.
"""

from . import call
from .log import ERROR, INFO

FILE = "/app"


async def run(node, file: str = FILE) -> None:
    """Start app.py (or app.mpy)."""
    try:
        app = __import__(file.rsplit("/", 1)[-1])
        node.log(INFO, "app: loaded")
        if hasattr(app, "setup"):
            app.setup(node)
        if hasattr(app, "run"):
            await app.run(node)
    except Exception as e:  # noqa: BLE001  a user's file may raise anything
        _report(node, e)


def _report(node, error: Exception) -> None:
    node.log(ERROR, "app: %s: %s" % (type(error).__name__, error))


def tell(node, readings: list) -> None:
    """Hand readings to node.on_readings; one that fails is not called again."""
    try:
        node.on_readings(readings)
    except Exception as e:  # noqa: BLE001  as above
        node.on_readings = None
        _report(node, e)


def add(node, readings: list) -> None:
    """For app.py: have readings [(name, value, unit, precision), ...] sent with the next group."""
    node.take(readings)


async def switch(node, name: str, level: object) -> None:
    """For app.py: switch an output; the broker is told, now or when it is back. ValueError: no such output, or level."""
    try:
        await call("outputs.command", node, {name: level})
    except OSError:
        pass  # switched; the state is told on the next connection
