"""The client against a scripted broker: the handshakes, the session over reconnects, keepalive, and every deadline."""

import asyncio
import io
import socket

from mqtt import Client, ConnectRefused, ProtocolError, SubscribeRefused
from mqtt_broker import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Broker,
    ack,
    messages,
    play,
    publish,
    raised,
    until,
)


def start(awaitable):
    return asyncio.create_task(awaitable)


async def outcome(kind, awaitable):
    try:
        await awaitable
    except kind as e:
        return e
    raise AssertionError("no %s" % kind.__name__)


# --- handshakes


def test_qos_0_1_and_2_out():
    async def scenario(broker, client, seen):
        for qos in (0, 1, 2):
            await client.publish("t/%d" % qos, b"%d" % qos, qos, retain=qos == 1)
            packet = await broker.expect(PUBLISH)
            assert (packet.topic, packet.payload, packet.qos) == ("t/%d" % qos, b"%d" % qos, qos)
            assert packet.retain == (qos == 1) and not packet.dup
        assert (await broker.expect(PUBREL)).pid == packet.pid
        assert not client.session.order

    play(scenario)


def test_qos_0_1_and_2_in():
    async def scenario(broker, client, seen):
        await broker.send(publish("a", b"0") + publish("b", b"1", 1, 5, retain=True) + publish("c", b"2", 2, 6))
        assert (await broker.expect(PUBACK)).pid == 5
        assert (await broker.expect(PUBREC)).pid == 6
        assert (await broker.expect(PUBCOMP)).pid == 6
        assert [tuple(m) for m in messages(seen)] == [
            ("a", b"0", 0, False, False),
            ("b", b"1", 1, True, False),
            ("c", b"2", 2, False, False),
        ]
        assert not client.session.received

    play(scenario)


def test_a_qos_2_message_sent_twice_is_delivered_once():
    async def scenario(broker, client, seen):
        broker.mute = {PUBREC}
        await broker.send(publish("c", b"2", 2, 6))
        await broker.expect(PUBREC)
        await broker.send(publish("c", b"2", 2, 6, dup=True))
        await broker.expect(PUBREC)
        assert len(messages(seen)) == 1
        await broker.send(ack(PUBREL, 6))
        assert (await broker.expect(PUBCOMP)).pid == 6
        await broker.send(ack(PUBREL, 6))  # PUBREL twice
        assert (await broker.expect(PUBCOMP)).pid == 6
        await broker.send(publish("c", b"3", 2, 6))  # the identifier is free again: a new message
        await broker.expect(PUBREC)
        assert [m.payload for m in messages(seen)] == [b"2", b"3"]

    play(scenario)


def test_duplicate_and_unknown_acknowledgements_do_no_harm():
    async def scenario(broker, client, seen):
        await broker.send(ack(PUBACK, 99) + ack(PUBCOMP, 98) + ack(UNSUBSCRIBE + 1, 97) + b"\x90\x03\x00\x60\x00")
        await broker.send(ack(PUBREC, 96))
        assert (await broker.expect(PUBREL)).pid == 96  # or the broker would keep it for ever
        broker.mute = {PUBLISH, PUBREL}
        task = start(client.publish("t", b"x", 2))
        pid = (await broker.expect(PUBLISH)).pid
        await broker.send(ack(PUBACK, pid) + ack(PUBCOMP, pid))  # not what is due
        await broker.send(ack(PUBREC, pid) + ack(PUBREC, pid))  # duplicate PUBREC
        assert (await broker.expect(PUBREL)).pid == pid
        assert (await broker.expect(PUBREL)).pid == pid
        assert not task.done()
        await broker.send(ack(PUBCOMP, pid) + ack(PUBCOMP, pid))
        await task
        assert client.connected and seen == [("up",)]

    play(scenario)


def test_messages_leave_in_order_through_a_small_window():
    async def scenario(broker, client, seen):
        tasks = []
        for i in range(12):
            tasks.append(start(client.publish("t", b"%d" % i, 1 + i % 2)))
            await asyncio.sleep(0.002)
        for task in tasks:
            await task
        got = [int(p.payload) for p in broker.packets if p.kind == PUBLISH]
        assert got == list(range(12)), got

    play(scenario, window=3)


