"""Sends one command to a node and waits for its answer; signs it if there is a command key. docs/commands.md.

    python -m tools command --broker 192.168.1.10 --base node/kitchen set relay=true --key "correct horse"

`sign` is all that another program needs to make signed commands of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import queue
import secrets
import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tools.broker import BrokerError
from tools.watcher import Address, parse_address

TIMEOUT = 15.0  # s, for the broker and for each answer
TRIES = 3  # with a fresh counter: somebody else may have used the one that was asked for

Json = dict[str, Any]


class CommandError(Exception):
    """The command was refused, or nobody answered; the text says which."""


def sign(key: str, device: str, counter: int, command: Mapping[str, object]) -> Json:
    """The signed form of a command such as {"command": "restart"}.

    key: device.command_key of the node. device: its id (`info` and `counter` say it). counter: 1 to 2**53 - 1, larger
    than any used before with this node, and at most 2**31 larger.
    """
    text = json.dumps(command, separators=(",", ":"), ensure_ascii=False)
    message = f"{device}\n{counter}\n{text}"
    mac = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return {"command": "signed", "counter": counter, "text": text, "mac": mac}


class Remote:
    """A node behind a broker.

    with Remote(Address("broker.local", 1883), "node/kitchen", key="…") as node: print(node.send("read")["data"])
    device: give it if several nodes share one key; else the node is asked, and a false node could name another.
    """

    def __init__(
        self,
        broker: Address,
        base: str,
        *,
        key: str | None = None,
        device: str | None = None,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        self.base = base
        self.key = key
        self.device = device
        self.replies: queue.SimpleQueue[Json] = queue.SimpleQueue()
        self.broker = broker
        self._subscribed = threading.Event()
        self._refusal = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Remote:
        try:
            self._client.connect(self.broker.host, self.broker.port, 60)
        except OSError as error:
            raise BrokerError(f"no broker at {self.broker}: {error.strerror or error}") from None
        self._client.loop_start()
        if not self._subscribed.wait(TIMEOUT) or self._refusal:
            self.__exit__(None, None, None)
            raise BrokerError(f"the broker at {self.broker} does not serve us: {self._refusal or 'no answer'}")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: str | bytes, retain: bool = False) -> None:
        """Publish as it is; returns when the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(TIMEOUT)

    def ask(self, message: Mapping[str, object], timeout: float = TIMEOUT) -> Json:
        """Send a command object and return its answer, `ok` or not. Raises CommandError if none comes."""
        ident = secrets.token_hex(4)
        self.publish(f"{self.base}/cmd", json.dumps({**message, "id": ident}))
        return self.answer(ident, timeout)

    def answer(self, ident: str | int | None = None, timeout: float = TIMEOUT) -> Json:
        """The next answer, to the command with this id if one is given. Raises CommandError if none comes."""
        while True:
            try:
                reply = self.replies.get(timeout=timeout)
            except queue.Empty:
                raise CommandError(f"no answer on {self.base}/reply within {timeout:.0f} s") from None
            if ident is None or reply.get("id") == ident:
                return reply

    def send(self, command: str, timeout: float = TIMEOUT, **arguments: object) -> Json:
        """Have a command done, signed if there is a key; returns its answer. Raises CommandError if it is refused."""
        message = {"command": command, **arguments}
        for left in reversed(range(TRIES)):
            reply = self.ask(self._signed(message), timeout)
            if reply.get("ok"):
                return reply
            if not self.key or not left or not str(reply.get("error", "")).startswith("counter:"):
                break
        raise CommandError(str(reply.get("error", reply)))

    def _signed(self, message: Mapping[str, object]) -> Mapping[str, object]:
        if not self.key:
            return message
        state = self.ask({"command": "counter"})
        if not state.get("ok"):
            raise CommandError(str(state.get("error", state)))
        counter, device = state["data"]["counter"], self.device or state["data"]["device"]
        return sign(self.key, device, counter + 1, message)

    def _on_connect(
        self, client: mqtt.Client, userdata: object, flags: object, reason: Any, properties: object
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._subscribed.set()
        else:
            client.subscribe(f"{self.base}/reply", qos=1)

    def _on_message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            reply = json.loads(message.payload)
        except ValueError:
            reply = None
        self.replies.put(reply if isinstance(reply, dict) else {"ok": False, "error": "not an answer"})


def value(text: str) -> object:
    """An argument's value as typed: JSON if it is JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 0 done, 1 refused or no answer, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tools command", description="Send one command to a node.")
    parser.add_argument("--broker", default=os.environ.get("BROKER", "localhost"), help="host[:port]; BROKER")
    parser.add_argument("--base", required=True, help="base topic of the node, such as node/kitchen")
    parser.add_argument("--user", help="user name for the broker; its password from MQTT_PASSWORD")
    parser.add_argument("--key", default=os.environ.get("COMMAND_KEY"), help="the node's command key; COMMAND_KEY")
    parser.add_argument("--device", help="the node's id, if several nodes share the key")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds to wait for the answer")
    parser.add_argument("command", help="read, set, restart, …")
    parser.add_argument("values", nargs="*", metavar="name=value", help="arguments; values may be JSON")
    options = parser.parse_args(arguments)
    pairs = [text.split("=", 1) for text in options.values]
    if any(len(pair) != 2 for pair in pairs):
        parser.error("arguments are name=value")
    try:
        with Remote(
            parse_address(options.broker),
            options.base,
            key=options.key,
            device=options.device,
            user=options.user,
            password=os.environ.get("MQTT_PASSWORD"),
        ) as node:
            reply = node.send(options.command, options.timeout, **{name: value(text) for name, text in pairs})
    except (BrokerError, CommandError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    print(json.dumps({name: reply[name] for name in ("text", "data") if name in reply} or {"ok": True}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
