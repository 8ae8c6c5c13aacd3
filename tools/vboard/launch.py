"""The first thing in a VM's process: `launch.py PARENT VM-ARGUMENT...` becomes the MicroPython VM.

If the thread that started it ends for any reason (SIGKILL included), the kernel kills the VM: no orphans.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Tie this process to its parent, then run the VM in it."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # ended before we asked
        return 1
    from micropython_unix import run_main

    return run_main(["micropython", *sys.argv[2:]])


if __name__ == "__main__":
    sys.exit(main())