def test_never_more_in_flight_than_the_window():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        tasks = [start(client.publish("t", b"x", 1)) for _ in range(9)]
        for done in range(9):
            packet = await broker.expect(PUBLISH)
            assert broker.count(PUBLISH) - done <= 4
            await asyncio.sleep(0.01)
            assert broker.count(PUBLISH) - done <= 4
            await broker.send(ack(PUBACK, packet.pid))
        for task in tasks:
            await task

    play(scenario, window=4)


def test_a_task_cancelled_in_the_line_lets_the_others_pass():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        first = start(client.publish("t", b"1", 1))
        packet = await broker.expect(PUBLISH)
        second = start(client.publish("t", b"2", 1))
        await asyncio.sleep(0.01)
        third = start(client.publish("t", b"3", 1))
        await asyncio.sleep(0.01)
        second.cancel()
        broker.mute = set()
        await broker.send(ack(PUBACK, packet.pid))
        await first
        await third
        assert [p.payload for p in broker.packets if p.kind == PUBLISH] == [b"1", b"3"]

    play(scenario, window=1)


def test_identifiers_wrap_and_skip_those_in_use():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        client.session.last = 65534
        tasks = [start(client.publish("t", b"1", 1)), start(client.publish("t", b"2", 1))]
        pids = [(await broker.expect(PUBLISH)).pid, (await broker.expect(PUBLISH)).pid]
        assert pids == [65535, 1]
        client.session.last = 65534
        tasks.append(start(client.publish("t", b"3", 1)))
        assert (await broker.expect(PUBLISH)).pid == 2
        await broker.send(ack(PUBACK, 1) + ack(PUBACK, 2) + ack(PUBACK, 65535))
        for task in tasks:
            await task

    play(scenario)


def test_subscription_granted_less_and_refused():
    async def scenario(broker, client, seen):
        broker.granted = (1, 0)
        assert await client.subscribe([("a", 2), ("b", 0)]) == [1, 0]
        broker.granted = (0x80, 1)
        fault = await outcome(SubscribeRefused, client.subscribe([("no", 0), ("yes", 1)]))
        assert fault.codes == [0x80, 1]
        assert client.connected and seen == [("up",)]
        broker.granted = None
        broker.drop()
        names = [p.body[4:] for p in await broker.several(SUBSCRIBE, 5)][2:]
        assert sorted(bytes(n) for n in names) == [b"a\x02", b"b\x00", b"yes\x01"]  # with the QoS asked for

    play(scenario)


def test_unsubscribed_is_not_made_again():
    async def scenario(broker, client, seen):
        await client.subscribe([("a", 1), ("b", 1)])
        await client.unsubscribe("a")
        broker.drop()
        await broker.expect(CONNECT)
        assert (await broker.expect(SUBSCRIBE)).body[4:] == b"b\x01"
        await client.publish("t", b"x", 1)
        assert broker.count(SUBSCRIBE) == 2

    play(scenario)


def test_a_refusal_after_a_reconnect_is_told_and_not_repeated():
    async def scenario(broker, client, seen):
        await client.subscribe("a", 1)
        broker.granted = (0x80,)
        broker.drop()
        await until(lambda: isinstance(client.reason, SubscribeRefused))
        assert client.connected
        broker.drop()
        await until(lambda: client.connects == 3)
        await client.publish("t", b"x", 1)
        assert broker.count(SUBSCRIBE) == 2

    play(scenario)


def test_session_present_is_returned_and_nothing_is_subscribed_again():
    async def scenario(broker, client, seen):
        assert not await client.connect(5)
        await client.subscribe("a", 1)
        broker.present = 1
        broker.drop()
        await until(lambda: client.connects == 2)
        await client.publish("t", b"x", 1)
        assert broker.count(SUBSCRIBE) == 1
        await client.disconnect()
        assert await client.connect(5)

    play(scenario, connect=False, clean_session=False)


