"""The description of a moment before it has a name: a network's features, and the box's posture and movement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.posture import POSTURE

CHANGE_WEIGHT: Final = 0.75
"""Length of a vector of changes next to the features, whose length is 1."""

POSTURE_WEIGHT: Final = 0.35
"""Length of a typical posture vector next to the features, whose length is 1."""

_MOST_SPREADS: Final = 3.0
_LEAST_LENGTH: Final = np.float32(1e-9)
"""A shorter vector has no direction."""
_ROWS_AT_ONCE: Final = 256
"""Rows whose numbers fit the processor's cache."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Features and posture of n moments.

    Attributes:
        views: float32 (n, 2 V, D), the network's features in V views, 1 (the crop) or 2 (the crop and the
            surroundings); then how they change, in the same views. See ``FeatureTable.values``.
        posture: float64 (n, P), see ``recognizer.actions.posture``; NaN where it is unknown.
    """

    views: NDArray[np.float32]
    posture: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.views.ndim != 3 or self.views.shape[1] % 2 or self.posture.shape != (len(self.views), len(POSTURE)):
            shapes = f"views {self.views.shape} and posture {self.posture.shape}"
            raise ValueError(f"Descriptors must be (n, 2 V, D) and (n, {len(POSTURE)}), got {shapes}")

    def __len__(self) -> int:
        return len(self.views)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Descriptors:
        """Return those of some moments."""
        return Descriptors(self.views[rows], self.posture[rows])

    @classmethod
    def joined(cls, parts: Sequence[Descriptors]) -> Descriptors:
        """Return those of all parts, in order; the parts have the same V and D."""
        return cls(np.concatenate([one.views for one in parts]), np.concatenate([one.posture for one in parts]))


@dataclass(frozen=True, eq=False)
class Centre:
    """Makes descriptors comparable: what all moments have in common is subtracted.

    Attributes:
        views: float32 (V, D), the mean of square-rooted features of length 1.
    """

    views: NDArray[np.float32]

    @classmethod
    def of(cls, views: NDArray[np.float32]) -> Centre:
        """Return the centre of features and changes, (n, 2 V, D)."""
        count = views.shape[1] // 2
        total = np.zeros((count, views.shape[2]), np.float64)
        for rows in _chunks(len(views)):
            total += _rooted(views[rows, :count]).sum(axis=0)
        return cls((total / max(1, len(views))).astype(np.float32))

    def features(self, views: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features and changes, (n, 2 V, D), as rows, float32 (n, 2 V * D); each view counts the same.

        Features are centred, of length 1; their square root keeps a few large ones from deciding alone. It is signed,
        since some networks' features are negative. Changes are of length ``CHANGE_WEIGHT``, 0 where they are unknown.
        """
        count, size = self._shape_for(views)
        found = np.empty((len(views), 2 * count, size), np.float32)
        for rows in _chunks(len(views)):
            found[rows, :count] = _unit(_rooted(views[rows, :count]) - self.views)
            found[rows, count:] = _unit(views[rows, count:].copy()) * np.float32(CHANGE_WEIGHT)
        found /= np.float32(np.sqrt(count))
        return found.reshape(len(views), 2 * self.views.size)

    def _shape_for(self, views: NDArray[np.float32]) -> tuple[int, int]:
        count, size = self.views.shape
        if views.shape[1:] != (2 * count, size):
            raise ValueError(f"features of shape {views.shape[1:]} do not fit a centre of shape {self.views.shape}")
        return count, size

    def projected(
        self, views: NDArray[np.float32], directions: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what ``features`` are in some directions, without making them: three times as fast.

        Args:
            views: float32 (n, 2 V, D), as ``features`` takes them.
            directions: float32 (k, 2 V * D).

        Returns:
            the products of features and directions, float32 (n, k), and the squared lengths of the features, (n,).
        """
        count, size = self._shape_for(views)
        along = directions.reshape(len(directions), 2 * count, size)
        products = np.zeros((len(views), len(directions)), np.float32)
        squares = np.zeros(len(views), np.float32)
        for rows in _chunks(len(views)):
            for k in range(count):
                self._add_view(k, views[rows, k], along[:, k], products[rows], squares[rows])
                _add_changes(views[rows, count + k], along[:, count + k], products[rows], squares[rows])
        products /= np.float32(np.sqrt(count))
        squares /= np.float32(count)
        return products, squares

    def _add_view(
        self,
        view: int,
        values: NDArray[np.float32],
        along: NDArray[np.float32],
        products: NDArray[np.float32],
        squares: NDArray[np.float32],
    ) -> None:
        """Add a view's share: of ``u - m`` of length 1, where ``u`` is the root of length 1, and ``m`` the centre."""
        middle = self.views[view]
        size = np.abs(values)
        scale = 1 / np.sqrt(np.maximum(size.sum(axis=1), _LEAST_LENGTH**2))  # the root's square is the number itself
        np.copysign(np.sqrt(size, out=size), values, out=size)
        of_middle = (size @ middle) * scale
        square = scale * scale * np.einsum("nd,nd->n", size, size) - 2 * of_middle + middle @ middle
        length = np.sqrt(np.maximum(square, _LEAST_LENGTH**2))
        products += ((size @ along.T) * scale[:, None] - along @ middle) / length[:, None]
        squares += np.maximum(square, 0) / length**2

    def vectors(self, moments: Descriptors) -> NDArray[np.float32]:
        """Return features, changes and posture side by side, float32 (n, 2 V * D + P)."""
        return np.hstack((self.features(moments.views), posture_vectors(moments.posture)))


def posture_vectors(posture: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return postures, (n, P), in spreads from the centre, weighted; an unknown number lies at the centre."""
    centres, spreads, weights = np.array([one[1:] for one in POSTURE]).T
    scaled = np.clip(np.nan_to_num((posture - centres) / spreads, nan=0.0), -_MOST_SPREADS, _MOST_SPREADS)
    return np.asarray(scaled * weights * (POSTURE_WEIGHT / np.linalg.norm(weights)), np.float32)


def _add_changes(
    changes: NDArray[np.float32],
    along: NDArray[np.float32],
    products: NDArray[np.float32],
    squares: NDArray[np.float32],
) -> None:
    square = np.einsum("nd,nd->n", changes, changes)
    length = np.maximum(np.sqrt(square), _LEAST_LENGTH)
    products += (changes @ along.T) * (CHANGE_WEIGHT / length)[:, None]
    squares += square * (CHANGE_WEIGHT / length) ** 2


def _rooted(views: NDArray[np.float32]) -> NDArray[np.float32]:
    rooted = np.sqrt(np.abs(views), dtype=np.float32)
    return _unit(np.copysign(rooted, views, out=rooted))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.sqrt(np.einsum("...d,...d->...", rows, rows))
    rows /= np.maximum(length, _LEAST_LENGTH)[..., None]
    return rows


def _chunks(n: int) -> Iterator[slice]:
    return (slice(first, first + _ROWS_AT_ONCE) for first in range(0, n, _ROWS_AT_ONCE))
