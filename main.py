"""Second thing that the chip runs. Everything else is in the package node.

A file /stay keeps the node out for one start: tools/deploy.py asks for a board that does nothing.
"""

import os

if "stay" in os.listdir("/"):
    os.remove("/stay")
    print("main.py: asked to stay out, once")
else:
    import node

    node.main()
