"""Settings objects against the table in schema.py: every fault found and said at once.

checks.py judges a value, initial.py has what is not given; faults.py, extra.py and together.py are loaded when there is
a need for them.
"""

from . import initial, schema
from .checks import check


def section(name: str, raw, faults: list, notes: list):
    """One section made whole: every field checked, defaults put in. What is that already is returned as it is."""
    made: "dict | list" = []
    whole = schema.find(name)
    if whole is None:
        made = _object(name, {} if raw is None else raw, name, faults, notes)
    elif raw is not None:
        made = _value(whole, raw, name, [], faults, notes)
    return raw if made == raw else made


def _object(item: str, raw, dotted: str, faults: list, notes: list) -> dict:
    """A section or list entry; unknown keys are noted."""
    clean = initial.of(item)
    if not isinstance(raw, dict):
        from .faults import shown

        faults.append("%s: %s is not an object, wanted names and values in {}" % (dotted, shown(raw)))
        raw = {}
    known = 0
    for row in schema.rows(item):
        name = row[: row.find("|")].strip()
        known += name in raw
        value = raw.get(name)
        if value is not None and value != "":
            value = _value(schema.Field(item, row), value, dotted + "." + name, clean.get(name), faults, notes)
            if value is not None:
                clean[name] = value
        elif row.endswith(" must"):
            from .faults import wanted

            faults.append("%s.%s: missing, wanted %s" % (dotted, name, wanted(schema.Field(item, row))))
    clean = dict(**clean)  # MicroPython: the table's names become interned strings, shared with the code
    if known < len(raw):
        from .extra import add_further

        add_further(item, raw, dotted, clean, faults, notes)
    return clean


def _value(field, value, dotted: str, default, faults: list, notes: list):
    """One value, checked; `default` where it is at fault."""
    wrong = check(field, value)
    if wrong:
        from .faults import fault

        faults.append(fault(field, dotted, value, wrong))
        return default
    if field.kind != "list":
        return value
    item = field.item
    return [_object(item, v, "%s.%d" % (dotted, i), faults, notes) for i, v in enumerate(value)]


def validate(raw, notes: "list | None" = None) -> tuple:
    """Check a settings object: `(clean, faults)`.

    `clean` has every section and field of the table (optional ones only if set), with the default where nothing, null
    or "" was given or the value is at fault: use it only if `faults`, a list of lines, is empty. Names that the table
    does not know are left out of `clean` and go to `notes`. Sections that need no change are in `clean` as they are.
    """
    faults: list = []
    notes = [] if notes is None else notes
    clean: dict = {}
    if not isinstance(raw, dict):
        from .faults import shown

        faults.append("settings: %s is not an object, wanted sections in {}" % shown(raw))
        raw = {}
    for name in initial.sections():
        clean[name] = section(name, raw.get(name), faults, notes)
    for key in raw:
        if key not in clean and key != "schema":
            from .faults import unknown

            notes.append(unknown("", key))
    if not faults:
        from .together import check_together

        check_together(clean, faults)
    return dict(**clean), faults


def defaults() -> dict:
    """Settings of a new node."""
    return validate({})[0]
