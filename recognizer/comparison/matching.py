"""Match a user's own labels with the people of a timeline."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from recognizer.annotations.model import Truth, TruthRow
from recognizer.timeline.model import PersonTrack
from recognizer.types import Segment


@dataclass(frozen=True)
class FittedTruth:
    """Labels matched with the people of one timeline.

    Attributes:
        segments: each person's labelled actions, only while that person is visible.
        apart: the same for the actions that are scored apart.
        unseen_s: labelled time in which the person is not visible, which cannot be scored; if the label is for
            everyone, time in which nobody is visible.
    """

    segments: tuple[Segment, ...]
    apart: tuple[Segment, ...]
    unseen_s: float


def fit_truth(truth: Truth, people: Sequence[PersonTrack]) -> FittedTruth:
    """Match labels with the people of a video.

    Args:
        truth: the labels; those of people who are not in the timeline are skipped.
        people: the people of the timeline.
    """
    segments, unseen_s = _visible(truth.rows, people)
    apart, apart_unseen_s = _visible(truth.apart, people)
    return FittedTruth(segments, apart, unseen_s + apart_unseen_s)


def _visible(rows: Iterable[TruthRow], people: Sequence[PersonTrack]) -> tuple[tuple[Segment, ...], float]:
    segments: list[Segment] = []
    unseen_s = 0.0
    by_id = {track.person_id: (track,) for track in people}
    for row in rows:
        tracks = people if row.person_id is None else by_id.get(row.person_id, ())
        visible = [one for track in tracks for one in _seen(row, track)]
        segments += visible
        unseen_s += max(0.0, row.end_s - row.start_s - _covered_s(visible))
    return tuple(sorted(segments, key=lambda s: (s.person_id, s.start_s))), unseen_s


def _seen(row: TruthRow, track: PersonTrack) -> Iterator[Segment]:
    first = bisect_right(track.presence, row.start_s, key=itemgetter(1))
    past = bisect_left(track.presence, row.end_s, key=itemgetter(0))
    for start_s, end_s in track.presence[first:past]:
        first_s, last_s = max(start_s, row.start_s), min(end_s, row.end_s)
        if last_s > first_s:
            yield Segment(track.person_id, row.action, first_s, last_s, 1.0)


def _covered_s(visible: Iterable[Segment]) -> float:
    """Return how many seconds the segments cover together."""
    covered_s, until_s = 0.0, -math.inf
    for one in sorted(visible, key=lambda one: one.start_s):
        covered_s += max(0.0, one.end_s - max(one.start_s, until_s))
        until_s = max(until_s, one.end_s)
    return covered_s
