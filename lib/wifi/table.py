"""The state machine of the WiFi manager: one row per edge, `state event next-state action`.

There are two regions, which always are in one state each: the station (`off` … `trial`) and our own access point
(`ap_off`, `ap_on`). What is not in the table does not happen: an event without a row is ignored in that state. The
action is a function of this package, called with the manager after the state was set. docs/wifi.md explains the words.

The table is one string, because a constant string in ROMFS costs no RAM.
"""

TABLE = """
off start waiting station.ready
off try trying station.join_candidate
waiting due connecting station.join_next
waiting retry connecting station.join_next
waiting client held station.rest
waiting try trying station.join_candidate
waiting changed waiting station.ready
waiting halt off station.rest
connecting address up station.arrived
connecting failed waiting station.back_off
connecting client held station.rest
connecting try trying station.join_candidate
connecting changed waiting station.ready
connecting halt off station.rest
held no_client waiting station.ready
held retry connecting station.join_next
held try trying station.join_candidate
held halt off station.rest
up lost connecting station.lost
up dead connecting station.relink
up try trying station.join_candidate
up changed waiting station.ready
up halt off station.rest
trying address trial station.candidate_works
trying failed waiting station.candidate_failed
trying drop waiting station.drop_candidate
trial keep up station.arrived
trial try trying station.join_candidate
trial lost waiting station.drop_candidate
trial drop waiting station.drop_candidate
trial due waiting station.drop_candidate
trial changed waiting station.ready
ap_off wanted ap_on accesspoint.up
ap_off outage ap_on accesspoint.up
ap_off open ap_on accesspoint.up
ap_on settled ap_off accesspoint.down
ap_on unwanted ap_off accesspoint.down
ap_on close ap_off accesspoint.down
"""


def edge(_manager, state: str, event: str) -> "tuple | None":
    """`(next_state, action)` of a row, or None where the event means nothing."""
    start = TABLE.find("\n%s %s " % (state, event))
    if start < 0:
        return None
    row = TABLE[start + 1 : TABLE.find("\n", start + 1)].split(" ")
    return row[2], row[3]