def test_disconnect_says_goodbye_and_connect_comes_back():
    async def scenario(broker, client, seen):
        await client.disconnect()
        await broker.expect(DISCONNECT)
        assert not client.connected
        await outcome(OSError, client.publish("t", b"x"))
        await outcome(OSError, client.publish("t", b"x", 1))
        await outcome(OSError, client.subscribe("t"))
        await client.disconnect()
        await client.connect(5)
        await client.publish("t", b"x", 1)
        assert [entry[0] for entry in seen] == ["up", "down", "up"]

    play(scenario, clean_session=False)


def test_disconnect_wakes_all_that_wait():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH, SUBSCRIBE}
        waiting = [start(outcome(OSError, client.publish("t", b"x", 1 + i % 2))) for i in range(4)]
        waiting.append(start(outcome(OSError, client.subscribe("t"))))
        await broker.expect(SUBSCRIBE)
        await client.disconnect()
        for task in waiting:
            await asyncio.wait_for(task, 5)

    play(scenario, window=2)


def test_an_exception_in_a_callback_does_not_end_the_link():
    told = []

    async def scenario(broker, client, seen):
        loop = asyncio.get_event_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context["exception"]))

        def bad(message):
            raise ValueError("of the application")

        client.on_message = bad
        await broker.send(publish("a", b"0", 1, 7))
        assert (await broker.expect(PUBACK)).pid == 7
        assert client.connected and str(told[0]) == "of the application"
        loop.set_exception_handler(None)

    play(scenario)


def test_publish_from_a_callback_by_a_task():
    async def scenario(broker, client, seen):
        client.on_message = lambda m: start(client.publish("re/" + m.topic, m.payload, 2))
        await broker.send(publish("a", b"0", 2, 7) + publish("b", b"1", 2, 8))
        got = [(await broker.expect(PUBLISH)).topic, (await broker.expect(PUBLISH)).topic]
        assert sorted(got) == ["re/a", "re/b"]

    play(scenario)


# --- over reconnects


def test_unacknowledged_messages_are_sent_again_with_dup_and_the_same_identifier():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        tasks = []
        for i in range(4):
            tasks.append(start(client.publish("t", b"%d" % i, 1 + i % 2)))
            await asyncio.sleep(0.01)
        old = await broker.several(PUBLISH, 4)
        broker.present = 1
        broker.mute = set()
        broker.drop()
        new = await broker.several(PUBLISH, 4)
        assert [(p.pid, p.payload, p.qos, True) for p in old] == [(p.pid, p.payload, p.qos, p.dup) for p in new]
        for task in tasks:
            await task

    play(scenario, clean_session=False)


def test_without_session_they_are_published_as_new():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        tasks = [start(client.publish("t", b"1", 1)), start(client.publish("t", b"2", 2))]
        await broker.expect(PUBLISH), await broker.expect(PUBLISH)
        broker.mute = set()
        broker.drop()
        assert not (await broker.expect(PUBLISH)).dup
        assert not (await broker.expect(PUBLISH)).dup
        for task in tasks:
            await task

    play(scenario)


def test_pubrel_is_sent_again_in_order_and_not_the_message():
    async def scenario(broker, client, seen):
        broker.mute = {PUBREL}
        tasks = [start(client.publish("t", b"%d" % i, 2)) for i in range(3)]
        pids = [p.pid for p in await broker.several(PUBREL, 3)]
        broker.present = 1
        broker.mute = set()
        broker.drop()
        assert [p.pid for p in await broker.several(PUBREL, 3)] == pids
        for task in tasks:
            await task
        assert broker.count(PUBLISH) == 3

    play(scenario, clean_session=False)


def test_a_received_qos_2_message_is_delivered_once_over_a_reconnect():
    async def scenario(broker, client, seen):
        broker.mute = {PUBREC}
        await broker.send(publish("c", b"2", 2, 6))
        await broker.expect(PUBREC)
        broker.present = 1
        broker.mute = set()
        broker.drop()
        await broker.expect(CONNECT)
        await until(lambda: client.connects == 2)
        await broker.send(publish("c", b"2", 2, 6, dup=True))
        assert (await broker.expect(PUBCOMP)).pid == 6
        assert len(messages(seen)) == 1

    play(scenario, clean_session=False)


