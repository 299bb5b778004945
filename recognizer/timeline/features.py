"""The features of a timeline's predictions as arrays, and the network that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.timeline.model import Timeline
from recognizer.types import ClipFeatures, Prediction, packed_size, unpacked_change


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """The features of n predictions, in their order; see ``ClipFeatures``.

    Attributes:
        codes: uint8 (n, V, D); 0 where there are none.
        low: float32 (n, V).
        step: float32 (n, V).
        has: bool (n,), whether the prediction has features.
        rising: uint8 (n, V, ceil(D / 8)), see ``ClipFeatures``.
    """

    codes: NDArray[np.uint8]
    low: NDArray[np.float32]
    step: NDArray[np.float32]
    has: NDArray[np.bool_]
    rising: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.codes.dtype != np.uint8 or self.codes.ndim != 3:
            raise ValueError(f"FeatureTable.codes must be uint8 (n, V, D), got {self.codes.dtype} {self.codes.shape}")
        rows, views, _ = self.codes.shape
        shapes = self.low.shape, self.step.shape, self.has.shape
        if shapes != ((rows, views), (rows, views), (rows,)):
            raise ValueError(f"FeatureTable of codes {self.codes.shape} has low, step and has of shapes {shapes}")
        bits = rows, views, packed_size(self.codes.shape[2])
        if self.rising.dtype != np.uint8 or self.rising.shape != bits:
            raise ValueError(f"FeatureTable.rising must be uint8 {bits}, got {self.rising.dtype} {self.rising.shape}")

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def views(self) -> int:
        """V: 1 for the crop alone, 2 with the surroundings."""
        return int(self.codes.shape[1])

    @property
    def size(self) -> int:
        """D, the numbers of one view."""
        return int(self.codes.shape[2])

    def values(self, rows: Sequence[int] | NDArray[np.integer] | None = None) -> NDArray[np.float32]:
        """Return the numbers of these rows, or of all, and whether they rise: float32 (m, 2 V, D).

        See ``ClipFeatures.values_and_change``. All 0 where there are no features.
        """
        chosen = slice(None) if rows is None else np.asarray(rows, np.intp)
        codes = self.codes[chosen]
        found = np.empty((len(codes), 2 * self.views, self.size), np.float32)
        np.multiply(codes, self.step[chosen][..., None], out=found[:, : self.views])
        found[:, : self.views] += self.low[chosen][..., None]
        found[:, self.views :] = unpacked_change(self.rising[chosen], self.size)
        return found

    def row(self, k: int) -> ClipFeatures | None:
        """Return the features of one prediction, or None."""
        if not self.has[k]:
            return None
        return ClipFeatures(self.codes[k], self.low[k], self.step[k], self.rising[k])


def feature_table(predictions: Sequence[Prediction]) -> FeatureTable | None:
    """Return the features of predictions, in their order; None if none has any.

    A table holds one number of views and of features: that of most predictions. Others, such as those from before a
    change of settings during a live session, have no features in it.
    """
    kinds = Counter(one.features.codes.shape for one in predictions if one.features is not None)
    if not kinds:
        return None
    shape = kinds.most_common(1)[0][0]
    rows, views = len(predictions), shape[0]
    codes = np.zeros((rows, *shape), np.uint8)
    low, step = np.zeros((rows, views), np.float32), np.zeros((rows, views), np.float32)
    has = np.zeros(rows, np.bool_)
    rising = np.zeros((rows, views, packed_size(shape[1])), np.uint8)
    for k, one in enumerate(predictions):
        if one.features is not None and one.features.codes.shape == shape:
            codes[k], low[k], step[k], has[k] = one.features.codes, one.features.low, one.features.step, True
            rising[k] = one.features.rising
    return FeatureTable(codes, low, step, has, rising)


class FeatureSpace(NamedTuple):
    """A space in which features can be compared: those of one network with the same weights.

    The number format and the clip settings change features less than another person does, so they are not part of it.

    Attributes:
        classifier: name of the network, such as ``i3d``; that of its checkpoint follows after a colon.
        weights_sha256: hash of the file with its weights.
        size: the numbers of one view.
    """

    classifier: str
    weights_sha256: str
    size: int


def feature_space(timeline: Timeline, table: FeatureTable | None = None) -> FeatureSpace | None:
    """Return the space of a timeline's features; None if there are none, or the weights are not recorded.

    Args:
        timeline: states the network in its provenance.
        table: the kept features; those of the timeline's own predictions if None.
    """
    weights_sha256 = timeline.provenance.get("classifier_sha256")
    if weights_sha256 is None:
        return None
    if table is not None:
        size: int | None = table.size
    else:
        size = next((one.features.codes.shape[1] for one in timeline.predictions if one.features is not None), None)
    if size is None:
        return None
    classifier = timeline.provenance.get("classifier", timeline.settings.video_classifier_model)
    return FeatureSpace(classifier, weights_sha256, size)
