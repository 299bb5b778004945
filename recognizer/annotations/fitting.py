"""Match a file of labels with a video: which part of it, who is who, on the video's clock, one label at a time."""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.annotations.model import (
    AN_ACTION,
    EVERYONE,
    LEFT_OUT,
    Answers,
    Label,
    LabelFile,
    Part,
    Truth,
    TruthRow,
    Who,
)
from recognizer.annotations.remarks import Tally, sentences
from recognizer.errors import TruthError
from recognizer.timeline.model import Timeline

SLIP_S: Final = 0.05
"""Labels may overlap by up to this and still follow one another: one or two frames, and closer than people can mark."""


@dataclass(frozen=True, eq=False)
class LabelledVideo:
    """The facts about a video that place labels in it.

    Attributes:
        name: name of the file.
        duration_s: its duration.
        person_ids: the people of its timeline.
        frame_times_s: float64 (n,), time of every frame; empty if unknown.
        rate_hz: its average frame rate.
    """

    name: str
    duration_s: float
    person_ids: tuple[int, ...]
    frame_times_s: NDArray[np.float64]
    rate_hz: float

    @classmethod
    def of(cls, timeline: Timeline, name: str) -> LabelledVideo:
        """Return the facts about the video of a timeline."""
        ids = tuple(track.person_id for track in timeline.people)
        duration_s = timeline.analysed_s
        if not timeline.complete and timeline.video.duration_s is not None:
            duration_s = max(duration_s, timeline.video.duration_s)
        return cls(name, duration_s, ids, timeline.frame_times_s, timeline.frame_rate_hz)

    def frame_s(self, frame: float) -> float:
        """Return the time at which a frame begins."""
        known = len(self.frame_times_s)
        if frame < known and frame == int(frame) and frame >= 0:
            return float(self.frame_times_s[int(frame)])
        beyond = frame - known
        return (self.duration_s if known else 0.0) + (beyond if known else frame) / self.rate_hz


def part_for(file: LabelFile, video_name: str, answers: Answers) -> Part | None:
    """Return the part of a file that is about a video; None if only the user can tell."""
    for part in file.parts:
        if part.name == answers.part and answers.part is not None:
            return part
    if len(file.parts) == 1:
        return file.parts[0]
    stem = PureWindowsPath(video_name).stem.casefold()
    alike = [part for part in file.parts if part.media and PureWindowsPath(part.media).stem.casefold() == stem]
    return alike[0] if len(alike) == 1 else None


def names_in(part: Part) -> Counter[str]:
    """Return the names in a part that are not simply numbers of people, with their number of labels."""
    return Counter(label.subject for label in part.labels if label.subject and _number(label.subject) is None)


def who_is(name: str, answers: Answers) -> Who | None:
    """Return who a name stands for; None if only the user can tell."""
    if not name:
        return EVERYONE
    return answers.people.get(name, _number(name))


def _number(name: str) -> int | None:
    """Return the number in ``2``, ``2.0`` or ``Person 2``, as this program writes it; ``subject2`` may be anybody."""
    number = re.fullmatch(r"(?:person[ _#-]*)?0*([1-9]\d{0,8})(?:\.0+)?", name, re.IGNORECASE | re.ASCII)
    return None if number is None else int(number[1])


def begin_of(part: Part, video: LabelledVideo, answers: Answers) -> float | None:
    """Return the time on the labels' clock at which the video begins, in seconds; None if only the user can tell."""
    if answers.begins_s is not None:
        return answers.begins_s
    if part.begins_s is None and part.ends_s is not None:
        return part.ends_s - video.duration_s
    return part.begins_s


def fit_labels(file: LabelFile, video: LabelledVideo, answers: Answers) -> Truth:
    """Match a file of labels with a video.

    Names without an answer are left out, and listed in ``Truth.unknown``.

    Raises:
        TruthError: it is open which part is about the video, or when the video begins on the labels' clock, or no
            label lies in the video.
    """
    tally = Tally()
    placed, unknown = _placed(file, video, answers, tally)
    apart = _apart(placed, answers)
    rows = _one_at_a_time(_each([row for row in placed if row.action not in apart], video.person_ids), tally)
    beside: list[TruthRow] = []
    for action in sorted(apart):
        beside += _merged(_each([row for row in placed if row.action == action], video.person_ids))
    notes = list(sentences((*file.remarks, *tally.remarks)))
    if apart and answers.exclusive is None:
        notes.append(f"Scored apart, because they happen during other actions: {', '.join(sorted(apart))}.")
    if unknown:
        notes.append(f"Not scored, because you have not said who they are: {', '.join(unknown)}.")
    return Truth(file.name, tuple(rows), tuple(beside), tuple(notes), tuple(unknown))


