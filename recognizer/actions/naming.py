"""A timeline with a user's own names in place of the network's labels, from kept features, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Head, learn
from recognizer.actions.model import ActionSet, background_of, unnamed
from recognizer.actions.posture import POSTURE, postures_of
from recognizer.actions.provenance import Mode, provenance_of
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.model import Timeline
from recognizer.timeline.segments import MOST_LIKELY
from recognizer.types import Prediction

_ROWS_AT_ONCE: Final = 256
"""Clips that are judged at once: their numbers, 4 MB, stay near the processor; more take twice as long."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """A head's answers for the n predictions of a timeline.

    Attributes:
        names: the head's names, by column.
        confidence: float64 (n, k), see ``head.Judged``; 0 where features are not kept.
        accepted: bool (n,), whether one of the names holds.
    """

    names: tuple[str, ...]
    confidence: NDArray[np.float64]
    accepted: NDArray[np.bool_]


def learned(actions: ActionSet, table: FeatureTable | None = None) -> Head | None:
    """Return what a set teaches; None until there are two kinds of examples, one of them an action.

    Args:
        actions: the set.
        table: features of a video that the set does not know and that will be named; they tell what moments share.
    """
    if not any(one.action is not None for one in actions.examples):
        return None
    parts = [] if actions.background is None else [actions.background]
    if table is not None and table.has.any():
        parts.append(unnamed(background_of(table)))
    examples = actions.examples
    return learn(
        actions.descriptors,
        [one.action for one in examples],
        [one.video_key for one in examples],
        Descriptors.joined(parts) if parts else None,
    )


def judged(timeline: Timeline, table: FeatureTable, head: Head) -> Verdicts:
    """Return what a head says of each prediction of a timeline, whose features ``table`` holds, row by row."""
    confidence = np.zeros((len(table), len(head.names)))
    accepted = np.zeros(len(table), np.bool_)
    posture = postures(timeline)
    known = np.flatnonzero(table.has)
    for first in range(0, len(known), _ROWS_AT_ONCE):
        rows = known[first : first + _ROWS_AT_ONCE]
        found = head.judge(Descriptors(table.values(rows), posture[rows]))
        confidence[rows], accepted[rows] = found.confidence, found.accepted
    return Verdicts(head.names, confidence, accepted)


def named(timeline: Timeline, verdicts: Verdicts, actions: ActionSet, mode: Mode) -> Timeline:
    """Return a timeline in which own names are said.

    Args:
        timeline: the analysis as the network said it, which stays as it is.
        verdicts: what the set's head says of its predictions; see ``judged``.
        actions: the set, for the provenance.
        mode: ``instead`` keeps the network's labels where no own name holds; otherwise own names are said alone, and
            are not confident where none holds.
    """
    kept = ~verdicts.accepted if mode == "instead" else np.zeros(len(verdicts.accepted), np.bool_)
    said = zip(timeline.predictions, kept.tolist(), _tops(verdicts), strict=True)
    predictions = tuple(one if keeps else _renamed(one, actions.title, *top) for one, keeps, top in said)
    provenance = {**timeline.provenance, **provenance_of(actions.title, actions.sha256, mode)}
    return replace(timeline, predictions=predictions, provenance=provenance)


_Top = tuple[tuple[tuple[str, float], ...], tuple[float, ...]]


def _tops(verdicts: Verdicts) -> Iterator[_Top]:
    """Yield, for each prediction, its most probable names with their confidences, and the share of each.

    Smoothing places changes by the shares (see ``Prediction.network_probabilities``): they say which name it is,
    however sure that is, so that own names weigh as much in it as the network's labels.
    """
    order = np.argsort(-verdicts.confidence, axis=1, kind="stable")[:, :MOST_LIKELY]
    values = np.take_along_axis(verdicts.confidence, order, axis=1)
    shares = values / np.maximum(verdicts.confidence.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    names = np.array(verdicts.names, object)[order].tolist()
    for labels, some, share in zip(names, values.tolist(), shares.tolist(), strict=True):
        yield tuple(zip(labels, some, strict=True)), tuple(share)


def _renamed(said: Prediction, title: str, top: tuple[tuple[str, float], ...], shares: tuple[float, ...]) -> Prediction:
    by = f"{said.classifier}: {title}"
    return Prediction(said.person_id, said.start_s, said.end_s, top, by, shares, said.features)


_posture_of: WeakKeyDictionary[Timeline, NDArray[np.float64]] = WeakKeyDictionary()


def postures(timeline: Timeline) -> NDArray[np.float64]:
    """Return the posture in each prediction's clip, float64 (n, P); they do not depend on a set, so they are kept."""
    found = _posture_of.get(timeline)
    if found is None:
        found = _posture_of[timeline] = _measured(timeline)
    return found


def _measured(timeline: Timeline) -> NDArray[np.float64]:
    found = np.full((len(timeline.predictions), len(POSTURE)), np.nan)
    people = np.array([one.person_id for one in timeline.predictions], np.intp)
    spans_s = np.array([(one.start_s, one.end_s) for one in timeline.predictions]).reshape(-1, 2)
    for track in timeline.people:
        rows = np.flatnonzero(people == track.person_id)
        if len(rows):
            found[rows] = postures_of(track, spans_s[rows], timeline.camera)
    return found
