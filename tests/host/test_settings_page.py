"""docs/settings.md is what the table makes; the example settings in config/ are valid and complete."""

from __future__ import annotations

from pathlib import Path

import pytest
import settings

from tools import settings_page

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "config").glob("*.json"))


def test_the_page_is_current() -> None:
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), "python -m tools.settings_page"


def test_check_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings_page.main(["--check"]) == 0
    monkeypatch.setattr(settings_page, "ROOT", tmp_path)
    monkeypatch.setattr(settings_page, "PAGE", tmp_path / "docs" / "settings.md")
    assert settings_page.main([]) == 0 and settings_page.main(["--check"]) == 0
    settings_page.PAGE.write_text("old", encoding="utf-8")
    assert settings_page.main(["--check"]) == 1


def test_the_page_names_every_field() -> None:
    text = settings_page.page()
    for section in [*settings.sections(), *settings.sections(items=True)]:
        for field in settings.fields(section):
            assert f"`{field.name or section}`" in text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid(path: Path) -> None:
    notes: list[str] = []
    clean, faults = settings.validate(settings.parse_json(path.read_bytes()), notes)
    assert not faults and not notes
    if path.stem != "default":
        assert clean != settings.defaults()


def test_there_is_an_example_for_every_platform() -> None:
    platforms = {settings.validate(settings.parse_json(p.read_bytes()))[0]["cloud"]["platform"] for p in EXAMPLES}
    field = settings.find("cloud", "platform")
    assert field is not None
    assert platforms == set(field.choices)
