"""Every edge of the WiFi manager's table, reached by what happens in the air, by phones and by requests."""

from wifi import table
from wifi_world import HOME, KEY, World, settings


def rows():
    return [line.split(" ") for line in table.TABLE.strip().split("\n")]


def test_rows_have_four_words_and_no_edge_is_there_twice():
    seen = []
    for row in rows():
        assert len(row) == 4, row
        assert row[:2] not in seen, row
        seen.append(row[:2])


def test_every_state_that_is_entered_exists():
    left = [row[0] for row in rows()]
    for row in rows():
        assert row[2] in left, row


def test_an_event_without_a_row_changes_nothing():
    w = World()
    w.until_online()
    for event in ("start", "due", "address", "failed", "client", "no_client", "settled", "close", "nonsense", "u"):
        assert not w.node.fire(event)
        assert w.node.state == "up" and w.node.ap_state == "ap_off"


# -- scenarios: each starts a node, makes edges happen and says what must be true then


def starts_and_gets_an_address():
    w = World()
    assert w.node.state == "off"
    assert w.until_online() < 8
    assert w.radio.hostname == "porch" and w.node.reason is None
    return w


def lost_and_found():
    w = starts_and_gets_an_address()
    w.router(False)
    w.run(12)
    assert w.node.state == "connecting" and w.node.reason in ("lost", "no_network")
    w.run(40)
    assert w.node.reason == "no_network"
    w.router(True)
    w.until_online(15)
    return w


def dead_link_is_taken_down_and_up():
    w = starts_and_gets_an_address()
    w.node.report_online(True)
    w.run(5)
    w.gateway_answers = False
    for _ in range(5):
        w.node.report_online(False)
        w.run(10)
    assert ("up", "dead") in w.edges
    w.until_online()
    return w


def fallback_ap_and_a_phone():
    w = World(router=False)
    w.run(200)
    assert w.node.ap_state == "ap_on"
    w.phone_joins()
    assert w.node.state == "held"
    attempts = w.radio.attempts
    w.run(600)
    assert w.radio.attempts == attempts and w.node.state == "held"
    w.home = w.air.add(HOME, KEY)
    w.phone_leaves()
    w.until_online(30)
    w.run(120)
    assert w.node.ap_state == "ap_off"
    return w


def phone_joins_while_waiting():
    w = World(router=False)
    w.run(400, lambda: w.node.ap_state == "ap_on" and w.node.state == "waiting")
    assert w.radio.join(b"phone2", *w.node.ap_credentials())
    w.run(3)
    assert w.node.state == "held"
    return w


def phone_joins_while_connecting():
    w = World()
    w.air.change(w.home, dhcp=False)  # the station waits for an address, on a steady channel
    w.run(400, lambda: w.node.ap_state == "ap_on" and w.node.state == "connecting" and w.radio.point)
    w.run(1)
    assert w.radio.join(b"phone2", *w.node.ap_credentials())
    w.run(2)
    assert w.node.state == "held" and w.node.reason == "no_address"
    return w


def retry_from_the_page():
    w = phone_joins_while_waiting()
    w.home = w.air.add(HOME, KEY)
    w.node.retry()
    assert w.node.state == "connecting"
    w.until_online()
    return w


def retry_while_waiting():
    w = World(router=False)
    w.run(300, lambda: w.node.state == "waiting" and w.node._due > 3000)
    w.node.retry()
    assert w.node.state == "connecting"
    return w


def candidate_in_state(state):
    def scenario():
        w = World(settings(mode="ap")) if state == "off" else World(router=False)
        if state == "held":
            w = phone_joins_while_waiting()
        elif state == "up":
            w = starts_and_gets_an_address()
        w.air.add("new", "new network's key")
        w.run(300, lambda: w.node.state == state)
        assert w.node.state == state
        w.node.start_trial({"ssid": "new", "key": "new network's key"})
        w.run(60, lambda: w.node.trial)
        assert w.node.trial == "ok" and w.node.state == "trial"
        return w

    return scenario


def candidate_fails():
    w = starts_and_gets_an_address()
    w.node.start_trial({"ssid": HOME, "key": "wrong wrong"})
    w.run(60, lambda: w.node.trial)
    assert w.node.trial == "wrong_key"
    w.until_online(20)
    assert w.radio.store.key == KEY.encode()
    return w


def candidate_dropped_while_tried():
    w = starts_and_gets_an_address()
    w.node.start_trial({"ssid": "nowhere", "key": KEY})
    w.node.fire("drop")
    assert w.node.trial == "dropped"
    w.until_online(20)
    return w


