"""First thing that the chip runs, on every start. If it raises, main.py is skipped.

The firmware has mounted the ROMFS partition at /rom and put it on sys.path by then.
"""

import gc
import os

if "staged" in os.listdir("/"):  # a deployment is complete but not in place yet: firmware/device/update.py
    import update

    update.apply()
gc.collect()
