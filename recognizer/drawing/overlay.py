"""Draw boxes and labels on a picture. RGB in, RGB out; the caller's picture stays unchanged."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognizer.drawing.fonts import font_for, usual_font
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, Rgb, rgb_of, text_colour_on
from recognizer.settings import UNKNOWN_ACTION, least_height_px
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Box, Segment

DETECTING_TEXT: Final = "detecting..."
"""Drawn until a person has a first label."""

TOO_SMALL_TEXT: Final = "too small"
"""Drawn in place of a label while a person is too small to be classified."""

_BADGE_RGB: Final[Rgb] = (20, 27, 32)
_BADGE_TEXT_RGB: Final[Rgb] = (255, 255, 255)
_HALO_RGB: Final[Rgb] = (0, 0, 0)

_FONT_SHARE: Final = 1 / 34  # this and the next are shares of the picture's height
FONT_MIN_PX: Final = 11
_LINE_SHARE: Final = 1 / 240
_LINE_MIN_PX: Final = 2
_ELLIPSIS: Final = "…"


@dataclass(frozen=True)
class OverlayPerson:
    """One person to draw.

    Attributes:
        person_id: the number in the badge.
        box_xyxy: pixels of the picture; may extend beyond it.
        label: the action; None before the first one, drawn as ``detecting...``.
        confidence: probability, drawn after the label; None if there is none.
        colour_rgb: colour of the box and of the label's plate.
        name: the user's name, in the badge in place of the number; None if the person has none.
    """

    person_id: int
    box_xyxy: Box
    label: str | None
    confidence: float | None
    colour_rgb: Rgb
    name: str | None = None

    @property
    def badge(self) -> str:
        """The text of the badge: the name, or the number."""
        return " ".join((self.name or "").split()) or str(self.person_id)

    @property
    def text(self) -> str:
        """The text of the plate: ``detecting...``, later ``jogging (0.85)``."""
        if self.label is None:
            return DETECTING_TEXT
        return self.label if self.confidence is None else f"{self.label} ({self.confidence:.2f})"


_STRETCH_S: Final = 10.0
"""Where people come and go, few are visible in a picture: they are looked for by stretches of so many seconds."""


def _stretches(start_s: float, end_s: float) -> range:
    """Return the numbers of the stretches that a visit touches."""
    return range(int(start_s // _STRETCH_S), int(end_s // _STRETCH_S) + 1)


class Overlay:
    """Prepares a timeline once, then returns the people to draw at any time within microseconds per person.

    A person's label stays until the next one or the end of the visit, as in a live picture. People who are too small to
    be classified are marked. People without samples are not drawn. A label that a person decided has no probability.

    Args:
        timeline: who is where.
        segments: who does what.
        palette: colours of the actions.
        names: users' names for people.
    """

    def __init__(
        self,
        timeline: Timeline,
        segments: Iterable[Segment],
        palette: ActionPalette,
        names: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self._names = names
        by_person: dict[int, list[Segment]] = defaultdict(list)
        for segment in segments:
            by_person[segment.person_id].append(segment)
        self._people: dict[int, list[_OverlayTrack]] = defaultdict(list)
        """Those who may be visible, in order of ``person_id``, by stretch of time."""
        for track in timeline.people:
            if len(track.time_s):
                segments_of = sorted(by_person[track.person_id], key=lambda segment: segment.start_s)
                prepared = _OverlayTrack(track, segments_of)
                for number in {k for visit_s in track.presence for k in _stretches(*visit_s)}:
                    self._people[number].append(prepared)
        self._palette = palette
        self._least_height_px = least_height_px(timeline.video.height)

    def at(self, time_s: float) -> list[OverlayPerson]:
        """Return the people visible at ``time_s``, in order of ``person_id``."""
        people = []
        for track in self._people.get(int(time_s // _STRETCH_S), ()):
            visit_s, box_xyxy = track.visit_at(time_s), track.box_at(time_s)
            if visit_s is None or box_xyxy is None:
                continue
            too_small = box_xyxy[3] - box_xyxy[1] < self._least_height_px
            segment = None if too_small else track.segment_at(time_s, visit_s)
            style = self._palette.style(segment.action) if segment else UNKNOWN_STYLE
            sure = segment is not None and segment.action != UNKNOWN_ACTION and segment.source == "machine"
            people.append(
                OverlayPerson(
                    person_id=track.person_id,
                    box_xyxy=box_xyxy,
                    label=TOO_SMALL_TEXT if too_small else segment.action if segment else None,
                    confidence=segment.confidence if segment and sure else None,
                    colour_rgb=rgb_of(style.colour_light),
                    name=self._names.get(track.person_id),
                )
            )
        return people


def draw_overlay(rgb: NDArray[np.uint8], people: Iterable[OverlayPerson]) -> NDArray[np.uint8]:
    """Return a copy of the picture with a box, a badge with number or name, and a label for each person.

    Labels stay inside the picture, are shortened if it is too narrow, and do not overlap if there is room. Line widths
    and letter sizes are proportional to the picture's height.

    Args:
        rgb: uint8 (H, W, 3).
        people: the people to draw; the first is drawn last, on top.

    Returns:
        uint8 (H, W, 3), contiguous, in its own memory.

    Raises:
        ValueError: the picture has another type or shape.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"the picture must be uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    drawn = np.array(rgb, order="C", copy=True)
    height, width = drawn.shape[:2]
    if not height or not width:
        return drawn
    line_px = max(_LINE_MIN_PX, round(height * _LINE_SHARE))
    font_px = max(FONT_MIN_PX, round(height * _FONT_SHARE))
    ordered = list(people)[::-1]
    for person in ordered:
        _draw_box(drawn, person, line_px)
    placed: list[tuple[int, int, int, int]] = []
    for person in ordered:
        plate = fitting_plate(person, font_px, width)
        x, y = _place(plate.shape[1], plate.shape[0], person.box_xyxy, (width, height), line_px, placed)
        bottom, right = min(height, y + plate.shape[0]), min(width, x + plate.shape[1])
        drawn[y:bottom, x:right] = plate[: bottom - y, : right - x]
        placed.append((x, y, right, bottom))
    return drawn


