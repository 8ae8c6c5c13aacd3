"""The program of the node: `main()` is all that main.py calls.

node.py runs it; start.py makes its parts and is let go then; link.py keeps the MQTT connection; outbox.py holds readings
through outages; log.py is what the console shows. `call` runs a function of a module that is needed now and then only.
"""

import sys

VERSION = "0.1.0"


def main() -> None:
    """Run the node until Ctrl-C; says goodbye to the broker then, and returns to the REPL."""
    import asyncio

    node = call("start.make", "/")
    try:
        asyncio.run(node.run())
    except KeyboardInterrupt:
        asyncio.run(node.stop())
        node.log(1, "stopped")


def call(name: str, *args):
    """Call `module.function` of this package and let the module go after it: code in ROMFS costs nothing, loaded it does."""
    module, function = name.split(".")
    full = "node." + module
    try:
        __import__(full)
        return getattr(sys.modules[full], function)(*args)
    finally:
        sys.modules.pop(full, None)
        package = sys.modules["node"]
        if hasattr(package, module):
            delattr(package, module)
