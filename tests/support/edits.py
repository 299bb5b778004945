"""Random corrections of a timeline, each of which fits what was corrected before."""

from __future__ import annotations

from random import Random

from recognizer.timeline.corrections import Corrected
from recognizer.timeline.edits import (
    Add,
    Check,
    Cut,
    Delete,
    Edit,
    Hide,
    Join,
    Merge,
    Name,
    Relabel,
    Restore,
    Split,
    Together,
    move_edge,
)
from recognizer.timeline.model import PersonTrack
from recognizer.types import Segment

ACTIONS = ("serve", "rest", "yoga")


def random_edit(corrected: Corrected, random: Random) -> Edit:
    """Return an edit of any kind that fits."""
    if random.random() < 0.1:
        return Together((_name(corrected, random), _check(corrected, random)))
    for _ in range(50):
        edit = random.choice((_merge, _split, _hide, _name, _segment_edit, _segment_edit, _check))(corrected, random)
        if edit is not None:
            return edit
    return _name(corrected, random)


def _person(corrected: Corrected, random: Random) -> PersonTrack:
    return random.choice(corrected.timeline.people)


def _merge(corrected: Corrected, random: Random) -> Merge | None:
    if len(corrected.timeline.people) < 3:
        return None
    gone, into = random.sample([track.person_id for track in corrected.timeline.people], 2)
    return Merge(gone, into)


def _split(corrected: Corrected, random: Random) -> Split | None:
    track = _person(corrected, random)
    if len(track.time_s) < 3 or len(corrected.timeline.people) > 6:
        return None
    taken = {one.person_id for one in corrected.timeline.people} | corrected.hidden.keys()
    return Split(track.person_id, float(random.choice(track.time_s[1:-1].tolist())), max(taken) + 1)


def _hide(corrected: Corrected, random: Random) -> Hide | None:
    if corrected.hidden and random.random() < 0.7:
        return Hide(random.choice(list(corrected.hidden)), hidden=False)
    if len(corrected.timeline.people) < 3:
        return None
    return Hide(_person(corrected, random).person_id)


def _name(corrected: Corrected, random: Random) -> Name:
    return Name(_person(corrected, random).person_id, random.choice(("Anna", "Ben", "")))


def _check(corrected: Corrected, random: Random) -> Check:
    start_s, end_s = _stretch(random)
    return Check(_person(corrected, random).person_id, start_s, end_s, random.random() < 0.7)


def _segment_edit(corrected: Corrected, random: Random) -> Edit | None:
    segments = corrected.segments(0.4)
    long_enough = [one for one in segments if one.duration_s > 0.01]  # for a cut in the middle
    if not long_enough:
        return None
    one: Segment = random.choice(long_enough)
    person_id, action = one.person_id, random.choice(ACTIONS)
    middle_s, (start_s, end_s) = (one.start_s + one.end_s) / 2, _stretch(random)
    return random.choice(
        (
            Relabel(person_id, one.start_s, one.end_s, action),
            Add(person_id, start_s, end_s, action),
            Join(person_id, start_s, end_s, action),
            Delete(person_id, one.start_s, one.end_s),
            Cut(person_id, one.start_s, middle_s, one.end_s, one.action),
            move_edge(segments, person_id, one.end_s, one.end_s + 0.1) if _ends_alone(one, segments) else None,
            Restore(person_id, start_s, end_s),
        )
    )


def _ends_alone(one: Segment, segments: tuple[Segment, ...]) -> bool:
    return not any(other.person_id == one.person_id and 0 <= other.start_s - one.end_s <= 0.1 for other in segments)


def _stretch(random: Random) -> tuple[float, float]:
    start_s = random.uniform(0.0, 4.0)
    return start_s, start_s + random.uniform(0.2, 2.0)
