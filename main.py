"""Second thing that the chip runs. Everything else is in the package node.

A file /stay keeps the node out for ten seconds of one start: tools/deploy.py takes the console meanwhile, before the
node takes it. If nobody does, the node runs.
"""

import os
import time

if "stay" in os.listdir("/"):
    os.remove("/stay")
    print("main.py: the node starts in 10 s; Ctrl-C keeps it out")
    time.sleep(10)

import node

node.main()
