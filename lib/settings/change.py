"""Changes to settings from a form or a message: a partial object over the current ones.

Secrets: one that is absent, empty or `MARK` keeps its value, null clears it. Lists are replaced whole; an entry of
`wifi.networks` keeps the key of the entry with the same SSID. This is done beside a page that is up, in a heap that is
full: only sections that change are copied and checked, and modules go as soon as they have done their part.
"""

from . import release, schema


def patch(settings: dict, changes) -> tuple:
    """`(merged, faults)`: `changes`, an object with only what is to change, over `settings`; neither is changed.

    null puts a field back to its default. Names that are not known are faults here. With faults, do not use `merged`.
    Sections that stay are those of `settings` themselves.
    """
    faults: list = []
    if not isinstance(changes, dict):
        from .faults import shown

        return settings, ["settings: %s is not an object, wanted sections in {}" % shown(changes)]
    merged = dict(settings)
    unknown: list = []
    _sections(merged, settings, changes, faults, unknown)
    release("rules checks faults extra")
    if not faults:
        from .together import check_together

        check_together(merged, faults)
        del check_together
        release("together ssid faults checks")
    return merged, faults + unknown


def _sections(merged: dict, settings: dict, changes: dict, faults: list, unknown: list) -> None:
    from .rules import section

    for name, new in changes.items():
        if name in settings:
            old = settings[name]
            if isinstance(new, dict) and isinstance(old, dict):
                new = _over(name, old, new)
            merged[name] = section(name, new, faults, unknown)
        elif name != "schema":
            from .faults import unknown as line

            unknown.append(line("", name))


def _over(section: str, old: dict, new: dict) -> dict:
    merged = dict(old)
    merged.update(new)
    for name in merged:
        row = schema.row_of(section, name)
        if " secret" in row and _keeps(new, name):
            merged[name] = old.get(name)
        elif "| list " in row and name in new:
            merged[name] = _entries(name[:-1], old[name], new[name])
    return merged


def _keeps(new: dict, name: str) -> bool:
    return name not in new or new[name] in ("", "********")  # checks.MARK


def _entries(item: str, old: list, new):
    """The new entries, each with the secrets of the old entry of the same identity (SSID) where it brings none."""
    if item != "network" or not isinstance(new, list):
        return new
    return [_with_key(old, entry) if isinstance(entry, dict) else entry for entry in new]


def _with_key(old: list, new: dict) -> dict:
    """A network with the key that is known, where it brings none."""
    for entry in old:
        if _keeps(new, "key") and _ssid(entry) == _ssid(new):
            new = dict(new)
            new["key"] = entry.get("key")
    return new


def _ssid(network: dict) -> tuple:
    return network.get("ssid") or "", network.get("ssid_hex") or ""
