"""Words for the page."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=])")
_ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=http)(?=s?://)|(?=@)", re.IGNORECASE)
_WORD_JOINER = "\u2060"
"""Not seen, and no place to break a line; GFM makes a link of every address, but not of a parted one."""


def plain(text: str) -> str:
    """Text from outside as Markdown that shows it letter by letter: no links, no HTML, no formulas."""
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub(_WORD_JOINER, " ".join(text.split())))


def sentence(text: str) -> str:
    """A message as a sentence of the page: it begins with a capital letter."""
    return plain(text[:1].upper() + text[1:])


def seconds(value_s: float) -> str:
    """``0.53 s``, ``12.3 s``."""
    return f"{value_s:.2f} s" if value_s < 10 else f"{value_s:.1f} s"


def people(count: int) -> str:
    """``1 person``, ``3 people``."""
    return "1 person" if count == 1 else f"{count} people"