def test_a_message_published_while_offline_is_sent_on_the_next_connection():
    async def scenario(broker, client, seen):
        broker.mute = {CONNECT}
        broker.drop()
        await until(lambda: not client.connected)
        await outcome(OSError, client.publish("t", b"0"))
        task = start(client.publish("t", b"1", 1))
        await broker.expect(CONNECT)
        await broker.send(b"\x20\x02\x00\x00")
        packet = await broker.expect(PUBLISH)
        assert packet.payload == b"1" and not packet.dup
        await task

    play(scenario)


def test_a_publish_with_a_time_limit_ends_and_the_message_stays_in_flight():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        fault = await outcome(OSError, client.publish("t", b"1", 1, timeout=0.1))
        assert "may still arrive" in str(fault) and client.connected
        packet = await broker.expect(PUBLISH)
        assert [slot[0] for slot in client.session.order] == [packet.pid]
        await broker.send(ack(PUBACK, packet.pid))
        await until(lambda: not client.session.order)

    play(scenario)


def test_a_reboot_in_the_middle_of_a_qos_2_handshake():
    state = []

    async def before(broker, client, seen):
        broker.mute = {PUBREL, PUBREC}
        start(outcome(OSError, client.publish("t", b"half", 2)))
        await broker.expect(PUBREL)
        await broker.send(publish("c", b"2", 2, 6))
        await broker.expect(PUBREC)
        state.append(client.export_session())

    async def after(broker, client, seen):
        client.restore_session(state[0])
        broker.present = 1
        assert await client.connect(5)
        assert (await broker.expect(PUBREL)).pid == 1
        await until(lambda: not client.session.order)
        await broker.send(publish("c", b"2", 2, 6, dup=True))
        await broker.expect(PUBCOMP)
        assert broker.count(PUBLISH) == 0 and not messages(seen)

    play(before, clean_session=False)
    play(after, connect=False, clean_session=False)


def test_reconnect_false_is_one_connection():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        task = start(outcome(OSError, client.publish("t", b"1", 1)))
        await broker.expect(PUBLISH)
        broker.drop()
        await asyncio.wait_for(task, 5)
        await outcome(OSError, client.publish("t", b"1", 2))
        await outcome(OSError, client.subscribe("t"))
        assert broker.connections == 1 and not client.connected

    play(scenario, reconnect=False)


# --- deadlines, each by its name


def deadline(mute, word, act=None, **options):
    async def scenario(broker, client, seen):
        broker.mute = set(mute)
        task = start(act(broker, client)) if act else None
        await until(lambda: raised(seen))
        assert word in str(raised(seen)[0]), raised(seen)
        broker.mute = set()
        await until(lambda: client.connected)
        if task:
            await task
        assert broker.connections >= 2

    play(scenario, response_timeout=0.4, **options)


def test_no_puback():
    deadline({PUBLISH}, "PUBACK", lambda broker, client: client.publish("t", b"x", 1))


def test_no_pubrec():
    deadline({PUBLISH}, "PUBREC", lambda broker, client: client.publish("t", b"x", 2))


def test_no_pubcomp():
    deadline({PUBREL}, "PUBCOMP", lambda broker, client: client.publish("t", b"x", 2))


def test_no_suback():
    deadline({SUBSCRIBE}, "SUBACK", lambda broker, client: client.subscribe("t"))


def test_no_unsuback():
    deadline({UNSUBSCRIBE}, "UNSUBACK", lambda broker, client: client.unsubscribe("t"))


def test_no_pingresp():
    deadline({PINGREQ}, "PINGRESP", keepalive=1)


def test_a_stall_inside_a_packet():
    deadline((), "rest of a packet", lambda broker, client: broker.send(publish("t", bytes(100))[:50]))


def test_a_stall_inside_a_large_message():
    deadline((), "rest of a packet", lambda broker, client: broker.send(publish("t", bytes(5000))[:2000]))


