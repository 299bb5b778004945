"""One colour per action: the same in all charts, on all pages and in the annotated video.

The hues follow the palette of M. Okabe and K. Ito, "Color Universal Design" (2008, jfly.uni-koeln.de/color), made
darker or lighter so that each has a contrast of 3:1 or more with the page (WCAG 2.2, success criterion 1.4.11) and any
two remain distinguishable for protan, deutan and tritan eyes (Machado et al., doi 10.1109/TVCG.2009.113). After eight
actions, the next eight have the same colours with a pattern.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from recognizer.settings import UNKNOWN_ACTION

PAGE_LIGHT: Final = "#FCFAF6"
"""Background of the light page; the light tones are chosen for it."""

PATTERNS: Final = ("", "/", ".", "x")
"""Plotly's names of the bar patterns: none, diagonal lines, dots, crosses."""

# light tone, dark tone
_TONES: Final = (
    ("#0050A3", "#0B69CB"),  # blue
    ("#B8820A", "#D6B400"),  # amber
    ("#218368", "#29A370"),  # green
    ("#F20D6A", "#EE8BD1"),  # pink
    ("#8F5D14", "#D63E00"),  # rust
    ("#1487FF", "#14CEFF"),  # sky
    ("#4A401C", "#ECF2A6"),  # olive
    ("#6B0F4E", "#F5D6EB"),  # wine
)

UNKNOWN_SLOT: Final = -1
"""The slot of ``unknown``, which uses none of the colours."""

Rgb = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


@dataclass(frozen=True)
class ActionStyle:
    """Colour and pattern of one action.

    Attributes:
        slot: 0, 1, … in order of first appearance; UNKNOWN_SLOT for ``unknown``.
        colour_light: ``#RRGGBB`` for a light page.
        colour_dark: ``#RRGGBB`` for a dark page.
        pattern: one of PATTERNS.
    """

    slot: int
    colour_light: str
    colour_dark: str
    pattern: str

    def colour(self, dark: bool) -> str:
        """Return ``#RRGGBB`` for a dark or a light page."""
        return self.colour_dark if dark else self.colour_light


UNKNOWN_STYLE: Final = ActionStyle(UNKNOWN_SLOT, "#7E8794", "#8A94A3", "")
"""Neutral grey: for ``unknown``, and for a person without a label yet."""


def style_of_slot(slot: int) -> ActionStyle:
    """Return the style of a slot: eight colours without a pattern, then the same eight with each pattern."""
    light, dark = _TONES[slot % len(_TONES)]
    return ActionStyle(slot, light, dark, PATTERNS[slot // len(_TONES) % len(PATTERNS)])


class ActionPalette:
    """Assigns a style to each action; a new action gets the next free slot permanently.

    Threads may share a palette. Pass the ``slots`` of an earlier palette as ``known`` to use its colours again.

    Args:
        known: assigned slots by label. ``unknown`` is ignored: it is always grey.

    Raises:
        ValueError: a slot is negative.
    """

    def __init__(self, known: Mapping[str, int] = MappingProxyType({})) -> None:
        self._slots = {label: slot for label, slot in known.items() if label != UNKNOWN_ACTION}
        if any(slot < 0 for slot in self._slots.values()):
            raise ValueError(f"slots count from 0, got {min(self._slots.values())}")
        self._taken = set(self._slots.values())
        self._next = 0
        self._lock = threading.Lock()

    def style(self, label: str) -> ActionStyle:
        """Return the style of an action; a new action gets the next free slot."""
        if label == UNKNOWN_ACTION:
            return UNKNOWN_STYLE
        with self._lock:
            slot = self._slots.get(label)
            if slot is None:
                while self._next in self._taken:
                    self._next += 1
                slot = self._slots[label] = self._next
                self._taken.add(slot)
        return style_of_slot(slot)

    def assign(self, labels: Iterable[str]) -> None:
        """Assign slots to labels in this order, so that the colours do not depend on the order of drawing."""
        for label in labels:
            self.style(label)

    def recolor(self, label: str, slot: int) -> None:
        """Give an action another slot, which it may share with another action; ``unknown`` stays grey.

        Raises:
            ValueError: the slot is negative.
        """
        if slot < 0:
            raise ValueError(f"slots count from 0, got {slot}")
        if label != UNKNOWN_ACTION:
            with self._lock:
                self._slots[label] = slot
                self._taken.add(slot)

    def adopt(self, slots: Mapping[str, int]) -> None:
        """Give actions that have no slot yet the slots of another palette."""
        for label, slot in slots.items():
            if label not in self.slots:
                self.recolor(label, slot)

    @property
    def slots(self) -> dict[str, int]:
        """The slots assigned so far, by label; a copy."""
        with self._lock:
            return dict(self._slots)


def rgb_of(colour: str) -> Rgb:
    """Return the red, green and blue of ``#RRGGBB``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def relative_luminance(rgb: Rgb) -> float:
    """Return the relative luminance as WCAG 2.2 defines it, 0 for black to 1 for white."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours as WCAG 2.2 defines it, 1 to 21."""
    low, high = sorted((relative_luminance(one), relative_luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_colour_on(rgb: Rgb) -> Rgb:
    """Return black or white, whichever contrasts more with this colour; the ratio is always 4.5:1 or more."""
    black, white = (0, 0, 0), (255, 255, 255)
    return max(black, white, key=lambda text: contrast(text, rgb))