def _placed(file: LabelFile, video: LabelledVideo, answers: Answers, tally: Tally) -> tuple[list[TruthRow], list[str]]:
    """Return the labels within the video, which may overlap, and the names of which nothing is known."""
    part = part_for(file, video.name, answers)
    if part is None:
        listed = ", ".join(f"'{one.name}'" for one in file.parts[:5])
        more = f" and {len(file.parts) - 5} more" if len(file.parts) > 5 else ""
        raise TruthError(
            f"'{file.name}' has labels of {len(file.parts)} recordings ({listed}{more}), and none alone is named like "
            f"'{video.name}'; choose one."
        )
    begin_s = begin_of(part, video, answers)
    if begin_s is None:
        raise TruthError(
            f"'{file.name}' does not state when '{part.media or part.name}' begins on the clock of its labels; enter "
            "when the labels begin."
        )
    known, unknown = _known(part, video, answers, tally)
    placed = _on_the_clock(known, part, video, begin_s, tally)
    if known and not placed:
        _refuse_other_clock(file, known, video, begin_s)
    return placed, unknown


def _known(
    part: Part, video: LabelledVideo, answers: Answers, tally: Tally
) -> tuple[list[tuple[Label, int | None]], list[str]]:
    """Return the labels with their people, and the names of which nothing is known."""
    known: list[tuple[Label, int | None]] = []
    person_ids = frozenset(video.person_ids)
    unknown: dict[str, None] = {}
    for label in part.labels:
        who = who_is(label.subject, answers)
        if who is None:
            unknown[label.subject] = None
        elif who == AN_ACTION:
            known.append((replace(label, action=label.subject), None))
        elif who == EVERYONE:
            known.append((label, None))
        elif isinstance(who, int) and who not in person_ids:
            there = f"people 1 to {max(video.person_ids)}" if video.person_ids else "nobody"
            tally.leave_out(f"labels of person {who}, who is not in this timeline, which has {there}", label.place)
        elif isinstance(who, int):
            known.append((label, who))
        elif who != LEFT_OUT:
            raise ValueError(f"an answer about '{label.subject}' is {who!r}")
    return known, list(unknown)


def _on_the_clock(
    known: Sequence[tuple[Label, int | None]], part: Part, video: LabelledVideo, begin_s: float, tally: Tally
) -> list[TruthRow]:
    """Return the labels on the video's clock, within the video."""
    starts: dict[str, list[float]] = defaultdict(list)
    for label, _ in known:
        starts[label.subject].append(label.start)
    for of_subject in starts.values():
        of_subject.sort()
    rows = []
    for label, person_id in known:
        end = label.end
        if end is None:
            of_subject = starts[label.subject]
            later = next(iter(of_subject[bisect_right(of_subject, label.start) :]), None)
            if part.open_until_end or later is None:
                tally.mend("open ends, which last until the video ends", label.place)
            else:
                tally.mend("open ends, which last until the next label", label.place)
                end = later
        if label.in_frames:
            tally.mend("frames, taken as their times")
        start_s = (video.frame_s(label.start) if label.in_frames else label.start) - begin_s
        end_s = video.duration_s if end is None else (video.frame_s(end) if label.in_frames else end) - begin_s
        row = _within(TruthRow(label.place, person_id, label.action, start_s, end_s), video.duration_s, tally)
        if row is not None:
            rows.append(row)
    return rows


def _within(row: TruthRow, duration_s: float, tally: Tally) -> TruthRow | None:
    reason = next((words for words, applies in _OUTSIDE if applies(row, duration_s)), None)
    if reason is not None:
        tally.leave_out(reason, row.place)
        return None
    if row.start_s < 0:
        tally.mend("starts before the video begins, cut there", row.place)
    if row.end_s > duration_s:
        tally.mend("ends after the video ends, cut there", row.place)
    return replace(row, start_s=max(0.0, row.start_s), end_s=min(duration_s, row.end_s))


_OUTSIDE: Final[tuple[tuple[str, Callable[[TruthRow, float], bool]], ...]] = (
    ("labels that end before they begin", lambda row, _: row.end_s < row.start_s),
    ("labels that begin and end at one moment", lambda row, _: row.end_s == row.start_s),
    ("labels that begin after the video ends", lambda row, duration_s: row.start_s >= duration_s),
    ("labels that end before the video begins", lambda row, _: row.end_s <= 0),
)
"""Why a label is left out."""


def _refuse_other_clock(
    file: LabelFile, known: Sequence[tuple[Label, int | None]], video: LabelledVideo, begin_s: float
) -> None:
    first = min((label for label, _ in known), key=lambda label: label.start)
    unit = "frame " if first.in_frames else ""
    second = "" if first.in_frames else " s"
    at = f"{unit}{first.start:.10g}{second}"
    raise TruthError(
        f"'{file.name}', {first.place}: the first label begins at {at}, and the video covers {begin_s:.10g} to "
        f"{begin_s + video.duration_s:.1f} s; enter when the labels begin, or give labels of this video."
    )


