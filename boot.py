"""First thing that the chip runs, on every start. If it raises, main.py is skipped."""

import gc
import sys

for _path in ("/rom", "/rom/lib"):  # where the firmware mounts the ROMFS partition
    if _path not in sys.path:
        sys.path.append(_path)
gc.collect()
