"""In the VM of a board whose clock may jump: `select` whose poll() does not wait but has the time pass (../clock.py).

asyncio waits here and nowhere else, and looks at the clock afterwards: to return early is always right.
"""

# ruff: noqa: D101, D103, F403
import time

import uselect
from uselect import *


class Poll:
    def __init__(self):
        self._poll = uselect.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister
        self.poll = self._poll.poll

    def ipoll(self, timeout=-1, flags=0):
        if timeout < 0:
            return self._poll.ipoll(timeout)
        found = self._poll.poll(0)
        if not found and timeout:
            time._idle(timeout)
        return found


def poll():
    return Poll()
