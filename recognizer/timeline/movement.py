"""Whether people are still, slow or fast: the movement at each moment, in stretches of time, and in all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import NamedTuple

import numpy as np

from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.timeline.speeds import Speeds, Unknown, speeds_of


class Movement(Enum):
    """How fast a person travels."""

    STILL = "still"
    SLOW = "slow"
    FAST = "fast"


class Limits(NamedTuple):
    """The limits between still, slow and fast, in body heights per second."""

    still_below: float
    fast_from: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits in the settings; a fast limit below the other one counts as equal to it."""
        return cls(settings.still_below, max(settings.still_below, settings.fast_from))

    def movement(self, speed: float) -> Movement:
        """Return how a person of this speed moves."""
        if speed < self.still_below:
            return Movement.STILL
        return Movement.SLOW if speed < self.fast_from else Movement.FAST


def movements_of(speeds: Speeds, limits: Limits) -> list[Movement | Unknown]:
    """Return how a person moves in each sample, or why it is unknown."""
    return [
        reason or (Unknown.DEPTH if speed < limits.still_below <= closing else limits.movement(speed))
        for speed, closing, reason in zip(
            speeds.per_s.tolist(), speeds.closing_per_s.tolist(), speeds.unknown, strict=True
        )
    ]


class Span(NamedTuple):
    """A stretch of time in which a person moves in one way, ``[start_s, end_s)``; ``per_s`` is their mean speed."""

    start_s: float
    end_s: float
    movement: Movement | Unknown
    per_s: float | None


def spans_of(
    speeds: Speeds, presence: Sequence[tuple[float, float]], limits: Limits, least_s: float = 0.0
) -> list[Span]:
    """Return the stretches of each visit, in order of time.

    Args:
        speeds: the person's speeds.
        presence: their visits, half-open intervals.
        limits: the limits between still, slow and fast.
        least_s: shorter stretches join the longer one of their neighbours.
    """
    spans: list[Span] = []
    movements = movements_of(speeds, limits)
    for start_s, end_s in presence:
        first, past = np.searchsorted(speeds.time_s, (start_s, end_s)).tolist()
        if first == past:
            continue
        bounds = [start_s, *((speeds.time_s[first + 1 : past] + speeds.time_s[first : past - 1]) / 2).tolist(), end_s]
        runs = _merged(movements[first:past], bounds, least_s)
        for begin, end, movement in runs:
            known = speeds.per_s[first + begin : first + end]
            known = known[~np.isnan(known)]
            mean = float(known.mean()) if isinstance(movement, Movement) and len(known) else None
            spans.append(Span(bounds[begin], bounds[end], movement, mean))
    return spans


_Run = tuple[int, int, Movement | Unknown]
"""First sample, past the last, movement."""


def _merged(movements: Sequence[Movement | Unknown], bounds: Sequence[float], least_s: float) -> list[_Run]:
    """Return runs of equal movements; a run of under ``least_s`` joins the longer neighbour, the shortest first."""
    runs = _joined((k, k + 1, movement) for k, movement in enumerate(movements))
    while len(runs) > 1:
        # with its number, no two lengths are equal: of two neighbours at most one joins the other
        lengths = [(bounds[past] - bounds[first], k) for k, (first, past, _) in enumerate(runs)]
        around = [(inf, -1), *lengths, (inf, -1)]
        joins = [
            lengths[k][0] < least_s and lengths[k] < around[k] and lengths[k] < around[k + 2] for k in range(len(runs))
        ]
        if not any(joins):
            break
        # the borders of the visit count as infinitely long, but nothing can join them
        into = [
            1 if k == 0 else k - 1 if k == len(runs) - 1 or around[k] >= around[k + 2] else k + 1
            for k in range(len(runs))
        ]
        runs = _joined(
            (first, past, runs[into[k]][2] if joins[k] else movement) for k, (first, past, movement) in enumerate(runs)
        )
    return runs


def _joined(runs: Iterable[_Run]) -> list[_Run]:
    joined: list[_Run] = []
    for first, past, movement in runs:
        if joined and joined[-1][2] is movement:
            first, _, _ = joined.pop()
        joined.append((first, past, movement))
    return joined


@dataclass(frozen=True)
class Summary:
    """Totals of one person's movement.

    Attributes:
        seconds: seconds of each movement, and of each reason for none; only those that occur.
        mean_per_s: mean speed where it is known, in body heights per second; None if it is nowhere.
        max_per_s: highest speed.
    """

    seconds: dict[Movement | Unknown, float]
    mean_per_s: float | None
    max_per_s: float | None

    @property
    def known_s(self) -> float:
        """Seconds in which the movement is known."""
        return sum(seconds for movement, seconds in self.seconds.items() if isinstance(movement, Movement))

    def share(self, movement: Movement) -> float | None:
        """Return the share of the known time in which the person moved so; None if there is none."""
        return self.seconds.get(movement, 0.0) / self.known_s if self.known_s else None


def summary_of(speeds: Speeds, presence: Sequence[tuple[float, float]], limits: Limits) -> Summary:
    """Return how one person moved in all."""
    seconds: dict[Movement | Unknown, float] = {}
    travelled = 0.0
    for span in spans_of(speeds, presence, limits):
        length_s = span.end_s - span.start_s
        seconds[span.movement] = seconds.get(span.movement, 0.0) + length_s
        travelled += (span.per_s or 0.0) * length_s
    summary = Summary(seconds, None, None)
    if not summary.known_s:
        return summary
    return Summary(seconds, travelled / summary.known_s, float(np.nanmax(speeds.per_s)))


@dataclass(frozen=True)
class PersonMovement:
    """The measured movement of one person of a video.

    Attributes:
        person: the person.
        speeds: their speeds.
        limits: the limits in the settings.
    """

    person: PersonTrack
    speeds: Speeds
    limits: Limits

    @property
    def summary(self) -> Summary:
        """How they moved in all."""
        return summary_of(self.speeds, self.person.presence, self.limits)

    def spans(self, least_s: float = 0.0) -> list[Span]:
        """Return the stretches of each visit; see ``spans_of``."""
        return spans_of(self.speeds, self.person.presence, self.limits, least_s)


def people_moving(timeline: Timeline) -> Iterator[PersonMovement]:
    """Yield the movement of each person with samples; of nobody if the camera's motion was not measured."""
    if timeline.camera is None:
        return
    limits, size_wh = Limits.of(timeline.settings), (timeline.video.width, timeline.video.height)
    for person in timeline.people:
        if len(person.time_s):
            yield PersonMovement(person, speeds_of(person, timeline.camera, size_wh), limits)
