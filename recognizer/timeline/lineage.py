"""Tracks that were merged or divided, and which of the machine's tracks each part of them comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recognizer.timeline.model import PersonTrack
from recognizer.types import TOUCHING_S

Interval = tuple[float, float]


class Source(NamedTuple):
    """A stretch of a person's presence, ``[start_s, end_s)``, and the machine's number of the person in it."""

    person_id: int
    start_s: float
    end_s: float


def sources_of(track: PersonTrack) -> tuple[Source, ...]:
    """Return the sources of a track that nobody has changed."""
    return tuple(Source(track.person_id, start_s, end_s) for start_s, end_s in track.presence)


def merged(one: PersonTrack, other: PersonTrack) -> PersonTrack:
    """Return two tracks as that of the first person; where both have a sample, the first one's counts."""
    # stable: of two samples with one time, the first person's comes first, and ``unique`` takes the first
    time_s, rows = np.unique(np.concatenate([one.time_s, other.time_s]), return_index=True)
    presence: list[Interval] = []
    for start_s, end_s in sorted((*one.presence, *other.presence)):
        if presence and start_s <= presence[-1][1] + TOUCHING_S:
            presence[-1] = presence[-1][0], max(end_s, presence[-1][1])
        else:
            presence.append((start_s, end_s))
    return PersonTrack(
        one.person_id,
        time_s,
        np.concatenate([one.box_xyxy, other.box_xyxy])[rows],
        np.concatenate([one.confidence, other.confidence])[rows],
        tuple(presence),
    )


def merged_sources(one: Sequence[Source], other: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources of a merged track by time, without overlaps; where both are present, the first one's count."""
    kept = list(one)
    for source in other:
        start_s = source.start_s
        for taken in (*one, Source(0, source.end_s, source.end_s)):
            if taken.start_s > start_s and min(taken.start_s, source.end_s) - start_s >= TOUCHING_S:
                kept.append(Source(source.person_id, start_s, min(taken.start_s, source.end_s)))
            start_s = max(start_s, taken.end_s)
    return tuple(sorted(kept, key=lambda source: source.start_s))


def divided(track: PersonTrack, at_s: float, new_id: int) -> tuple[PersonTrack, PersonTrack]:
    """Return the parts of a track before ``at_s`` and from then on; the second one has a new number."""
    k = int(np.searchsorted(track.time_s, at_s, "left"))
    before = tuple((s, min(e, at_s)) for s, e in track.presence if s < at_s)
    after = tuple((max(s, at_s), e) for s, e in track.presence if e > at_s)
    return (
        PersonTrack(track.person_id, track.time_s[:k], track.box_xyxy[:k], track.confidence[:k], before),
        PersonTrack(new_id, track.time_s[k:], track.box_xyxy[k:], track.confidence[k:], after),
    )


def divided_sources(sources: Sequence[Source], at_s: float) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Return the sources before ``at_s`` and from then on."""
    return (
        tuple(one._replace(end_s=min(one.end_s, at_s)) for one in sources if one.start_s < at_s),
        tuple(one._replace(start_s=max(one.start_s, at_s)) for one in sources if one.end_s > at_s),
    )
