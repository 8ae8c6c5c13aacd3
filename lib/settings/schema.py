"""The one table of all settings, and `Field`, one parsed row of it.

Validation (rules.py), storing (store.py), changes from forms and messages (change.py) and docs/settings.md all come
from this table; its words for people are in help_en.py and help_zh.py.

The table is one text on purpose: a text constant of an .mpy file in ROMFS is used where it lies in flash, while the
same rows as tuples take 16 KB of heap on a 64-bit VM. Rows are parsed one at a time and dropped after use.

A row:  name | kind | limits | unit | default | flags
  kind    text, int, number, bool, choice, ipv4, key (WPA), host, hostname, topic, hex, pin,
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
ap_key        | key         |         |     |              | secret
ap_open       | bool        |         |     | no           |
ap_channel    | int         | 1..13   |     | 6            |
ap_address    | ipv4        |         |     | 192.168.4.1  |
[network] item
ssid          | text        | 1..32   |     |              |
ssid_hex      | hex         | 2..64   |     |              |
key           | key         |         |     |              | secret
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
    """One row, its attributes set in __init__.

    `low` and `high` are None where the kind has no range. `optional`: absent from loaded settings until it is set.
    `platforms` is None (always used) or {cloud.platform: is it wanted?}.
    """

    def __init__(self, section: str, row: str):
        name, kind, limits, unit, default, flags = [cell.strip() for cell in row.split("|")]
        self.section = section
        self.name = name
        self.dotted = section + "." + name if name else section
        self.kind = kind
        self.item = ""
        if kind.startswith("list "):
            self.kind, self.item = kind.split(" ")
        self.choices = limits.split(",") if kind == "choice" else ()
        self.low = self.high = None
        if ".." in limits:
            low, high = limits.split("..")
            self.low, self.high = int(low), int(high)
        self.unit = unit
        self._default = default
        words = flags.split()
        self.secret = "secret" in words
        self.must = "must" in words
        self.optional = not (default or self.must or kind == "bool" or self.item)
        self.platforms = None
        for word in words:
            if word.startswith("for="):
                self.platforms = {}
                for platform in word[4:].split(","):
                    self.platforms[platform.rstrip("*")] = platform.endswith("*")

    @property
    def default(self):
        """The value when nothing is set: text, number, bool, a new empty list, or None if there is none."""
        if self.kind == "list":
            return []
        if self.kind == "bool":
            return self._default == "yes"
        if not self._default:
            return None
        return int(self._default) if self.kind == "int" else self._default


def _lines(start: int = 0):
    """The lines of TABLE from there on, one at a time."""
    while start < len(TABLE):
        end = TABLE.find("\n", start)
        yield TABLE[start:end]
        start = end + 1


def _rows(section: str):
    """The heading of a section or item, then its rows."""
    start = TABLE.find("[" + section + "]")
    if start < 0:
        raise KeyError(section)
    heading = True
    for line in _lines(start):
        if line.startswith("[") and not heading:
            return
        yield line
        heading = False


def sections(items: bool = False):
    """Names of the sections of the file in order; with `items` those of the list entries instead."""
    for line in _lines():
        if line.startswith("[") and (" item" in line) == items:
            yield line[1 : line.find("]")]


def is_open(section: str) -> bool:
    """May entries of this section have keys beyond the table's?"""
    return next(_rows(section)).endswith(" open")


def fields(section: str = ""):
    """The fields of one section or item, or (with no name) of all sections of the file, items left out."""
    for name in [section] if section else sections():
        for line in _rows(name):
            if not line.startswith("["):
                yield Field(name, line)


def find(section: str, name: str = "") -> "Field | None":
    """The field of that section or item and name, or None. Without a name: the section, if it is a list."""
    for line in _rows(section):
        if not line.startswith("[") and line[: line.find("|")].strip() == name:
            return Field(section, line)
    return None
