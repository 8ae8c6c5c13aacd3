"""In the VM: module `network` of the ESP8266 port. All of it is done by the radio on the host (../radio.py)."""

# ruff: noqa: D103
import time

from vb_rpc import call

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_WRONG_PASSWORD, STAT_NO_AP_FOUND, STAT_CONNECT_FAIL, STAT_GOT_IP = 0, 1, 2, 3, 4, 5
AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK = 0, 1, 2, 3, 4
MODE_11B, MODE_11G, MODE_11N = 1, 2, 3


class WLAN:
    """One interface."""

    IF_STA, IF_AP = 0, 1
    SEC_OPEN, SEC_WEP, SEC_WPA, SEC_WPA2, SEC_WPA_WPA2 = 0, 1, 2, 3, 4
    PM_NONE, PM_POWERSAVE, PM_PERFORMANCE = 0, 1, 2

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError
        self._if = "ap" if interface else "sta"

    def active(self, *args):
        return call(self._if, "active", *args)

    def connect(self, *args, **kwargs):
        return call(self._if, "connect", *args, **kwargs)

    def disconnect(self):
        return call(self._if, "disconnect")

    def isconnected(self):
        return call(self._if, "isconnected")

    def status(self, *args):
        return call(self._if, "status", *args)

    def scan(self):
        try:
            # One by one: on the chip none of it passes through the heap but the list.
            return [call(self._if, "found", number) for number in range(call(self._if, "search"))]
        finally:
            time._synchronise()

    def config(self, *args, **kwargs):
        return call(self._if, "config", *args, **kwargs)

    def ifconfig(self, *args):
        return call(self._if, "ifconfig", *args)

    def ipconfig(self, *args, **kwargs):
        return call(self._if, "ipconfig", *args, **kwargs)


def hostname(*args):
    return call("network", "hostname", *args)


def country(*args):
    return call("network", "country", *args)


def phy_mode(*args):
    return call("network", "phy_mode", *args)


def ipconfig(*args, **kwargs):
    return call("network", "ipconfig", *args, **kwargs)
