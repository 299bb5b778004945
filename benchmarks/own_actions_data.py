"""Labelled moments for ``benchmarks.own_actions``: reads a folder, and draws places to teach and places to measure.

A folder holds ``labels.tsv`` (video, who, from, to, action, place) and ``feat/VIDEO.npz`` (the clips' features of crop
and surroundings over time; people's boxes). An action named ``other:…`` is none of those that are taught.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.posture import posture_of
from recognizer.timeline.model import PersonTrack
from recognizer.types import ClipFeatures

TRANSITION = "?"
"""The label of a clip that shows no single action for most of its time."""

OTHER = "other:"
FALL = "fall"
"""Shorter than a clip: a clip that shows most of one is called so, whatever comes before and after."""

_CLIP_SHARE = 0.6
_FALL_SHARE = 0.7
_PART_OF_A_FALL = 0.35


class Span(NamedTuple):
    """One row of ``labels.tsv``."""

    who: str
    start_s: float
    end_s: float
    action: str
    place: str


@dataclass(frozen=True, eq=False)
class Library:
    """Labelled moments: n clips of people."""

    moments: Descriptors
    action: NDArray[np.str_]
    video: NDArray[np.str_]
    place: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def is_clear(self) -> NDArray[np.bool_]:
        """Which clips show one action."""
        return np.asarray(self.action != TRANSITION)

    def of(self, actions: Sequence[str]) -> NDArray[np.bool_]:
        """Return which clips show one of these actions."""
        return np.isin(self.action, actions)


def read(folder: Path) -> Library:
    """Return the labelled moments of a folder."""
    spans: dict[str, list[Span]] = defaultdict(list)
    with (folder / "labels.tsv").open(encoding="utf-8", newline="") as file:
        for video, who, start_s, end_s, action, place in csv.reader(file, delimiter="\t"):
            spans[video].append(Span(who, float(start_s), float(end_s), action, place))
    views, postures, labels = [], [], []
    for video, rows in spans.items():
        path = folder / "feat" / f"{video}.npz"
        if path.is_file():
            with np.load(path) as arrays:
                for features, posture, action in _clips(dict(arrays), rows):
                    views.append(features)
                    postures.append(posture)
                    labels.append((action, video, rows[0].place))
    if not labels:
        raise SystemExit(f"{folder} holds no labelled clips: labels.tsv and feat/*.npz are expected.")
    columns = (np.array(column) for column in zip(*labels, strict=True))
    return Library(Descriptors(np.stack(views), np.stack(postures)), *columns)


def _clips(
    arrays: dict[str, Any], spans: Sequence[Span]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64], str]]:
    boxes = arrays["boxes"]
    for k, person_id in enumerate(arrays["pid"].tolist()):
        start_s, end_s = float(arrays["start"][k]), float(arrays["end"][k])
        action = _action(boxes, person_id, start_s, end_s, spans)
        if action is None:
            continue
        own = boxes[boxes[:, 0] == person_id]
        track = PersonTrack(person_id, own[:, 1].astype(np.float64), own[:, 2:6], own[:, 6], ((0.0, np.inf),))
        kept = kept_features(arrays["crop"][k], arrays["around"][k])
        yield kept.values_and_change(), posture_of(track, start_s, end_s), action


def kept_features(*views: NDArray[np.floating]) -> ClipFeatures:
    """Return features, (D, T) in each view, NaN past the last time step, as an analysis keeps them."""
    known = [view[:, ~np.isnan(view[0])].astype(np.float32) for view in views]
    halves = [np.sign(2 * np.arange(view.shape[1]) - (view.shape[1] - 1)) for view in known]
    change = [view @ half for view, half in zip(known, halves, strict=True)]
    return ClipFeatures.rounded(np.stack([view.mean(axis=1) for view in known]), np.stack(change))


def _action(
    boxes: NDArray[np.float32], person_id: int, start_s: float, end_s: float, spans: Sequence[Span]
) -> str | None:
    """Return what most of a clip shows; TRANSITION if that is nothing, None if the person has no label there."""
    covered: dict[str, float] = defaultdict(float)
    own = [span for span in spans if person_id in _people(boxes, span)]
    falls = [(span, _overlap_s(span, start_s, end_s)) for span in own if span.action == FALL]
    for span in own:
        covered[span.action] += 0.0 if span.action == FALL else _overlap_s(span, start_s, end_s)
    if not any(_overlap_s(span, start_s, end_s) for span in own):
        return None
    if any(inside_s >= _FALL_SHARE * (span.end_s - span.start_s) for span, inside_s in falls):
        return FALL
    best = max(covered, key=lambda action: covered[action])
    is_part = any(inside_s > _PART_OF_A_FALL * (span.end_s - span.start_s) for span, inside_s in falls)
    if best == FALL or covered[best] < _CLIP_SHARE * (end_s - start_s) or is_part:
        return TRANSITION
    return best


def _overlap_s(span: Span, start_s: float, end_s: float) -> float:
    return max(0.0, min(end_s, span.end_s) - max(start_s, span.start_s))


def _people(boxes: NDArray[np.float32], span: Span) -> set[int]:
    """Return the people that a row of labels is about: all, the largest, the leftmost or the rightmost."""
    rows = boxes[(boxes[:, 1] >= span.start_s) & (boxes[:, 1] < span.end_s)]
    own = {int(one): rows[rows[:, 0] == one] for one in np.unique(rows[:, 0])}
    if span.who == "all" or not own:
        return set(own)
    area = {one: float(np.sum((some[:, 4] - some[:, 2]) * (some[:, 5] - some[:, 3]))) for one, some in own.items()}
    largest = max(area, key=lambda one: area[one])
    if span.who == "big":
        times = {one: set(np.round(some[:, 1], 3).tolist()) for one, some in own.items()}
        # where the largest person was lost and found again, they are several people, one after the other
        parts = {
            one
            for one in own
            if len(times[one] & times[largest]) <= 0.2 * len(times[one]) and area[one] > 0.1 * area[largest]
        }
        return parts | {largest}
    middle = {
        one: float(np.mean((some[:, 2] + some[:, 4]) / 2))
        for one, some in own.items()
        if area[one] > 0.15 * area[largest]
    }
    return {(min if span.who == "left" else max)(middle, key=lambda one: middle[one])}


def split(library: Library, actions: Sequence[str], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw whole places to teach with; the others are to measure. Each action has places of both, if it has two."""
    taught = library.of(actions)
    places = np.unique(library.place[taught])
    shown = np.array([np.isin(places, library.place[library.action == action]) for action in actions])
    number = shown.sum(axis=1)
    draws = rng.random((4000, len(places))) < 0.55
    here = draws @ shown.T.astype(int)
    there = number - here
    lacking = np.maximum(0, np.maximum(1, np.floor(0.4 * number)) - here)
    lacking += np.maximum(0, np.maximum(1, np.floor(0.3 * number)) - there)
    bad = lacking.sum(axis=1) + 5 * ((here < 1) | (there < 1)).sum(axis=1)
    chosen = set(places[draws[rng.choice(np.flatnonzero(bad == bad.min()))]].tolist())
    rest = np.setdiff1d(np.unique(library.place), places)
    chosen |= set(rest[rng.random(len(rest)) < 0.5].tolist())
    return np.array([place in chosen for place in library.place.tolist()])


def examples(
    library: Library, here: NDArray[np.bool_], count: int, actions: Sequence[str], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw ``count`` moments of each action, spread over places and videos."""
    drawn: list[int] = []
    for action in actions:
        rows = np.flatnonzero(here & (library.action == action))
        videos = np.unique(library.video[rows]).tolist()
        rng.shuffle(videos)
        pools = {one: rng.permutation(rows[library.video[rows] == one]).tolist() for one in videos}
        place = {one: str(library.place[pools[one][0]]) for one in videos}
        earlier = {one: [place[other] for other in videos[:k]].count(place[one]) for k, one in enumerate(videos)}
        order = sorted(videos, key=lambda one: earlier[one])
        got: list[int] = []
        while len(got) < count and any(pools.values()):
            for video in order:
                if pools[video] and len(got) < count:
                    got.append(pools[video].pop())
        drawn += got
    return np.array(drawn, np.intp)
