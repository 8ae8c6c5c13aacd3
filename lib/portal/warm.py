"""Loads all of the portal's code once and lets it go again, before the first visitor needs it.

Every name that code brings along is kept by MicroPython for good, in small pieces that lie wherever there is room at
that moment. Brought in one module at a time, while the heap is tidy, they lie close together; brought in while a page is
drawn, they would cut what is free into pieces too small for the next module.
"""

import gc
import sys

import settings


def up() -> None:
    """Do it; takes a tenth of a second."""
    for name in "exchange request markup app probes actions answers page fields form networks".split(" "):
        __import__("portal." + name)
        for other in list(sys.modules):
            if other.startswith("portal.") and other[7:] not in ("dns", "net", "server"):
                del sys.modules[other]
                if hasattr(sys.modules["portal"], other[7:]):
                    delattr(sys.modules["portal"], other[7:])
        gc.collect()
    settings.section_help("network", "zh")
    settings.section_help("network", "en")
    settings.release()
    gc.collect()