def candidate_kept():
    w = candidate_in_state("up")()
    w.node.apply(settings(("new", "new network's key"), HOME))
    assert w.node.state == "up"
    w.run(300)
    assert w.node.state == "up" and w.radio.store.ssid == b"new"
    return w


def candidate_forgotten():
    w = candidate_in_state("up")()
    w.run(130)
    w.until_online(20)
    assert w.radio.store.ssid == HOME.encode() and ("trial", "due") in w.edges
    return w


def candidate_dropped():
    w = candidate_in_state("up")()
    w.node.fire("drop")
    w.until_online(20)
    assert w.radio.store.ssid == HOME.encode()
    return w


def candidate_lost():
    w = candidate_in_state("up")()
    w.air.change(w.radio.point, up=False)
    w.run(10)
    w.until_online(20)
    assert w.radio.store.ssid == HOME.encode()
    return w


def candidate_after_candidate():
    w = candidate_in_state("up")()
    w.node.start_trial({"ssid": "nowhere", "key": KEY})
    w.run(60, lambda: w.node.trial)
    assert w.node.trial == "no_network"
    return w


def other_settings_during_a_trial():
    w = candidate_in_state("up")()
    w.node.apply(settings(HOME))
    w.until_online(20)
    assert w.radio.store.ssid == HOME.encode() and w.node.state == "up"
    return w


def candidate_while_connecting():
    w = World(router=False)
    w.run(30, lambda: w.node.state == "connecting")
    w.node.start_trial({"ssid": "nowhere", "key": KEY})
    assert w.node.state == "trying"
    return w


def new_settings_in_state(state):
    def scenario():
        w = starts_and_gets_an_address() if state == "up" else World(router=False)
        w.run(300, lambda: w.node.state == state)
        w.air.add("other", KEY)
        w.node.apply(settings("other"))
        w.until_online()
        assert w.radio.store.ssid == b"other"
        return w

    return scenario


def mode_becomes_ap_in_state(state):
    def scenario():
        if state == "held":
            w = phone_joins_while_waiting()
        elif state == "up":
            w = starts_and_gets_an_address()
        else:
            w = World(router=False)
            w.run(300, lambda: w.node.state == state)
        if state == "up":
            w.node.apply(settings(HOME, mode="ap"))  # the network stays in the settings: `keep`, then `halt`
        else:  # the settings object changes in place: apply() itself would go through `changed`
            w.cfg["mode"] = "ap"
        w.run(3)
        assert w.node.state == "off" and w.node.ap_state == "ap_on" and w.radio.status() == 0
        return w

    return scenario


def modes_with_an_ap():
    w = World(settings(HOME, mode="ap+sta"))
    w.until_online()
    w.run(300)
    assert w.node.ap_state == "ap_on" and w.node.state == "up"
    w.node.apply(settings(HOME, mode="sta"))
    w.run(3)
    assert w.node.ap_state == "ap_off" and w.node.state == "up"
    return w


def button_opens_and_closes_the_ap():
    w = starts_and_gets_an_address()
    w.node.open_ap(600)
    assert w.node.ap_state == "ap_on"
    w.run(590)
    assert w.node.ap_state == "ap_on"
    w.node.fire("close")
    assert w.node.ap_state == "ap_off"
    return w


def scenarios():
    waiting, connecting, up, held = "waiting", "connecting", "up", "held"
    return [
        starts_and_gets_an_address,
        lost_and_found,
        dead_link_is_taken_down_and_up,
        fallback_ap_and_a_phone,
        phone_joins_while_waiting,
        phone_joins_while_connecting,
        retry_from_the_page,
        retry_while_waiting,
        candidate_fails,
        candidate_dropped_while_tried,
        candidate_kept,
        candidate_forgotten,
        candidate_dropped,
        candidate_lost,
        candidate_after_candidate,
        other_settings_during_a_trial,
        candidate_while_connecting,
        modes_with_an_ap,
        button_opens_and_closes_the_ap,
    ] + (
        [candidate_in_state(s) for s in ("off", waiting, held, up)]
        + [new_settings_in_state(s) for s in (waiting, connecting, up)]
        + [mode_becomes_ap_in_state(s) for s in (waiting, connecting, held, up)]
    )


def test_every_edge_of_the_table_happens_in_a_scenario():
    seen = []
    for scenario in scenarios():
        for edge in scenario().edges:
            if edge not in seen:
                seen.append(edge)
    missing = [row[:2] for row in rows() if (row[0], row[1]) not in seen]
    assert not missing, missing
