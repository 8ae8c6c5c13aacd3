"""The form: which settings the page asks for. All rules come from the settings schema.

page.py draws the fields, answers.py reads what comes back. Names in the form are "section.name" as in the schema; of
the lists `wifi.networks` and `mqtt.brokers` the page edits one entry, named as the items `network` and `broker` are.
A secret that is left empty is kept; its box "NAME.clear" removes it.
"""

import settings

# In the order of the page.
_SHOWN = (
    ("cloud", " platform "),
    ("broker", " host port tls "),
    ("mqtt", " user password "),
    ("cloud", " edition product device secret region instance method expiry fields tls "),
    ("device", " name web password "),
)
# Platforms that want a broker address typed in, and those that log in with user and password.
_HOST = "plain homeassistant thingsboard azure aws emqx hivemq"
_LOGIN = "plain homeassistant thingspeak emqx hivemq"

# Fields whose help is worth its bytes on a page of 4 kB.
_HINTS = "broker.port broker.tls cloud.product cloud.device cloud.secret cloud.instance device.web"


def fields():
    """The schema's fields that the page asks for, in order; the network is drawn apart (page.py)."""
    for section, names in _SHOWN:
        for field in settings.fields(section):
            if " " + field.name + " " in names:
                yield field


def field(section: str, name: str):
    """One field of the schema."""
    for found in settings.fields(section):
        if found.name == name:
            return found
    raise KeyError(name)


def label(lang: str, dotted: str) -> tuple:
    """(label, help) of a section or field by its dotted name; the name itself if it has no words."""
    try:
        title, hint = settings.section_help(dotted, lang)
        return title.rstrip(" |"), hint if dotted in _HINTS else ""
    except KeyError:
        return dotted, ""


def platforms(field) -> str:
    """The cloud platforms that use this field, with spaces between; "" if all do."""
    if field.section == "broker":
        return _HOST
    if field.section == "mqtt":
        return _LOGIN
    return " ".join(sorted(field.platforms)) if field.platforms else ""


def value(current: dict, field) -> object:
    """The value of `field` in the settings: of a broker the first one's. May be a secret: never to be shown then."""
    if field.section == "broker":
        brokers = current["mqtt"]["brokers"]
        found = brokers[0].get(field.name) if brokers else None
    else:
        found = current[field.section].get(field.name)
    return field.default if found is None else found
