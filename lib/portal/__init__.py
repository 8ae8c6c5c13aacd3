"""The captive portal: a phone joins the node's access point, a page opens by itself, and the node is set up with it.

`Portal` owns the sockets; dns.py answers names; server.py, exchange.py and request.py speak HTTP; app.py decides who
gets what; page.py, markup.py and template.py draw, form.py and answers.py read, actions.py acts. Only dns, net and
server stay in memory: the rest is loaded with the first connection and let go after the last.

The portal knows nothing of WiFi, MQTT or files: all it wants comes from one object, the node's view. Nothing here
blocks, and no method of the view may block or wait either.

The node's view, `node`:

  name            str: title of the page.
  ap_ssid         str: name of the node's own network, to be told to a phone that dropped off.
  web_password    str: what the page asks for on the home network; "" = the page is not served there (the default).
  settings        nested dict by section as lib/settings has it, of the candidate while one failed, else the current.
                  Fields that the schema calls secret are looked at for "is there one" and never sent. Asked for once a
                  page.
  faults          faults of the last save() that were found after it had returned, as save() returns them; else empty.
  ap_on()         bool: the access point is up, so that addresses of its network are those of its guests.
  hosts()         iterable of str: names and addresses by which the page may be asked for besides the access point's
                  address, in lower case: station address, hostname, hostname.local.
  online()        bool: set up and connected: probes are told that all is well, so that the phone closes its sheet.
  networks()      [(ssid bytes, signal dBm, locked bool)], strongest first (networks.digest() makes it from a scan);
                  None while a scan is wanted or running.
  rescan()        asks for a scan soon; returns at once.
  status()        iterable of (name, value): network, address, signal, broker, uptime (int, s), version, memory, reset
                  have labels in both languages, other names (readings) are shown as they are. Values are str or int;
                  connected, connecting, disconnected, power, hard, soft, watchdog, crash, deepsleep are translated.
  save(patch)     `patch` is for settings.patch(): an object with what is to change. Returns the faults of patch():
                  lines of "dotted.name: what is wrong"; with an empty list the trial has been accepted, progress() says
                  TRYING from now on, and it begins soon: not before the answer is out (a second or so). `patch` has the
                  secrets that are kept in it as well.
  progress()      None, or (state, steps) of the last trial. state: TRYING, FAILED or DONE, or ENDING: failed, and the
                  node restarts with the old settings as soon as told() was called. steps: [(name, state, reason)]
                  with state WAITING, TRYING, FAILED or DONE; name: wifi, address, broker, login, save;
                  reason "" or a code of template.py's @r blocks (no_network, wrong_key, no_address, refused, lost, dead,
                  broker_not_found, no_answer, tls, bad_login, not_authorised, client_id, unavailable, timeout, cut)
                  or any text, which is shown as it is.
  room()          bool: is there memory for a page? With False there will be soon, and the visitor is asked to wait.
  told()          a page has shown the outcome of the trial, DONE or ENDING.
  export()        nested dict of the current settings with the secrets masked (settings.redact).
  restart()       restart soon: not before the answer is out. The same for
  factory_reset() erase the settings and restart.
  fault(error)    an exception in the portal or the view, to be logged.
"""

import asyncio
from binascii import hexlify
from os import urandom

from . import dns, net, server

# States of a trial and of its steps.
WAITING = 0
TRYING = 1
FAILED = 2
DONE = 3
ENDING = 4


class Portal:
    """DNS and HTTP of the access point whose address is `ap`. The HTTP socket listens on all addresses."""

    def __init__(self, node, ap: str = "192.168.4.1", port: int = 80, dns_port: int = 53):
        self.node = node
        self.ap = ap
        self.port = port
        self.dns_port = dns_port
        self.token = str(hexlify(urandom(8)), "utf-8")  # in every form; new after each start
        self.slots = self.guard = None  # of server.py
        self.waiting = False  # somebody waits for a slot
        self.drawing = False  # an answer is being made: one at a time, because each takes the heap that there is
        self.seen = False  # somebody who may see the page has asked for something; for the node to reset
        self.dropped = 0  # connections that ended without their answer
        self.failures = 0  # wrong passwords in a row, the last one at `failed_at` ticks
        self.failed_at = 0

    def inside(self, peer: str) -> bool:
        """Is this address on our own access point? A home network may have the same addresses."""
        return net.near(peer, self.ap) and self.node.ap_on()

    def busy(self) -> bool:
        """Is there a connection?"""
        return bool([slot for slot in self.slots or () if slot.task is not None])

    async def run(self) -> None:
        """Serve until cancelled. OSError if a port is taken. Cancelling closes every socket."""
        from . import warm

        warm.up()
        del warm
        web = net.bind("0.0.0.0", self.port, 2)
        names = answers = None
        try:
            names = net.bind(self.ap, self.dns_port)
            answers = asyncio.create_task(dns.serve(names, self.ap))
            await server.accept(self, web)
        finally:
            if answers is not None:
                answers.cancel()
            web.close()
            if names is not None:
                names.close()
