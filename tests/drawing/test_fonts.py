"""Fonts for labels in any script."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizer.drawing import fonts


@pytest.mark.parametrize("text", ["é", "ß", "ł", "Ж", "Ω", "–"])
def test_letters_beyond_ascii_are_drawn(text: str) -> None:
    assert fonts.has_letters(fonts.font_for(text, 20), text)


def test_letters_that_the_usual_font_lacks_come_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = fonts.usual_font(20)
    assert not fonts.has_letters(usual, "日本")
    every_letter = Path(fonts.dejavu_path()).with_name("LastResortHE-Regular.ttf")
    monkeypatch.setattr(fonts, "FALLBACK_FONTS", ("no such font.ttf", str(every_letter)))
    fonts.font_for.cache_clear()
    try:
        assert fonts.font_for("日本", 20).path == str(every_letter)
        assert fonts.font_for("jogging", 20) is usual
    finally:
        fonts.font_for.cache_clear()
