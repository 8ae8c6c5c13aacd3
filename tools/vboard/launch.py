"""The first thing in a VM's process: `launch.py PARENT VM-ARGUMENT...` becomes the MicroPython VM.

If the thread that started it ends for any reason (SIGKILL included), the kernel kills the VM: no orphans.
The VM gets one more argument, the address of its door: three 32-bit words, in which it leaves a function and a 1. On each
SIGALRM that function is put into the VM's queue of scheduled ones: that is how a machine.Timer interrupts. SIGUSR1 is
Ctrl-C as the chip's UART has it: noted, and raised by the VM between two instructions. The VM's own SIGINT raises at once,
also in the middle of a collection or with the heap locked, which ends it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
SMALL_INT_0 = 1  # as a MicroPython object

door = (ctypes.c_uint32 * 3)()


def main() -> int:
    """Tie this process to its parent, then run the VM in it."""
    parent = int(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # ended before we asked
        return 1
    import micropython_run  # type: ignore[import-not-found]

    vm = ctypes.CDLL(micropython_run.__file__)
    schedule = vm.mp_sched_schedule
    schedule.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    def knock(_: int) -> None:
        if door[2]:
            schedule(door[1] << 32 | door[0], SMALL_INT_0)

    # Not Python's signal.signal(): Python's handlers wait until the VM, one long call into C, has ended.
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(knock)
    libc.signal(signal.SIGALRM, handler)
    libc.siginterrupt(signal.SIGALRM, 1)
    libc.signal(signal.SIGUSR1, vm.mp_sched_keyboard_interrupt)
    libc.siginterrupt(signal.SIGUSR1, 1)
    return micropython_run.run_main(["micropython", *sys.argv[2:], str(ctypes.addressof(door))])


if __name__ == "__main__":
    sys.exit(main())
