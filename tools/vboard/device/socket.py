"""In the VM: the real `socket`, but addresses come from the host, so that every connection goes through the link."""

# ruff: noqa: F403
import time

import usocket
import vb_rpc
from usocket import *


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    """Blocks, as on the chip, until the virtual name server has answered; OSError(-2) if it has not."""
    if host is None:
        host = ""
    stream = type != usocket.SOCK_DGRAM
    try:
        port = vb_rpc.call("link", "resolve", host, port, stream)
    finally:
        time._synchronise()
    return usocket.getaddrinfo("127.0.0.1", port, usocket.AF_INET, type or usocket.SOCK_STREAM)