def test_a_stall_in_the_first_byte_of_a_packet():
    deadline((), "rest of a packet", lambda broker, client: broker.send(b"\x30"))


def connect_fault(answer, kind, word, timeout=0.5):
    found = []

    async def scenario(broker, client, seen):
        if answer is None:
            broker.mute = {CONNECT}
        else:
            broker.answer = lambda packet: answer
        fault = await outcome(kind, client.connect(timeout))
        found.append(fault)
        assert word in str(fault), fault
        assert not client.connected and not seen
        await asyncio.sleep(0.15)
        assert broker.connections == 1  # no more attempts behind our back

    play(scenario, connect=False)
    return found[0]


def test_no_connack():
    connect_fault(None, OSError, "CONNACK")


def test_half_a_connack():
    connect_fault(b"\x20\x02", OSError, "CONNACK")


def test_refusals_by_code():
    for code, word in enumerate(("protocol", "identifier", "unavailable", "password", "authorised"), 1):
        fault = connect_fault(bytes((0x20, 2, 0, code)), ConnectRefused, word)
        assert fault.code == code


def test_what_is_not_a_connack():
    for answer in (
        b"\x20\x02\x00\x06",
        b"\x20\x02\x02\x00",
        b"\x20\x02\x01\x05",
        b"\x20\x02\x01\x00",  # session present, with a clean session
        b"\x30\x05\x00\x01abc",
        b"\xd0\x00",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x20\x03\x00\x00\x00",
        b"\x30\xff\xff\xff\x7f\x00\x01a",
        b"\x30\xff\xff\xff\xff\x7f",
    ):
        connect_fault(answer, ProtocolError, "")


def test_nobody_listens():
    async def main():
        broker = Broker()
        await broker.start()
        await broker.stop()
        client = Client("id", "127.0.0.1", broker.port)
        await outcome(OSError, client.connect(2))
        assert not client.connected and client.reason

    asyncio.run(main())


def test_a_connect_that_is_cancelled_stops():
    async def scenario(broker, client, seen):
        broker.mute = {CONNECT}
        task = start(client.connect(5))
        await broker.expect(CONNECT)
        task.cancel()
        await asyncio.sleep(0.2)
        broker.mute = set()
        await client.connect(5)
        assert client.connected and broker.connections == 2

    play(scenario, connect=False)


# --- hostile or broken links


def test_connack_one_byte_at_a_time():
    async def scenario(broker, client, seen):
        broker.mute = {CONNECT}
        task = start(client.connect(5))
        await broker.expect(CONNECT)
        await broker.send_bytewise(b"\x20\x02\x00\x00")
        await task
        assert client.connected

    play(scenario, connect=False)


def test_one_byte_fragments_all_day():
    async def scenario(broker, client, seen):
        for i in range(5):
            await broker.send_bytewise(publish("t/%d" % i, b"x" * 30 * i, i % 3, i + 1 if i % 3 else 0))
            await broker.send_bytewise(b"\xd0\x00")
        await until(lambda: len(messages(seen)) == 5)
        assert [len(m.payload) for m in messages(seen)] == [0, 30, 60, 90, 120]

    play(scenario)


def test_a_reset_in_mid_packet_delivers_nothing_of_it():
    async def scenario(broker, client, seen):
        await broker.send(publish("t", bytes(100), 2, 5)[:60])
        await asyncio.sleep(0.02)
        broker.drop()
        await until(lambda: client.connects == 2)
        await broker.send(publish("t", b"whole", 1, 6))
        assert (await broker.expect(PUBACK)).pid == 6
        assert [m.payload for m in messages(seen)] == [b"whole"]

    play(scenario)


