"""Match a user's own labels with the people of a timeline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recognizer.annotations.model import Truth, TruthRow
from recognizer.errors import TruthError
from recognizer.timeline.model import PersonTrack
from recognizer.types import Segment


@dataclass(frozen=True)
class FittedTruth:
    """Labels matched with the people of one timeline.

    Attributes:
        segments: each person's labelled actions, only while that person is visible.
        unseen_s: labelled time in which the person is not visible, which cannot be scored; if the label is for
            everyone, time in which nobody is visible.
    """

    segments: tuple[Segment, ...]
    unseen_s: float


def fit_truth(truth: Truth, people: Sequence[PersonTrack], duration_s: float) -> FittedTruth:
    """Match labels with the people of a video.

    Args:
        truth: the labels.
        people: the people of the timeline.
        duration_s: duration of the video.

    Raises:
        TruthError: a row is about a person who does not exist, or it begins after the end of the video.
    """
    by_id = {track.person_id: track for track in people}
    segments: list[Segment] = []
    unseen_s = 0.0
    for row in truth.rows:
        if row.start_s >= duration_s:
            raise TruthError(
                f"'{truth.name}', row {row.row}: it starts at {row.start_s:g} s, and the video ends at "
                f"{duration_s:.1f} s; give labels of this video."
            )
        if row.person_id is not None and row.person_id not in by_id:
            there = f"people 1 to {max(by_id)}" if len(by_id) > 1 else "only person 1" if by_id else "nobody"
            raise TruthError(
                f"'{truth.name}', row {row.row}: person {row.person_id} is not in this timeline, which has {there}; "
                "give a number from the timeline."
            )
        tracks = list(by_id.values()) if row.person_id is None else [by_id[row.person_id]]
        visible = [one for track in tracks for one in _seen(row, track)]
        segments += visible
        unseen_s += row.end_s - row.start_s - _covered_s(visible)
    return FittedTruth(tuple(sorted(segments, key=lambda s: (s.person_id, s.start_s))), max(0.0, unseen_s))


def _seen(row: TruthRow, track: PersonTrack) -> Iterator[Segment]:
    for start_s, end_s in track.presence:
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
