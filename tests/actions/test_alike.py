"""Moments that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.alike import alike, centre_of, groups
from tests.support.own_actions import described, moments

NAMES = ("walking", "sitting", "reading", "climbing", "waving")


@dataclass(frozen=True)
class Rows:
    """Features in memory."""

    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.features)

    def values(self, rows: Sequence[int] | NDArray[np.integer] | None = None) -> NDArray[np.float32]:
        chosen = self.features if rows is None else self.features[np.asarray(rows, np.intp)]
        return described(chosen).views


def library(each: int = 10) -> Rows:
    return Rows(np.concatenate([moments(name, each, seed=k) for k, name in enumerate(NAMES)]))


def test_moments_of_the_same_kind_are_the_most_alike() -> None:
    many = library()
    found = alike(many.values([23])[0], many, centre_of(many), count=10)
    assert found.rows[0] == 23
    assert set((found.rows // 10).tolist()) == {2}
    assert (np.diff(found.likeness) <= 0).all()
    np.testing.assert_allclose(found.likeness[0], 1, rtol=1e-5)


def test_groups_gather_moments_of_one_kind_and_leave_single_ones() -> None:
    many = Rows(np.concatenate((library().features, moments("juggling", 2))))
    found = groups(many, centre_of(many))
    assert sorted(sorted(one.tolist()) for one in found) == [list(range(10 * k, 10 * k + 10)) for k in range(5)]


def test_groups_are_the_same_each_time() -> None:
    many = library()
    once, again = (groups(many, centre_of(many)) for _ in range(2))
    assert [one.tolist() for one in once] == [one.tolist() for one in again]


def test_nothing_gives_nothing() -> None:
    nothing = Rows(moments("walking", 0))
    assert groups(nothing, centre_of(nothing)) == []
    assert len(alike(described(moments("walking", 1)).views[0], nothing, centre_of(nothing)).rows) == 0
