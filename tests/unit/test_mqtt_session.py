"""The session: identifiers, the window, what is sent again and how, and its way over a reboot."""

import asyncio

import mqtt
from check import raises
from mqtt import opening
from mqtt.session import DONE, DUP, HEAD, PAYLOAD, PID, PUBLISHED, RELEASE, RELEASED, STATE, TOPIC, UNSENT, Session


def sent(session, slot):
    slot[STATE] += 1
    slot[DUP] = 8
    session.unsent -= 1


def states(session):
    return [(slot[PID], slot[STATE], bool(slot[DUP])) for slot in session.order]


def test_identifiers_count_from_1_and_wrap_to_1():
    session = Session(8)
    assert [session.new_pid() for _ in range(3)] == [1, 2, 3]
    session.last = 65534
    assert [session.new_pid() for _ in range(3)] == [65535, 1, 2]


def test_an_identifier_in_use_is_skipped():
    session = Session(8)
    for _ in range(4):
        session.take(0x32, b"t", b"")
    session.waiting[5] = None
    session.last = 65535
    assert session.new_pid() == 6
    session.free(session.find(2))
    session.last = 65535
    assert session.new_pid() == 2


def test_a_message_that_is_done_makes_room_and_the_order_stays():
    session = Session(3)
    slots = [session.take(0x32, b"t", b"") for _ in range(3)]
    session.free(slots[1])
    assert slots[1][PID] == 0
    new = session.take(0x34, b"u", b"p")
    assert (new[PID], new[HEAD], new[TOPIC], new[PAYLOAD], new[DUP]) == (4, 0x34, b"u", b"p", 0)
    assert [slot[PID] for slot in session.order] == [1, 3, 4]


def test_unsent_counts_what_has_to_be_written():
    session = Session(4)
    a, b = session.take(0x32, b"t", b"1"), session.take(0x34, b"t", b"2")
    assert session.unsent == 2
    sent(session, a)
    session.free(a)
    assert session.unsent == 1
    session.free(b)
    assert session.unsent == 0 and not session.order


def test_session_present_publishes_again_with_dup_and_releases_again_in_order():
    session = Session(4)
    for head in (0x32, 0x34, 0x34, 0x32):
        session.take(head, b"t", b"")
    for slot in session.order[:3]:
        sent(session, slot)
    session.order[1][STATE] = RELEASED
    session.received.add(9)
    opening.rearm(session, 1)
    assert states(session) == [(1, UNSENT, True), (2, RELEASE, True), (3, UNSENT, True), (4, UNSENT, False)]
    assert session.unsent == 4 and session.received == {9}


def test_without_session_all_are_new_messages_with_their_identifiers():
    session = Session(4)
    for head in (0x32, 0x34, 0x34):
        slot = session.take(head, b"t", b"")
        sent(session, slot)
    session.order[1][STATE] = RELEASED
    session.received.add(9)
    opening.rearm(session, 0)
    assert states(session) == [(1, UNSENT, False), (2, UNSENT, False), (3, UNSENT, False)]
    assert session.unsent == 3 and not session.received


# --- over a reboot


def client(window=8):
    return mqtt.Client("id", "host", clean_session=False, window=window)


def full():
    c = client()
    s = c.session
    s.last = 65533
    for head, topic, payload in ((0x32, b"a", b"1"), (0x35, b"b/\xc2\xb0", bytes(300)), (0x34, b"c", b"")):
        sent(s, s.take(head, topic, payload))
    s.order[1][STATE] = RELEASED
    s.received.add(7)
    s.received.add(65535)
    return c


def test_export_and_restore():
    c = full()
    data = c.export_session()
    d = client()
    d.restore_session(data)
    assert d.export_session()[3:] == data[3:] or len(d.export_session()) == len(data)  # the set has no order
    assert states(d.session) == [(65534, PUBLISHED, True), (65535, RELEASED, True), (1, PUBLISHED, True)]
    assert [(s[HEAD], s[TOPIC], s[PAYLOAD]) for s in d.session.order] == [
        (s[HEAD], s[TOPIC], s[PAYLOAD]) for s in c.session.order
    ]
    assert d.session.received == {7, 65535} and d.session.last == 1
    opening.rearm(d.session, 1)
    assert states(d.session) == [(65534, UNSENT, True), (65535, RELEASE, True), (1, UNSENT, True)]


def test_an_empty_session_goes_over_a_reboot():
    c = client()
    c.session.last = 77
    d = client()
    d.restore_session(c.export_session())
    assert d.session.new_pid() == 78


def test_every_truncation_is_refused_and_changes_nothing():
    data = full().export_session()
    d = client()
    for size in range(len(data)):
        whole_records = size in (8, 8 + 11 + 2, 8 + 11 + 2 + 11 + 4 + 300)
        if whole_records:
            continue  # a shorter session, and a valid one
        raises(ValueError, d.restore_session, data[:size])
        assert not d.session.order and not d.session.received and d.session.last == 0


def test_hostile_bytes_are_refused_or_valid():
    data = full().export_session()
    refused = 0
    for at in range(len(data)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            hostile = bytearray(data)
            hostile[at] = value
            d = client()
            try:
                d.restore_session(bytes(hostile))
            except ValueError:
                refused += 1
                assert not d.session.order
                continue
            for slot in d.session.order:
                assert 1 <= slot[PID] <= 65535 and slot[HEAD] & 6 in (2, 4) and UNSENT <= slot[STATE] <= RELEASED
                assert slot[STATE] < RELEASE or slot[HEAD] & 4
            assert 0 not in d.session.received
    assert refused > 100
    for junk in (b"", b"\x00", b"\x02\x00\x00\x00", b"\x01\x00\x00\xff", b"\xff" * 50, bytes(50)):
        raises(ValueError, client().restore_session, junk)


def test_more_messages_than_the_window_are_refused():
    raises(ValueError, client(window=2).restore_session, full().export_session())


def test_a_session_in_use_is_not_overwritten():
    c = full()
    raises(ValueError, c.restore_session, full().export_session())


def test_a_message_from_a_generator_can_not_be_exported():
    c = client()
    c.session.take(0x32, b"t", mqtt.stream.source(iter([b"x"]), 1))
    raises(ValueError, c.export_session)


def test_a_slot_wakes_who_waits_for_it():
    async def main():
        session = Session(1)
        slot = session.take(0x32, b"t", b"")
        done = []

        async def waiter():
            from mqtt.session import wake  # noqa: F401  (the same primitives as the client)

            await _wait(slot[DONE])
            done.append(1)

        task = asyncio.create_task(waiter())
        await asyncio.sleep(0.01)
        assert not done
        session.free(slot)
        await task
        assert done

    asyncio.run(main())


async def _wait(waiters):
    from mqtt import client as module

    await module.wait(waiters)
