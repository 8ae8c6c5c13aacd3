"""The program of the node: `main()` is all that main.py calls.

node.py runs it; start.py makes its parts and is let go then; link.py keeps the MQTT connection; outbox.py (and spill.py)
holds readings through outages; clock.py knows the time; watch.py, ending.py and rtc.py see to it that the node comes back after
whatever happens; light.py is LED and button; sleep.py (and pack.py) the life of a battery node; log.py is what the console
shows. `call` runs a function of a module that is needed now and then only.
"""

import sys

VERSION = "0.1.0"


def main() -> None:
    """Run the node until Ctrl-C; says goodbye to the broker then, and returns to the REPL."""
    import asyncio
    import gc
    from asyncio import core  # type: ignore[attr-defined]  # not in the stubs

    import machine

    node = None
    try:
        safe, lines = call("watch.boot")
        node = call("start.make", "/", safe, lines)
        asyncio.run(call("sleep.run", node) if node.sleeps else node.run())
        node.link = node.spare = core.cur_task = None  # what they still point at takes the heap of MQTT
        asyncio.new_event_loop()
        gc.collect()
        call("nap.end", node)
    except KeyboardInterrupt:
        if node:
            asyncio.run(node.stop())
            node.log(1, "stopped")
    except Exception as e:  # noqa: BLE001  the last resort, perhaps without any memory left
        try:
            if node:
                node.link = node._page = node.spare = None
                node.sensors = ()
            name = "mqtt"
            while name:  # without a list of them
                sys.modules.pop(name, None)
                name = ""
                for module in sys.modules:
                    if module.startswith("mqtt") or module.startswith("portal"):
                        name = module
            core.__dict__.clear()  # nothing runs any more
            gc.collect()
            call("ending.crashed", node, e)
        finally:
            machine.reset()  # counted as a crash also where that was too much


def call(name: str, *args):
    """Call `module.function` of this package and let the module go after it: code in ROMFS costs nothing, loaded it does."""
    module, function = name.split(".")
    full = "node." + module
    try:
        __import__(full)
        return getattr(sys.modules[full], function)(*args)
    finally:
        package = sys.modules["node"]
        for gone in (module, "rtc"):  # which the modules that are called bring along
            sys.modules.pop("node." + gone, None)
            if hasattr(package, gone):
                delattr(package, gone)
