"""The few moments of a group that teach as much as all of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

from recognizer.service.clip_index import FoundMoment

FEW: Final = 5
"""Moments of a group that become examples: more of one video teach nothing new, and five are enough of one action."""


def few_of(group: Sequence[FoundMoment]) -> list[FoundMoment]:
    """Return up to FEW moments of as many videos as there are, and there of as many people; the most typical first.

    Args:
        group: moments that look alike, the most typical first.
    """
    by_video: dict[str, list[FoundMoment]] = {}
    for one in group:
        by_video.setdefault(one.video_name, []).append(one)
    turns = zip_longest(*(_by_person(moments) for moments in by_video.values()))
    return [one for one in chain.from_iterable(turns) if one is not None][:FEW]


def _by_person(moments: Sequence[FoundMoment]) -> list[FoundMoment]:
    """Return the moments of one video in the order of the number that they have within their person's."""
    seen: dict[int, int] = {}
    ranked = []
    for one in moments:
        seen[one.person_id] = seen.get(one.person_id, -1) + 1
        ranked.append((seen[one.person_id], one))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