def test_malformed_bytes_end_the_link_with_a_protocol_error_and_it_comes_back():
    for data, word in (
        (b"\x30\xff\xff\xff\xff\x7f", "remaining length"),
        (b"\x30\x05\x00\x20abc", "topic longer"),
        (b"\x30\x05\x00\x03\xff\xfe\xc0", "bad topic"),
        (b"\x36\x07\x00\x01a\x00\x01hi", "QoS 3"),
        (b"\x20\x02\x00\x00", "second CONNACK"),
        (b"\x90\x03\x00\x01\x03", "SUBACK with code"),
        (b"\x00\x00", "unknown"),
        (b"\x62\x02\x00\x00", "identifier 0"),
    ):

        async def scenario(broker, client, seen, data=data, word=word):
            await broker.send(data)
            await until(lambda: client.connects == 2)
            assert isinstance(raised(seen)[0], ProtocolError) and word in str(raised(seen)[0])
            assert not messages(seen)
            await client.publish("t", b"x", 2)

        play(scenario)


def test_a_suback_with_the_wrong_number_of_codes():
    async def scenario(broker, client, seen):
        broker.granted = (0, 0)
        fault = await outcome(ProtocolError, client.subscribe("a"))
        assert "2" in str(fault)
        await until(lambda: client.connects == 2)

    play(scenario)


def test_qos_2_messages_without_pubrel_are_bounded():
    async def scenario(broker, client, seen):
        broker.mute = {PUBREC}
        for pid in range(1, 140):
            try:
                await broker.send(publish("t", b"", 2, pid))
            except OSError:
                break
        await until(lambda: raised(seen))
        assert "QoS 2" in str(raised(seen)[0])

    play(scenario)


def test_a_burst_of_messages():
    async def scenario(broker, client, seen):
        data = b""
        for i in range(1, 201):
            data += publish("t", b"%d" % i, i % 3, i if i % 3 else 0)
        await broker.send(data)
        await until(lambda: len(messages(seen)) == 200)
        assert [int(m.payload) for m in messages(seen)] == list(range(1, 201))
        await until(lambda: broker.count(PUBACK) == 67 and broker.count(PUBCOMP) == 67)

    play(scenario)


# --- keepalive


def test_pingreq_when_nothing_was_sent_though_much_is_received():
    async def scenario(broker, client, seen):
        for _ in range(40):
            await broker.send(publish("t", b"x"))
            await asyncio.sleep(0.05)
            if broker.count(PINGREQ):
                break
        assert broker.count(PINGREQ) and client.connected and seen[0] == ("up",) and not raised(seen)

    play(scenario, keepalive=1)


def test_pingreq_when_nothing_is_received_though_much_is_sent():
    async def scenario(broker, client, seen):
        for _ in range(40):
            await client.publish("t", b"x")
            await asyncio.sleep(0.05)
        assert broker.count(PINGREQ) and not raised(seen)

    play(scenario, keepalive=1)


def test_keepalive_0_never_pings():
    async def scenario(broker, client, seen):
        assert broker.packets[0].body[8:10] == b"\0\0"
        await asyncio.sleep(0.6)
        assert not broker.count(PINGREQ)

    play(scenario, keepalive=0)


# --- reconnecting


def test_refusals_are_retried_slowly_and_the_network_fast():
    for code, slow in ((1, True), (2, True), (3, False), (4, True), (5, True)):

        async def scenario(broker, client, seen, code=code, slow=slow):
            broker.code = code
            broker.drop()
            await until(lambda: isinstance(client.reason, ConnectRefused), 10)
            assert client.reason.code == code
            await until(lambda: client._wait > 0)
            assert (client._wait >= 45000) == slow, (code, client._wait)
            broker.code = 0
            client.retry_now()
            await until(lambda: client.connects == 2)

        play(scenario, max_backoff=60)


def test_full_jitter_under_an_exponential_ceiling():
    async def scenario(broker, client, seen):
        broker.code = 3
        waits = []
        last = client._failures
        broker.drop()
        for _ in range(8):
            await until(lambda: client._failures > last and not client._stage, 10)  # noqa: B023
            last = client._failures
            waits.append(client._wait)
            assert 0 <= client._wait <= min(4000, 500 << last), (last, client._wait)
            client._wait = 0  # as time does
        assert len(set(waits)) > 3, waits

    play(scenario, max_backoff=4)


