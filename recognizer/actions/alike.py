"""Moments that look alike: those like a given one, and groups among many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Centre
from recognizer.actions.one_thread import on_one_thread

_ROWS_AT_ONCE: Final = 256
"""Rows whose numbers stay near the processor."""
_MOST_GROUPED: Final = 4000
"""Moments, evenly spread, that decide about the groups; the others join them."""
_DIRECTIONS: Final = 64
"""Directions in which groups are sought: those in which the moments differ most."""
_MOST_MEASURED: Final = 600
"""Moments, evenly spread, that decide about the directions."""
_LEAST_SHARE: Final = 1e-6
"""A direction in which moments differ by less than this share of the most is none."""
_SAME_GROUP_FROM: Final = 0.6
"""Cosine of two moments of one group in these directions."""


class FeatureRows(Protocol):
    """The features of many moments, such as a ``FeatureTable``."""

    def __len__(self) -> int: ...

    def values(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the features of these rows and how they change, float32 (m, 2 V, D)."""
        ...


@dataclass(frozen=True, eq=False)
class Alike:
    """Moments like a given one, the most alike first.

    Attributes:
        rows: int (m,).
        likeness: float32 (m,), cosine of the centred features and their changes, up to 1.
    """

    rows: NDArray[np.intp]
    likeness: NDArray[np.float32]


def alike(one: NDArray[np.float32], many: FeatureRows, centre: Centre, count: int = 100) -> Alike:
    """Return the moments whose features are most like those of one, (2 V, D).

    Args:
        one: the features to look for.
        many: where to look.
        centre: what all moments share; see ``centre_of``.
        count: most moments to return.
    """
    target = _unit(centre.features(one[None]))[0]
    likeness = np.empty(len(many), np.float32)
    for rows in _chunks(len(many)):
        products, squares = centre.projected(many.values(rows), target[None])
        likeness[rows] = products[:, 0] / np.sqrt(np.maximum(squares, 1e-18))
    best = np.argsort(-likeness, kind="stable")[:count]
    return Alike(best, likeness[best])


def centre_of(many: FeatureRows, most: int = 2000) -> Centre:
    """Return what moments share, from at most so many of them, evenly spread."""
    return Centre.of(many.values(_spread(len(many), most)))


@on_one_thread
def groups(many: FeatureRows, centre: Centre, least: int = 4, most: int = 12) -> list[NDArray[np.intp]]:
    """Return groups of moments that look alike, the largest first; rows nearest to a group's middle come first.

    The moment with most like it makes a group with them, then the next of the remaining ones, and so on.

    Args:
        many: the moments.
        centre: what all moments share.
        least: a group has at least so many moments.
        most: so many groups at most.
    """
    found = _directions(many, centre)
    sample = _spread(len(many), _MOST_GROUPED)
    near = found[sample] @ found[sample].T >= _SAME_GROUP_FROM
    free = np.ones(len(sample), np.bool_)
    middles: list[NDArray[np.float32]] = []
    while len(middles) < most and free.any():
        counts = np.where(free, near @ free.astype(np.float32), 0)
        members = near[counts.argmax()] & free
        free &= ~members
        if not members.any():
            break
        middles.append(found[sample][members].mean(axis=0))
    return _joined(found, middles, least)


def _joined(found: NDArray[np.float32], middles: Sequence[NDArray[np.float32]], least: int) -> list[NDArray[np.intp]]:
    if not middles:
        return []
    targets = np.stack([one / max(float(np.linalg.norm(one)), 1e-9) for one in middles])
    likeness = found @ targets.T
    nearest, highest = likeness.argmax(axis=1), likeness.max(axis=1)
    rows = [np.flatnonzero((nearest == k) & (highest >= _SAME_GROUP_FROM)) for k in range(len(middles))]
    ordered = [one[np.argsort(-highest[one], kind="stable")] for one in rows if len(one) >= least]
    return sorted(ordered, key=len, reverse=True)


def _directions(many: FeatureRows, centre: Centre) -> NDArray[np.float32]:
    """Return moments in the directions in which they differ most, of length 1; float32 (n, at most _DIRECTIONS)."""
    axes = _axes(centre.features(many.values(_spread(len(many), _MOST_MEASURED))))
    found = np.empty((len(many), len(axes)), np.float32)
    for rows in _chunks(len(many)):
        found[rows] = centre.features(many.values(rows)) @ axes.T
    return _unit(found)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _axes(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the directions in which rows differ most, float32 (at most _DIRECTIONS, F), from their n x n products.

    A decomposition of the rows themselves takes ten times as long, and a hundred times on a busy machine.
    """
    from scipy.linalg import eigh  # slow to import, as in head.py

    count = len(rows)
    values, vectors = eigh(rows @ rows.T, subset_by_index=(max(0, count - _DIRECTIONS), count - 1))
    kept = values > _LEAST_SHARE * values.max(initial=0)
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T @ rows, np.float32)


def _spread(n: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.intp)) if n else np.zeros(0, np.intp)


def _chunks(n: int) -> list[NDArray[np.intp]]:
    return [np.arange(first, min(n, first + _ROWS_AT_ONCE)) for first in range(0, n, _ROWS_AT_ONCE)]