class _OverlayTrack:
    """One person's visits and segments, prepared for lookup by time."""

    def __init__(self, track: PersonTrack, segments: list[Segment]) -> None:
        self.person_id = track.person_id
        self._visits = track.presence
        self._visit_starts_s = [start_s for start_s, _ in track.presence]
        self.box_at = track.box_at
        self._segments = segments
        self._segment_starts_s = [segment.start_s for segment in segments]

    def visit_at(self, time_s: float) -> tuple[float, float] | None:
        k = bisect_right(self._visit_starts_s, time_s) - 1
        return self._visits[k] if k >= 0 and time_s < self._visits[k][1] else None

    def segment_at(self, time_s: float, visit_s: tuple[float, float]) -> Segment | None:
        """Return the segment at this time, or the last one before it in the same visit."""
        k = bisect_right(self._segment_starts_s, time_s) - 1
        return self._segments[k] if k >= 0 and self._segments[k].end_s > visit_s[0] else None


# --- boxes ---


def _draw_box(rgb: NDArray[np.uint8], person: OverlayPerson, line_px: int) -> None:
    """Draw a coloured line with thin dark edges, so that it is visible on any background."""
    x1, y1, x2, y2 = _whole(person.box_xyxy, rgb.shape[1], rgb.shape[0])
    halo_px = line_px + 2 * max(1, line_px // 2)
    # OpenCV writes the three numbers unchanged, so RGB stays RGB
    cv2.rectangle(rgb, (x1, y1), (x2, y2), _HALO_RGB, halo_px)
    cv2.rectangle(rgb, (x1, y1), (x2, y2), person.colour_rgb, line_px)


def _whole(box_xyxy: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the first and last pixels of a box, clipped to the picture, because OpenCV's coordinates can overflow."""
    x1, y1, x2, y2 = box_xyxy
    left, right = (min(max(round(x), 0), width - 1) for x in (x1, x2 - 1))
    top, bottom = (min(max(round(y), 0), height - 1) for y in (y1, y2 - 1))
    return left, top, max(left, right), max(top, bottom)


# --- plates: a badge with the number or the name, and the text next to it ---


def _place(
    width: int,
    height: int,
    box_xyxy: Box,
    picture_wh: tuple[int, int],
    line_px: int,
    placed: Sequence[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Return the first free place of a plate: above its box, inside at the top, below, inside at the bottom."""
    left, top, _, bottom = _whole(box_xyxy, *picture_wh)
    x = max(0, min(left - line_px // 2, picture_wh[0] - width))
    wanted = [top - height, top, bottom + 1, bottom - height + 1]
    inside = [y for y in wanted if 0 <= y <= picture_wh[1] - height]
    free = [y for y in inside if not any(_overlap((x, y, x + width, y + height), other) for other in placed)]
    y = (free or inside or [0])[0]
    return x, y


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@lru_cache(maxsize=1024)
def _fitting_plate_of(
    badge: str, label: str, tail: str, colour_rgb: Rgb, font_px: int, width: int
) -> NDArray[np.uint8]:
    """Return the plate, with its label shortened to fit ``width``."""
    plate = _plate(badge, label + tail, colour_rgb, font_px)
    shortest, longest = 0, len(label)
    while plate.shape[1] > width and shortest < longest:
        middle = (shortest + longest) // 2
        candidate = _plate(badge, f"{label[:middle].rstrip()}{_ELLIPSIS}{tail}", colour_rgb, font_px)
        if candidate.shape[1] > width:
            longest = middle
        else:
            shortest = middle + 1
    if plate.shape[1] > width:
        plate = _plate(badge, f"{label[: max(0, shortest - 1)].rstrip()}{_ELLIPSIS}{tail}", colour_rgb, font_px)
    plate.setflags(write=False)  # the cache returns the same array again
    return plate


def fitting_plate(person: OverlayPerson, font_px: int, width: int) -> NDArray[np.uint8]:
    """Return a person's plate, uint8 (h, w, 3), at most ``width`` pixels wide if the label can be shortened to it."""
    label = " ".join((DETECTING_TEXT if person.label is None else person.label).split())
    tail = "" if person.label is None or person.confidence is None else f" ({person.confidence:.2f})"
    return _fitting_plate_of(
        _fitting_badge(person.badge, font_px, width // 2), label, tail, person.colour_rgb, font_px, width
    )


def _fitting_badge(badge: str, font_px: int, width: int) -> str:
    """Return as much of a name as fits, so that there is room for the label."""
    font = font_for(badge, font_px)
    chars = len(badge)
    while chars > 3 and font.getlength(badge) > width:
        chars -= 1
        badge = f"{badge[: chars - 1].rstrip()}{_ELLIPSIS}"
    return badge


def _plate(badge: str, text: str, colour_rgb: Rgb, font_px: int) -> NDArray[np.uint8]:
    """Draw a plate, uint8 (h, w, 3): number or name on a dark badge, the text on the colour."""
    font, badge_font = font_for(text, font_px), font_for(badge, font_px)
    ascent, descent = usual_font(font_px).getmetrics()
    pad = max(2, font_px // 4)
    height = ascent + descent + pad
    badge_width = round(badge_font.getlength(badge)) + 2 * pad
    text_width = round(font.getlength(text)) + 2 * pad
    picture = Image.new("RGB", (badge_width + text_width, height), colour_rgb)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, badge_width - 1, height), fill=_BADGE_RGB)
    baseline = ascent + pad // 2
    draw.text((pad, baseline), badge, fill=_BADGE_TEXT_RGB, font=badge_font, anchor="ls")
    draw.text((badge_width + pad, baseline), text, fill=text_colour_on(colour_rgb), font=font, anchor="ls")
    return np.asarray(picture).copy()