def test_on_attempt_may_change_the_broker_and_let_an_attempt_pass():
    async def main():
        good, bad = Broker(), Broker()
        await good.start()
        await bad.start()
        bad.code = 5
        calls = []

        def attempt(client):
            calls.append(client.port)
            if len(calls) == 1:
                raise OSError("no network")
            client.port = good.port if len(calls) > 2 else bad.port
            client.set_identity("id%d" % len(calls))

        client = Client("id", "127.0.0.1", bad.port, on_attempt=attempt, max_backoff=0.05)
        client.start()
        await until(lambda: client.connected)
        assert b"id3" in (await good.expect(CONNECT)).body
        assert len(calls) == 3 and bad.connections == 1
        await client.disconnect()
        await good.stop()
        await bad.stop()

    asyncio.run(main())


def test_the_name_is_looked_up_again_after_failures():
    async def scenario(broker, client, seen):
        transport = client._transport
        key = transport.key
        assert key == ("127.0.0.1", broker.port)
        transport.found = [list(transport.found[0])[:4] + [_elsewhere()]]  # the broker moved away  # noqa: RUF005
        broker.drop()
        await until(lambda: client.connects == 2, 10)
        assert client.connected

    play(scenario)


def _elsewhere():
    return socket.getaddrinfo("127.0.0.1", 1)[0][-1]


# --- the application's own faults


def test_callbacks_that_raise_do_not_end_the_link():
    """With the event loop's own handler, which prints to stderr: on MicroPython it wants a task to print."""

    async def scenario(broker, client, seen):
        def raises_value_error(*args):
            seen.append(args)
            raise ValueError("of the application")

        client.on_message = client.on_state = raises_value_error
        await client.subscribe("x")
        await client.publish("x", b"1", 1)
        await broker.send(publish("x", b"1", 1, 5) + publish("x", b"2", 2, 6))
        assert (await broker.expect(PUBACK)).pid == 5
        assert (await broker.expect(PUBCOMP)).pid == 6
        assert client.connected and client.connects == 1
        assert [args[0].payload for args in seen[1:]] == [b"1", b"2"]
        broker.drop()
        await until(lambda: client.connects == 2)
        await broker.send(publish("x", b"3", 1, 7))
        assert (await broker.expect(PUBACK)).pid == 7
        assert [args[0] for args in seen[3:5]] == [False, True]
        await client.publish("x", b"4", 2)

    play(scenario)


def test_on_attempt_that_raises_lets_the_attempt_pass():
    calls = []

    def attempt(client):
        calls.append(client.reason)
        if len(calls) < 3:
            raise KeyError("of the application")

    async def scenario(broker, client, seen):
        client.start()
        await until(lambda: client.connected)
        assert len(calls) == 3 and "KeyError" in str(calls[2]), calls

    play(scenario, connect=False, on_attempt=attempt)


# --- large messages


class Sink:
    """Counts what it is given."""

    def __init__(self):
        self.data = b""
        self.finished = None
        self.most = 0

    def write(self, view):
        self.most = max(self.most, len(view))
        self.data += bytes(view)

    def finish(self, complete):
        self.finished = complete


def test_a_large_message_into_a_sink():
    payload = bytes(range(256)) * 40
    for qos in (0, 1, 2):
        sink = Sink()
        asked = []

        async def scenario(broker, client, seen, qos=qos, sink=sink, asked=asked):
            client.on_large = lambda *args: asked.append(args) or sink
            await broker.send(
                publish("big", payload, qos, 9 if qos else 0, retain=True) + publish("small", b"x", 1, 10)
            )
            await until(lambda: messages(seen))
            assert asked == [("big", len(payload), True)]
            assert sink.data == payload and sink.finished is True and sink.most <= 512
            assert messages(seen)[0].topic == "small" and client.dropped == 0
            if qos:
                assert (await broker.expect(PUBACK if qos == 1 else PUBREC)).pid == 9

        play(scenario)


def test_a_large_message_that_nobody_wants_is_drained_and_counted():
    async def scenario(broker, client, seen):
        await broker.send(publish("big", bytes(5000), 1, 9))
        assert (await broker.expect(PUBACK)).pid == 9
        await broker.send(publish("t" * 3000, bytes(5000), 2, 0x1234) + publish("small", b"x"))
        assert (await broker.expect(PUBREC)).pid == 0x1234
        await until(lambda: messages(seen))
        assert client.dropped == 2 and client.connected and not raised(seen)

    play(scenario)


