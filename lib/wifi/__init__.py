"""WiFi of a node: station, own access point, or both, for years. See docs/wifi.md.

    manager = wifi.Manager(cfg["wifi"], device_id, network)
    asyncio.create_task(manager.run())

`manager.py` holds the clockwork, `table.py` the states and events; `requests`, `station`, `accesspoint`, `memory` and
`gateway` are the hands. All but the manager are loaded for a call and let go again: a node needs them a few times a
day, and its RAM all the time.
"""

from .manager import Manager  # noqa: F401
