"""Notice when a tracker has swapped two people who crossed.

Where one person covers another, a tracker sees one box or takes the nearer of two, and by place alone the numbers may
be swapped afterwards. The mean appearance of half a second separates even people in similar clothes: how the two look
afterwards is compared with how both looked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recognizer.people.appearance import alike, shares_of
from recognizer.types import Box, Crossing, TrackedPerson

_MEETS_FROM = 0.3
"""Two people meet if this share of the smaller box is inside the other."""

_APART_BELOW = 0.2
"""They are apart again below this share; until then, a box also shows the other person."""

_COVERED_FROM = 0.7
"""From this share on, or if one of the two is lost, a tracker may take one for the other."""

_KNOWN_S = 0.5
"""For this long both must be seen apart, before and after. Single samples vary with the pose: two seconds of one person
overlap by 0.57 to 0.83 in a crowd (docs/accuracy-identities.md)."""

_REMEMBERED_S = 2.0
"""An appearance is the mean over about this time."""

_SWAPPED_BY = 0.08
"""Two people were swapped if their appearances then overlap by this much more, summed over both, and by more for each.
Dancers in the same black clothes: 0.13."""

_UNSURE_WITHIN = 0.03
"""Within this difference, appearance cannot tell the two apart."""

_FORGOTTEN_S = 6.0
"""A meeting is over if one of the two is not seen again within this time (stitching.AWAY_S)."""


@dataclass
class _Look:
    """A person's mean appearance, and for how long it was seen."""

    shares: NDArray[np.float64]
    seen_s: float = 0.0

    def add(self, shares: NDArray[np.float64], interval_s: float) -> None:
        self.seen_s += interval_s
        weight = interval_s / min(self.seen_s, _REMEMBERED_S)
        self.shares = self.shares + weight * (shares - self.shares)


@dataclass
class _Meeting:
    """Two people who overlap or have overlapped.

    Attributes:
        began_s: when they began to overlap.
        before: how each looked before.
        latest_s: when they last overlapped.
        was_covered: whether one covered most of the other.
        lost_s: when one of them was last not found.
        found_s: when both were found again.
        after: how each looks since they are apart.
    """

    began_s: float
    before: dict[int, _Look]
    latest_s: float = 0.0
    was_covered: bool = False
    lost_s: float = -1.0
    found_s: float = 0.0
    after: dict[int, _Look] = field(default_factory=dict)

    @property
    def was_lost(self) -> bool:
        return self.lost_s >= 0


class Crossings:
    """Follows the people of one stream through their meetings.

    Args:
        interval_s: time between two samples.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._looks: dict[int, _Look] = {}
        self._meetings: dict[tuple[int, int], _Meeting] = {}

    def clear(self) -> None:
        """Forget everyone, because a new shot begins."""
        self._looks, self._meetings = {}, {}

    def push(
        self, time_s: float, people: Sequence[TrackedPerson], appearances: Sequence[NDArray[np.uint8]]
    ) -> tuple[Crossing, ...]:
        """Add the next sample, under the numbers that hold after all swaps so far; return what it tells."""
        boxes = {person.person_id: person.box_xyxy for person in people}
        touching = self._meet(time_s, boxes)
        for person, appearance in zip(people, appearances, strict=True):
            self._see(person.person_id, shares_of(appearance), boxes, touching)
        return tuple(found for pair in sorted(self._meetings) if (found := self._decide(pair, time_s, boxes)))

    def _meet(self, time_s: float, boxes: dict[int, Box]) -> set[int]:
        """Begin and continue meetings; return who touches somebody."""
        touching: set[int] = set()
        for pair in combinations(sorted(boxes), 2):
            inside = _inside(boxes[pair[0]], boxes[pair[1]])
            if inside >= _APART_BELOW:
                touching.update(pair)
            if inside < _MEETS_FROM:
                continue
            meeting = self._meetings.get(pair)
            if meeting is None and all(self._is_known(number) for number in pair):
                meeting = _Meeting(time_s, {number: self._looks[number] for number in pair})
                self._meetings[pair] = meeting
            if meeting is not None:
                meeting.latest_s, meeting.after = time_s, {}
                meeting.was_covered |= inside >= _COVERED_FROM
        return touching

    def _is_known(self, number: int) -> bool:
        return number in self._looks and self._looks[number].seen_s >= _KNOWN_S

    def _see(self, number: int, shares: NDArray[np.float64], boxes: dict[int, Box], touching: set[int]) -> None:
        """Add to a person's appearance if their box shows nobody else."""
        own = [(pair, meeting) for pair, meeting in self._meetings.items() if number in pair]
        covers_someone = any(other not in boxes for pair, _ in own for other in pair)
        if number in touching or covers_someone:
            return
        if own:
            for _, meeting in own:
                meeting.after.setdefault(number, _Look(shares)).add(shares, self._interval_s)
        else:
            self._looks.setdefault(number, _Look(shares)).add(shares, self._interval_s)

    def _decide(self, pair: tuple[int, int], time_s: float, boxes: dict[int, Box]) -> Crossing | None:
        """End a meeting if it can be decided who is who; return the crossing unless both kept their numbers."""
        meeting = self._meetings.get(pair)
        if meeting is None:
            return None
        if any(number not in boxes for number in pair):
            meeting.lost_s = time_s
            if time_s - meeting.latest_s > _FORGOTTEN_S:
                del self._meetings[pair]
            return None
        if meeting.found_s <= meeting.lost_s:
            meeting.found_s = time_s
        if any(number not in meeting.after or meeting.after[number].seen_s < _KNOWN_S for number in pair):
            return None
        del self._meetings[pair]
        one, other = pair
        kept = [_overlap(meeting, number, number) for number in pair]
        swapped = [_overlap(meeting, one, other), _overlap(meeting, other, one)]
        by = sum(swapped) - sum(kept)
        for number in pair:
            self._looks[number] = meeting.after[number]
        since_s = meeting.found_s if meeting.was_lost else (meeting.began_s + meeting.latest_s) / 2
        if by >= _SWAPPED_BY and swapped[0] > kept[0] and swapped[1] > kept[1]:
            self._looks[one], self._looks[other] = self._looks[other], self._looks[one]
            # other meetings of the two compare numbers that no longer hold
            self._meetings = {others: one for others, one in self._meetings.items() if not set(others) & set(pair)}
            return Crossing(one, other, since_s, is_swapped=True)
        if (meeting.was_covered or meeting.was_lost) and abs(by) < _UNSURE_WITHIN:
            return Crossing(one, other, since_s, is_swapped=False)
        return None


def _overlap(meeting: _Meeting, before: int, after: int) -> float:
    return float(alike(meeting.before[before].shares, meeting.after[after].shares))


def _inside(one: Box, other: Box) -> float:
    """Return the share of the smaller box inside the larger one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
