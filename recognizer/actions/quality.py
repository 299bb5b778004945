"""The quality of a set of examples: measured by leaving one video out at a time, and said in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Lesson
from recognizer.actions.one_thread import on_one_thread

_FEW_EXAMPLES: Final = 3
_ENOUGH_NONE: Final = 10
_MOST_ALIKE: Final = 5
"""Pairs of actions that look alike; nobody reads more, and the first ones to be mended change the others."""

_OFTEN: Final = 0.25
"""An action that is called another one in this share of its moments is often called so."""


@dataclass(frozen=True)
class Quality:
    """Scores of a set, where each video is named by what the others teach.

    Attributes:
        recall: for each action, the share of its examples that are named right.
        called: for each pair of an action and another name, the share of its examples that are called so; None as the
            other name stands for ``unknown``.
        named_others: share of the examples of none of these that get a name; None without any in two videos.
        sentences: what to do about it, the worst first.
    """

    recall: Mapping[str, float]
    called: Mapping[tuple[str, str | None], float]
    named_others: float | None
    sentences: tuple[str, ...]


@on_one_thread
def quality(
    examples: Descriptors,
    names: Sequence[str | None],
    videos: Sequence[str],
    background: Descriptors | None = None,
) -> Quality | None:
    """Return how good examples are; see ``recognizer.actions.head.learn`` for the arguments.

    Each video is named by what the others teach. An action whose examples are all in one video cannot be measured.

    Returns:
        None until there are two actions, or one and none of these, and every action has examples of two videos.
    """
    actions = sorted({name for name in names if name is not None})
    if not actions or len(set(names)) < 2 or any(len(_videos_of(one, names, videos)) < 2 for one in actions):
        return None
    said = _left_out(Lesson.of(examples, names, videos, background))
    calls: dict[str, list[str | None]] = defaultdict(list)
    others: list[str | None] = []
    for name, call in zip(names, said, strict=True):
        (others if name is None else calls[name]).append(call)
    recall = {one: _share(calls[one], one) for one in actions}
    called = {
        (one, call): _share(calls[one], call)
        for one in actions
        for call in sorted({*calls[one]} - {one}, key=lambda call: call or "")
    }
    measured = len(_videos_of(None, names, videos)) >= 2
    named_others = 1 - _share(others, None) if measured else None
    return Quality(recall, called, named_others, tuple(_advice(called, named_others)))


def _left_out(lesson: Lesson) -> list[str | None]:
    """Return what each example is called by the examples of all other videos; None for unknown."""
    said: list[str | None] = [None] * len(lesson.names)
    for video in sorted(set(lesson.videos)):
        rest = lesson.without(video)
        if not rest.actions:
            continue
        head = rest.head()
        rows = [k for k, one in enumerate(lesson.videos) if one == video]
        judged = head.judge_vectors(lesson.vectors[rows])
        for row, best, accepted in zip(rows, judged.best.tolist(), judged.accepted.tolist(), strict=True):
            said[row] = head.names[best] if accepted else None
    return said


def _advice(called: Mapping[tuple[str, str | None], float], named_others: float | None) -> Iterator[str]:
    for (name, other), share in sorted(called.items(), key=lambda one: -one[1]):
        if share < _OFTEN:
            continue
        if other is None:
            yield f"{name} is often not recognized: mark one more {name} in another video."
        else:
            yield f"{name} is often called {other}: mark one more {name} in another video."
    if named_others is not None and named_others >= _OFTEN:
        share = round(100 * named_others)
        yield f'{share} % of what is none of these gets a name: mark more moments "none of these".'


def warnings(
    examples: Descriptors,
    names: Sequence[str | None],
    videos: Sequence[str],
    background: Descriptors | None = None,
) -> dict[str | None, list[str]]:
    """Return where a set will fail, in words, for each action; under None, what concerns the whole set."""
    found: dict[str | None, list[str]] = defaultdict(list)
    for name in sorted({name for name in names if name is not None}):
        count = sum(one == name for one in names)
        if count < _FEW_EXAMPLES:
            found[name].append(f"Only {count} of at least {_FEW_EXAMPLES} moments: mark {_FEW_EXAMPLES - count} more.")
        if len(_videos_of(name, names, videos)) == 1:
            found[name].append("All in one video: mark moments in others too, in other places and of other people.")
    none = sum(one is None for one in names)
    if none < _ENOUGH_NONE:
        missing = f"mark {_ENOUGH_NONE - none} more" if none else f"mark about {_ENOUGH_NONE}"
        have = "Nothing is" if not none else "1 moment is" if none == 1 else f"{none} moments are"
        found[None].append(
            f'{have} marked "none of these", so other movements get these names: {missing}, in several videos.'
        )
    alike = list(_alike(Lesson.of(examples, names, videos, background)))
    for one, other in alike[:_MOST_ALIKE]:
        found[None].append(f"{one} and {other} look alike: mark more of both, or join them into one action.")
    if len(alike) > _MOST_ALIKE:
        found[None].append(f"Look-alikes not listed here: {len(alike) - _MOST_ALIKE}; begin with those above.")
    return dict(found)


def _alike(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Yield pairs of actions whose examples are as alike each other as among themselves, from video to video."""
    rows = lesson.vectors / np.maximum(np.linalg.norm(lesson.vectors, axis=1, keepdims=True), 1e-9)
    between = rows @ rows.T
    videos = np.array(lesson.videos)
    apart = videos[:, None] != videos[None, :]
    names = np.array([name or "" for name in lesson.names])

    def mean(one: str, other: str) -> float:
        pairs = (names == one)[:, None] & (names == other)[None, :] & apart
        return float(between[pairs].mean()) if pairs.any() else np.nan

    for k, one in enumerate(lesson.actions):
        for other in lesson.actions[k + 1 :]:
            if mean(one, other) >= min(mean(one, one), mean(other, other)):
                yield one, other


def _videos_of(name: str | None, names: Sequence[str | None], videos: Sequence[str]) -> set[str]:
    return {video for one, video in zip(names, videos, strict=True) if one == name}


def _share(values: Sequence[str | None], value: str | None) -> float:
    return sum(one == value for one in values) / len(values)
