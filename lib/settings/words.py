"""Labels and help texts of the fields, by language; help_en.py and help_zh.py have them. For forms and docs."""


def help_of(field, language: str = "en") -> tuple:
    """`(label, help)` of a `schema.Field`; help may be "". `language`: "en" or "zh", else "en". KeyError: no text."""
    return section_help(field.dotted, language)


def section_help(name: str, language: str = "en") -> tuple:
    """`(title, help)` of a section, list entry or dotted name."""
    if language == "zh":
        from .help_zh import TEXT
    else:
        from .help_en import TEXT
    start = TEXT.find("\n" + name + " | ")
    if start < 0:
        raise KeyError(name)
    end = TEXT.find("\n", start + 1)
    parts = [part.strip() for part in TEXT[start:end].split("|")]
    return parts[1], parts[2]
