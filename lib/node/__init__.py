"""The program of the node: `main()` is all that main.py calls.

node.py wires the parts together; link.py keeps the MQTT connection; outbox.py holds readings through outages;
log.py is what the console shows. Everything that can be tested without a board lies in the other packages of lib/.
"""

VERSION = "0.1.0"


def main() -> None:
    """Run the node until Ctrl-C; says goodbye to the broker then, and returns to the REPL."""
    import asyncio

    from .node import Node

    node = Node("/")
    try:
        asyncio.run(node.run())
    except KeyboardInterrupt:
        asyncio.run(node.stop())
        node.log.info("stopped")
