"""The two things that watch the node all the time; small, for what is loaded with them stays. docs/reliability.md says why so."""

import asyncio

import machine


def arm(node) -> None:
    """Reset a chip that hangs, and have a crash of any task restart the node; a lack of memory only what takes much."""

    def unhandled(loop, context: dict) -> None:
        if isinstance(context["exception"], MemoryError):
            node.short = True
            return
        if context["future"]:
            raise context["exception"]  # main() ends the node then
        node.log(3, "%s: %r" % (context["message"], context["exception"]))

    asyncio.get_event_loop().set_exception_handler(unhandled)
    node.guard = machine.Timer(-1)
    node.guard.init(period=1000, callback=node.hung, hard=True)