def test_a_large_qos_2_message_broken_off_is_told_and_given_again():
    payload = bytes(3000)
    sinks = []

    async def scenario(broker, client, seen):
        client.on_large = lambda *args: sinks.append(Sink()) or sinks[-1]
        await broker.send(publish("big", payload, 2, 9)[:1500])
        await until(lambda: sinks and sinks[0].data)
        broker.present = 1
        broker.drop()
        await until(lambda: client.connects == 2)
        assert sinks[0].finished is False
        await broker.send(publish("big", payload, 2, 9, dup=True))
        assert (await broker.expect(PUBCOMP)).pid == 9
        assert sinks[1].finished is True and sinks[1].data == payload
        await broker.send(publish("big", payload, 2, 10) + publish("big", payload, 2, 10, dup=True))
        await broker.expect(PUBCOMP)
        assert len(sinks) in (3, 4)

    play(scenario, clean_session=False)


def test_a_sink_that_fails_does_not_end_the_link():
    class Full(Sink):
        def write(self, view):
            raise OSError("no space")

    sink = Full()

    async def scenario(broker, client, seen):
        loop = asyncio.get_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        client.on_large = lambda *args: sink
        await broker.send(publish("big", bytes(2000), 1, 9))
        assert (await broker.expect(PUBACK)).pid == 9
        assert sink.finished is False and client.connected
        loop.set_exception_handler(None)

    play(scenario)


def chunks(count, size):
    for i in range(count):
        yield bytes((i & 255,)) * size


def test_a_payload_from_a_generator():
    want = b"".join(chunks(50, 100))

    async def scenario(broker, client, seen):
        for qos in (0, 1, 2):
            await client.publish("g", chunks(50, 100), qos, length=5000)
            packet = await broker.expect(PUBLISH)
            assert packet.payload == want and packet.qos == qos
        await client.publish("g", chunks(50, 100), 1, length=4950)  # more than its length: cut
        assert (await broker.expect(PUBLISH)).payload == want[:4950]
        await client.publish("g", chunks(0, 1), 1, length=0)
        assert (await broker.expect(PUBLISH)).payload == b""

    play(scenario)


def test_a_payload_shorter_than_its_length_ends_the_link_not_the_client():
    async def scenario(broker, client, seen):
        for qos in (0, 1, 2):
            fault = await outcome(ValueError, client.publish("g", chunks(5, 100), qos, length=600))
            assert "100" in str(fault)
            await until(lambda: client.connected and client.connects == qos + 2)  # noqa: B023
            await client.publish("t", b"x", 1)
        assert not client.session.order

    play(scenario)


def test_a_file_is_sent_again_and_a_generator_is_not():
    async def scenario(broker, client, seen):
        broker.mute = {PUBLISH}
        file = io.BytesIO(b"skip" + b"x" * 2000)
        file.read(4)
        task = start(client.publish("f", file, 1, length=2000))
        await broker.expect(PUBLISH)
        broker.present = 1
        broker.drop()
        again = await broker.expect(PUBLISH)
        assert again.dup and again.payload == b"x" * 2000
        await broker.send(ack(PUBACK, again.pid))
        await task
        task = start(outcome(OSError, client.publish("g", chunks(20, 100), 2, length=2000)))
        await broker.expect(PUBLISH)
        broker.drop()
        assert "iterator" in str(await asyncio.wait_for(task, 5))
        broker.mute = set()
        await client.publish("t", b"x", 2)

    play(scenario, clean_session=False)


def test_others_wait_while_a_large_message_leaves():
    async def scenario(broker, client, seen):
        tasks = [start(client.publish("g", chunks(100, 100), 1, length=10000))]
        tasks += [start(client.publish("t", b"x", qos)) for qos in (0, 1, 2)]
        for task in tasks:
            await task
        assert broker.count(PUBLISH) == 4 and not raised(seen)

    play(scenario)
