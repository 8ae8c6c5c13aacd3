"""The virtual board: the real MicroPython VM, booting the flash image of the chip, with stand-ins for silicon only.

board.py is the way in; link.py is of use alone, as a TCP proxy with faults.
"""

from .board import Board, BoardError
from .link import Link

__all__ = ["Board", "BoardError", "Link"]
