"""Signed commands: signature, counter and its file, in lib/node/key.py."""

import json
import os
import sys

from check import raises
from node import key

KEY = "correct horse"
DEVICE = "node-56341200"
TEXT = '{"command":"set","relay":true}'
MAC = "a5dc7de32a011746f44c41486cd06bfdc5d4a2a1c41c44aa344f58930da063f1"  # openssl dgst -sha256 -hmac 'correct horse'
FILE = "test_key_counter.%s.tmp" % sys.implementation.name  # both VMs run at once


class Node:
    """What key.py wants of a node."""

    def __init__(self, secret=KEY):
        self.id = DEVICE
        self.cfg = {"device": {"command_key": secret} if secret else {}}


def remove(name):
    try:
        os.remove(name)
    except OSError:
        pass


def clean():
    remove(FILE)
    remove(FILE + ".new")


def writes(node, numbers):
    """How often the file changes while these counters are used up."""
    count = 0
    for number in numbers:
        before = content()
        key.accept(node, number, FILE)
        count += content() != before
    return count


def content():
    try:
        with open(FILE) as f:
            return f.read()
    except OSError:
        return None


def signed(number=7, text=TEXT, secret=KEY, device=DEVICE):
    return {"counter": number, "text": text, "mac": key.signature(secret, device, number, text)}


def test_the_signature_is_openssls():
    assert key.signature(KEY, DEVICE, 7, TEXT) == MAC


def test_a_long_key_and_text_beyond_ascii():
    assert len(key.signature("ключ" * 20, DEVICE, 7, '{"command":"set","灯":true}')) == 64


def test_a_signed_command_is_opened_once():
    clean()
    node = Node()
    assert key.opened(node, signed(), FILE) == ("set", {"relay": True})
    assert raises(ValueError, key.opened, node, signed(), FILE)
    assert key.opened(node, signed(8), FILE) == ("set", {"relay": True})
    clean()


def test_each_part_is_covered_by_the_signature():
    clean()
    node = Node()
    for name, value in (("counter", 8), ("text", TEXT + " "), ("mac", MAC[:-1] + "0"), ("mac", "")):
        message = signed()
        message[name] = value
        assert raises(ValueError, key.opened, node, message, FILE)
    assert raises(ValueError, key.opened, node, signed(secret="other key"), FILE)
    assert raises(ValueError, key.opened, node, signed(device="node-1"), FILE)
    assert raises(ValueError, key.opened, Node(""), signed(), FILE)
    assert content() is None  # none of them cost a counter
    clean()


def test_arguments_of_the_wrong_type_are_refused():
    clean()
    for name in ("counter", "text", "mac"):
        for value in (None, True, 1.5, [], {}, "7"):
            message = signed()
            message[name] = value
            assert raises(ValueError, key.opened, Node(), message, FILE)
    for number in (0, -1, 1 << 53, 10**30):
        assert raises(ValueError, key.opened, Node(), signed(number), FILE)
    clean()


def test_a_text_that_is_no_command_uses_up_its_counter():
    clean()
    node = Node()
    for number, text in ((1, "restart"), (2, "[]"), (3, '{"command":5}'), (4, "{"), (5, "[" * 500)):
        assert raises(ValueError, key.opened, node, signed(number, text), FILE)
        assert node.counter[0] == number
    clean()


def test_the_file_is_written_once_a_block():
    clean()
    assert writes(Node(), range(1, 257)) == 4
    clean()


def test_after_a_power_cut_the_counter_goes_on_beyond_all_that_were_used():
    clean()
    used = 0
    for _ in range(5):
        node = Node()  # nothing is left but the file
        assert key.last(node, FILE) >= used
        for number in range(1, used + 1):
            assert raises(ValueError, key.accept, node, number, FILE)
        used = key.last(node, FILE) + 3
        key.accept(node, used, FILE)
    clean()


def test_a_power_cut_before_the_rename_loses_nothing():
    clean()
    key.accept(Node(), 5, FILE)
    with open(FILE + ".new", "w") as f:
        f.write("9")  # half of 999
    assert raises(ValueError, key.accept, Node(), 5, FILE)
    key.accept(Node(), 70, FILE)
    assert raises(ValueError, key.accept, Node(), 70, FILE)
    clean()


def test_a_counter_that_cannot_be_stored_is_not_used():
    node = Node()
    assert raises(OSError, key.accept, node, 5, "no_such_folder/counter")
    assert not hasattr(node, "counter")


def test_a_counter_too_far_ahead_is_refused():
    clean()
    node = Node()
    assert raises(ValueError, key.accept, node, (1 << 31) + 1, FILE)
    key.accept(node, 1 << 31, FILE)
    key.accept(node, 1 << 32, FILE)
    clean()


def test_a_damaged_file_is_not_taken_for_zero():
    for text in ("", "12x", "-5", "1.5", "\n"):
        with open(FILE, "w") as f:
            f.write(text)
        assert raises(ValueError, key.accept, Node(), 1 << 30, FILE)
    clean()


def test_the_docs_example():
    with open(__file__.replace("tests/unit/test_node_key.py", "docs/commands.md"), "rb") as f:
        text = str(f.read(), "utf-8")
    example = json.loads(text.split("```json signed\n")[1].split("```", 1)[0])
    assert example.pop("command") == "signed"
    assert example == signed()