def _pairs_at_once(rows: Iterable[TruthRow]) -> frozenset[frozenset[str]]:
    """Return the pairs of actions that one person does at once for more than SLIP_S."""
    pairs: set[frozenset[str]] = set()
    active: list[TruthRow] = []
    for row in sorted(rows, key=lambda row: row.start_s):
        active = [one for one in active if one.end_s - row.start_s > SLIP_S]
        for one in active:
            at_once_s = min(one.end_s, row.end_s) - row.start_s
            if one.action != row.action and _same_person(one, row) and at_once_s > SLIP_S:
                pairs.add(frozenset((one.action, row.action)))
        active.append(row)
    return frozenset(pairs)


def _same_person(one: TruthRow, other: TruthRow) -> bool:
    return one.person_id == other.person_id or None in (one.person_id, other.person_id)


def _apart(rows: Sequence[TruthRow], answers: Answers) -> frozenset[str]:
    """Return the actions that are scored apart."""
    duration_s: Counter[str] = Counter()
    for row in rows:
        duration_s[row.action] += row.end_s - row.start_s  # type: ignore[assignment]  # a Counter may count seconds
    if answers.exclusive is not None:
        return frozenset(duration_s).difference(answers.exclusive)
    pairs = _pairs_at_once(rows)
    exclusive: set[str] = set()
    for action in sorted(duration_s, key=lambda action: (-duration_s[action], action)):
        if not any(frozenset((action, other)) in pairs for other in exclusive):
            exclusive.add(action)
    return frozenset(duration_s).difference(exclusive)


def _each(rows: Sequence[TruthRow], person_ids: Sequence[int]) -> list[TruthRow]:
    """Give each person a copy of a label of everyone, where it overlaps a label of somebody, or such a copy."""
    spans = _labelled_spans(rows)
    starts_s = [start_s for start_s, _ in spans]
    each: list[TruthRow] = []
    for row in rows:
        _, has_person = spans[bisect_right(starts_s, row.start_s) - 1]
        if row.person_id is None and has_person:
            each += [replace(row, person_id=person_id) for person_id in person_ids]
        else:
            each.append(row)
    return each


def _labelled_spans(rows: Iterable[TruthRow]) -> list[tuple[float, bool]]:
    """Return where each chain of overlapping labels starts, and whether any of them is somebody's."""
    spans: list[tuple[float, bool]] = []
    end_s = -math.inf
    for row in sorted(rows, key=lambda row: row.start_s):
        is_somebodys = row.person_id is not None
        if row.start_s < end_s:
            start_s, has_person = spans[-1]
            spans[-1] = start_s, has_person or is_somebodys
        else:
            spans.append((row.start_s, is_somebodys))
        end_s = max(end_s, row.end_s)
    return spans


def _one_at_a_time(rows: Sequence[TruthRow], tally: Tally) -> list[TruthRow]:
    """Return the labels so that nobody has two at once: the one that begins later counts.

    Labels of one action are joined where they overlap.
    """
    waiting = [(row.start_s, number, row) for number, row in enumerate(_merged(rows))]
    heapq.heapify(waiting)
    number = len(waiting)
    done: list[TruthRow] = []
    active: list[TruthRow] = []
    while waiting:
        _, _, row = heapq.heappop(waiting)
        still: list[TruthRow] = []
        for one in active:
            at_once_s = min(one.end_s, row.end_s) - row.start_s
            if at_once_s <= 0:
                (still if one.end_s > row.start_s else done).append(one)
            elif not _same_person(one, row):
                still.append(one)
            else:
                kind = f"overlaps of up to {1000 * SLIP_S:.0f} ms" if at_once_s <= SLIP_S else "longer overlaps"
                if one.action != row.action:
                    tally.mend(f"{kind}, in which the label that begins later counts", row.place)
                if row.start_s > one.start_s:
                    done.append(replace(one, end_s=row.start_s))
                if one.end_s > row.end_s:
                    rest = replace(one, start_s=row.end_s)
                    heapq.heappush(waiting, (rest.start_s, number, rest))
                    number += 1
        active = [*still, row]
    return sorted((*done, *active), key=lambda row: (row.start_s, row.end_s))


def _merged(rows: Collection[TruthRow]) -> list[TruthRow]:
    """Join overlapping labels of one person and action."""
    last: dict[tuple[int | None, str], TruthRow] = {}
    merged: list[TruthRow] = []
    for row in sorted(rows, key=lambda row: (row.start_s, row.end_s)):
        key = row.person_id, row.action
        earlier = last.get(key)
        if earlier is not None and row.start_s < earlier.end_s:
            last[key] = replace(earlier, end_s=max(earlier.end_s, row.end_s))
            continue
        if earlier is not None:
            merged.append(earlier)
        last[key] = row
    return sorted((*merged, *last.values()), key=lambda row: (row.start_s, row.end_s))
