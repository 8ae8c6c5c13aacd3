"""The one table of all settings, and `Field`, one parsed row of it.

Validation (rules.py), storing (store.py), changes from forms and messages (change.py) and docs/settings.md all come
from this table; its words for people are in help_en.py and help_zh.py.

The table is one text on purpose: a text constant of an .mpy file in ROMFS is used where it lies in flash, while the
same rows as tuples take 16 KB of heap on a 64-bit VM. Rows are parsed one at a time and dropped after use.

A row:  name | kind | limits | unit | default | flags
  kind    text, int, number, bool, choice, ipv4, key (WPA; 64: hex digits), host, hostname, topic, hex, pin,
          or `list ITEM`, ITEM being a section below
  limits  low..high (text: bytes of UTF-8; hex: digits; list: entries) or the choices
  default yes or no for bool; empty: nothing, and then the field is absent from loaded settings until it is set
  flags   secret: never shown. must: an entry without it is refused.
          for=A,B*: only used when cloud.platform is A or B, and wanted for B
A section line may end in `item` (an entry of a list, not a section of the file) and `open` (further keys are allowed).
A row without a name makes the section itself that value (`sensors` is a list).
"""

VERSION = 1  # of the table; a step up comes with a function in migrate.STEPS

TABLE = """\
[device]
name          | text        | 1..32   |     |              |
location      | text        | 1..64   |     |              |
board         | choice      | nodemcu,d1_mini,esp01,generic | | nodemcu |
led           | pin         |         |     |              |
button        | pin         |         |     |              |
web           | bool        |         |     | no           |
web_port      | int         | 1..65535 |    |              |
password      | text        | 8..64   |     |              | secret
command_key   | text        | 8..64   |     |              | secret
[wifi]
mode          | choice      | auto,sta,ap,ap+sta |  | auto  |
networks      | list network | 0..8   |     |              |
hostname      | hostname    | 1..32   |     |              |
country       | text        | 2..2    |     |              |
tx_power      | int         | 0..20   | dBm |              |
fallback_after | int        | 10..3600 | s  | 180          |
ap_ssid       | text        | 1..32   |     |              |
ap_key        | key         | 8..63   |     |              | secret
ap_open       | bool        |         |     | no           |
ap_channel    | int         | 1..13   |     | 6            |
ap_address    | ipv4        |         |     | 192.168.4.1  |
[network] item
ssid          | text        | 1..32   |     |              |
ssid_hex      | hex         | 2..64   |     |              |
key           | key         | 8..64   |     |              | secret
hidden        | bool        |         |     | no           |
ip            | ipv4        |         |     |              |
mask          | ipv4        |         |     |              |
gateway       | ipv4        |         |     |              |
dns           | ipv4        |         |     |              |
[mqtt]
brokers       | list broker | 0..4    |     |              |
client_id     | text        | 1..128  |     |              |
user          | text        | 1..128  |     |              |
password      | text        | 1..256  |     |              | secret
keepalive     | int         | 10..1200 | s  | 60           |
qos           | int         | 0..2    |     | 1            |
base_topic    | topic       | 1..128  |     |              |
availability  | bool        |         |     | yes          |
retain        | bool        |         |     | yes          |
clean_session | bool        |         |     | yes          |
format        | choice      | json,topics |  | json       |
discovery     | bool        |         |     | no           |
discovery_prefix | topic    | 1..64   |     | homeassistant |
[broker] item
host          | host        | 1..128  |     |              | must
port          | int         | 1..65535 |    |              |
tls           | bool        |         |     | no           |
[cloud]
platform      | choice      | plain,homeassistant,aliyun,tencent,onenet,thingsboard,adafruitio,\
thingspeak,azure,aws,emqx,hivemq | | plain |
edition       | choice      | hub,legacy |  |              | for=tencent,onenet
product       | text        | 1..128  |     |              | for=aliyun*,tencent*,onenet*,azure*,thingspeak*
device        | text        | 1..128  |     |              | for=aliyun*,tencent*,onenet*,azure*,aws*,adafruitio
secret        | text        | 1..256  |     |              | secret for=aliyun*,tencent*,onenet*,azure*,\
thingsboard*,adafruitio*
region        | text        | 1..32   |     |              | for=aliyun,tencent
instance      | text        | 1..64   |     |              | for=aliyun
method        | choice      | hmacsha256,hmacsha1,sha256,sha1 | | | for=aliyun,tencent,onenet
expiry        | int         | 60..31536000 | s |          | for=tencent,onenet,azure
fields        | text        | 1..255  |     |              | for=thingspeak
tls           | bool        |         |     | no           | for=aliyun,tencent,onenet,thingsboard,adafruitio,thingspeak
[sensors]
              | list sensor | 0..16   |     |              |
[sensor] item open
type          | text        | 1..24   |     |              | must
name          | text        | 1..32   |     |              |
pin           | pin         |         |     |              |
period        | number      | 0..86400 | s  |              |
[outputs]
              | list output | 0..8    |     |              |
[output] item
name          | text        | 1..32   |     |              | must
pin           | pin         |         |     |              | must
inverted      | bool        |         |     | no           |
start         | choice      | off,on,last | | off          |
[telemetry]
period        | int         | 1..86400 | s  | 60           |
queue_bytes   | int         | 256..8192 | B | 2048         |
drop          | choice      | oldest,newest | | oldest     |
spill         | bool        |         |     | no           |
health        | bool        |         |     | yes          |
[power]
deep_sleep    | bool        |         |     | no           |
period        | int         | 10..86400 | s | 300          |
listen_every  | int         | 0..1000 | wakes | 12         |
awake_max     | int         | 5..300  | s   | 30           |
[time]
ntp_host      | host        | 1..128  |     | pool.ntp.org |
[log]
level         | choice      | debug,info,warning,error | | info |
mqtt          | choice      | off,debug,info,warning,error | | off |
"""


