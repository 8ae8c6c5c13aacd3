"""In the VM: module `esp`, as far as a node has use for it."""

# ruff: noqa: D103
import vb_rpc

SLEEP_NONE, SLEEP_LIGHT, SLEEP_MODEM = 0, 1, 2
_sleep_type = SLEEP_MODEM


def osdebug(*args):
    return None


def sleep_type(*args):
    global _sleep_type
    if not args:
        return _sleep_type
    _sleep_type = args[0]


def deepsleep(us=0, option=0):
    vb_rpc.call("board", "deepsleep", us // 1000)


def flash_id():
    return 0x1640EF


def flash_size():
    return vb_rpc.call("board", "flash_size")


def flash_user_start():
    return 0x100000


def freemem():
    return 22000


def check_fw():
    return True
