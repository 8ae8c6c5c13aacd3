"""Writes docs/settings.md from the settings table: `python -m tools.settings_page`; --check: is it current?"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"

if str(ROOT / "lib") not in sys.path:
    sys.path.insert(0, str(ROOT / "lib"))

import settings  # noqa: E402  (lib/ is no installed package)

INTRO = """\
# Settings

<!-- Made from lib/settings by `python -m tools.settings_page`. Change the table or the texts there. -->

All settings of a node are one JSON object in `/settings.json` on the board: sections, and names and values in them.
Only what differs from the default need be there, so `{}` is a complete file. Examples are in [config/](../config).

- **Nothing is lost by a mistake.** A file that is torn, too large (more than 4096 bytes), from newer firmware or that
  has any fault is refused as a whole, with one line in the log for each fault, and the node runs on the last good
  settings (`/settings.last.json`), or on the defaults if there are none.
- **A name that is not in these tables** is named in the log, ignored, and gone after the next save. In a change by form
  or message it is a fault. In an entry of `sensors` further keys are allowed, because they belong to the driver: a name
  of at most 24 letters, digits and `_`, with a number, `true`, `false`, text of at most 64 bytes, or lists and objects
  of at most 16 of these, three deep.
- **Editing the file by hand**: a file that the node wrote has a checksum in its second line. Delete that line after
  editing. A file without it is checked at the next start and stored anew with that line, because a start with a file
  that was checked before needs less memory; the node then starts once more. A file with unknown names is kept as
  `/settings.last.json`, a refused one, if there are last good settings, as `/settings.refused.json`.
- **New settings are tried first.** What the page or a message changes is stored beside the current settings and
  replaces them once the node is online with it. If it is not, or restarts during the trial, the old settings stay and
  the reason is kept.
- **Secrets** are never shown, sent back or logged: `********` stands for one. In a change a secret that is absent,
  empty or `********` stays as it is; `null` clears it. A network's key also stays when an entry with the same SSID has
  none.
- `null` or an empty text means: not set. Lengths of texts are in bytes of UTF-8.
- In code, a field without a default is absent from the loaded settings until it is set: read it with `.get()`.
"""


def cell(text: str) -> str:
    """Text as it may stand in a table."""
    return text.replace("|", "\\|")


def default_text(field: settings.Field) -> str:
    """The default column."""
    value = field.default
    if value is None:
        return "wanted" if field.must else ""
    if isinstance(value, list):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def row(field: settings.Field) -> str:
    """One field."""
    label, text = settings.help_of(field, "en")
    chinese, _ = settings.help_of(field, "zh")
    wanted = settings.wanted(field)
    if field.item:
        wanted += f" [{field.item} entries](#{field.item})"
    notes = [f"**{label}** ({chinese}).", text]
    if field.secret:
        notes.append("*Secret.*")
    if field.platforms:
        names = [f"{name} (wanted)" if must else name for name, must in field.platforms.items()]
        notes.append("For " + ", ".join(names) + ".")
    name = field.name or field.section
    return f"| `{name}` | {cell(wanted)} | {default_text(field)} | {cell(' '.join(n for n in notes if n))} |"


def part(section: str, level: str) -> list[str]:
    """One section or kind of list entry, with a heading of `level`."""
    title, text = settings.section_help(section, "en")
    lines = [f"{level} {section}", "", text or title + ".", ""]
    lines += ["| name | takes | default | |", "|---|---|---|---|"]
    lines += [row(field) for field in settings.fields(section)]
    return [*lines, ""]


def page() -> str:
    """The whole page as Markdown."""
    lines = [INTRO]
    for section in settings.sections():
        lines += part(section, "##")
        for field in settings.fields(section):
            if field.item:
                lines += part(field.item, "###")
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """0: written, or with --check: current."""
    text = page()
    if "--check" not in arguments:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not current: python -m tools.settings_page", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