class Field:
    """One row: section, name, kind, item (of a list), low and high (None where the kind has no range).

    More, worked out of the row when asked for:
    dotted     `section.name`
    choices    tuple of texts
    unit       text
    default    the value when nothing is set: text, number, bool, a new empty list, or None if there is none
    secret, must, optional (absent from loaded settings until it is set): bool
    platforms  None (always used) or {cloud.platform: is it wanted?}
    """

    def __init__(self, section: str, row: str):
        cells = row.split("|")
        self.section = section
        self.name = cells[0].strip()
        self.kind = cells[1].strip()
        self.item = ""
        if self.kind.startswith("list "):
            self.kind, self.item = self.kind.split(" ")
        self.low = self.high = None
        limits = cells[2].strip().split("..")
        if len(limits) == 2:
            self.low, self.high = int(limits[0]), int(limits[1])
        self._row = row

    def __getattr__(self, name: str):
        if name == "dotted":
            return self.section + "." + self.name if self.name else self.section
        cells = [cell.strip() for cell in self._row.split("|")]
        if name == "unit":
            return cells[3]
        if name == "choices":
            return tuple(cells[2].split(",")) if self.kind == "choice" else ()
        flags = cells[5].split()
        if name in ("secret", "must"):
            return name in flags
        if name == "optional":
            return not (cells[4] or "must" in flags or self.kind == "bool" or self.item)
        if name == "default":
            if self.kind in ("list", "bool"):
                return [] if self.kind == "list" else cells[4] == "yes"
            return int(cells[4]) if self.kind == "int" and cells[4] else cells[4] or None
        if name == "platforms":
            for flag in flags:
                if flag.startswith("for="):
                    return {platform.rstrip("*"): platform.endswith("*") for platform in flag[4:].split(",")}
            return None
        raise AttributeError(name)


def rows(section: str):
    """The rows of a section or item, as text. KeyError: there is none."""
    at = TABLE.find("[%s]" % section)
    if at < 0:
        raise KeyError(section)
    at = TABLE.find("\n", at) + 1
    while at < len(TABLE):
        end = TABLE.find("\n", at)
        row = TABLE[at:end]
        if row.startswith("["):
            return
        yield row
        at = end + 1


def row_of(section: str, name: str = "") -> str:
    """The row of that section or item and name; "" if there is none."""
    start = TABLE.find("[%s]" % section)
    if start < 0:
        raise KeyError(section)
    end = TABLE.find("\n[", start)
    at = TABLE.find("\n%s " % name, start, len(TABLE) if end < 0 else end) + 1
    row = TABLE[at : TABLE.find("\n", at)] if at else ""
    return row if row[: row.find("|")].strip() == name else ""


def sections(items: bool = False):
    """Names of the sections of the file in order; with `items` those of the list entries instead."""
    at = 0
    while at >= 0:
        line = TABLE[at : TABLE.find("\n", at)]
        if (" item" in line) == items:
            yield line[1 : line.find("]")]
        at = TABLE.find("\n[", at) + 1 or -1


def is_open(section: str) -> bool:
    """May entries of this section have keys beyond the table's?"""
    return ("[%s] item open\n" % section) in TABLE


def fields(section: str = ""):
    """The fields of one section or item, or (with no name) of all sections of the file, items left out."""
    for name in [section] if section else sections():
        for row in rows(name):
            yield Field(name, row)


def find(section: str, name: str = "") -> "Field | None":
    """The field of that section or item and name, or None. Without a name: the section, if it is a list."""
    row = row_of(section, name) if isinstance(name, str) else ""
    return Field(section, row) if row else None
