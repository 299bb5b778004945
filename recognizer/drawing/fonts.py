"""Fonts for labels in any script."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PIL import ImageFont

FALLBACK_FONTS: Final = (
    "NotoSansCJK-Regular.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "arial.ttf",
)
"""Pillow searches the system's font folders for these; each has letters that the previous ones lack."""


@lru_cache(maxsize=64)
def usual_font(font_px: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans (Latin, Greek, Cyrillic, Arabic, …), or Pillow's own font if it is missing."""
    for name in (dejavu_path(), "DejaVuSans.ttf"):
        try:
            return ImageFont.truetype(name, font_px)
        except OSError:  # not on this system
            continue
    plain = ImageFont.load_default(font_px)
    if not isinstance(plain, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return plain


@lru_cache(maxsize=1)
def dejavu_path() -> str:
    """Return the path of DejaVu Sans in Matplotlib, which Ultralytics depends on; Pillow's own font has ASCII only."""
    spec = find_spec("matplotlib")  # not imported: only its data is needed
    folder = Path(spec.origin).parent if spec is not None and spec.origin else Path()
    return str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


@lru_cache(maxsize=1024)
def font_for(text: str, font_px: int) -> ImageFont.FreeTypeFont:
    """Return the first font that has every letter of the text, or the usual one if none has."""
    usual = usual_font(font_px)
    if has_letters(usual, text):
        return usual
    for name in FALLBACK_FONTS:
        try:
            font = _font(name, font_px)
        except OSError:  # not on this system
            continue
        if has_letters(font, text):
            return font
    return usual


@lru_cache(maxsize=64)
def _font(name: str, font_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, font_px)


def has_letters(font: ImageFont.FreeTypeFont, text: str) -> bool:
    """Return whether the font has every letter; it draws a missing one as a box."""
    missing = bytes(font.getmask("\uffff"))
    return all(c.isspace() or c.isascii() or bytes(font.getmask(c)) != missing for c in text)
