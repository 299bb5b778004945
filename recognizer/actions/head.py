"""A head: what is learned from examples. Which action it is, and whether it is any of them, are separate questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Centre, Descriptors, posture_vectors
from recognizer.actions.one_thread import on_one_thread
from recognizer.actions.posture import POSTURE

ACCEPTED_FROM: Final = 0.3
"""The confidence at the acceptance threshold: the page's default lowest confidence."""

_PENALTY: Final = 1 / 3
"""Weight of the squared length of the classifier's weights; 1 / C of other programs."""

_NEAREST_NONE: Final = 3
"""Nearest examples of none of these that count."""

_USUAL_SHARE: Final = 0.5
"""Share of an action's usual likeness to none of these that is subtracted: some actions are like everything."""

_KEPT_SHARE: Final = 0.9
"""The threshold accepts this share of the examples, each measured without its own video."""

_USUAL_THRESHOLD: Final = 0.03
_WITHOUT_NONE: Final = 0.12
_ENOUGH_NONE: Final = 10
"""Where nine tenths of the actions were accepted in places never seen (docs/own-actions.md): with so many examples of
none of these; without any, so much higher."""

_USUAL_VIDEOS: Final = 20
_MOST_OFF: Final = 0.04
"""The usual threshold counts like so many videos, and the examples move it by so much at most: videos of one room are
more alike than those of others will be."""

_LIKELIHOOD_SPREAD: Final = 0.1
"""Likeness above the threshold at which the odds of a name are e times as high."""

_LEAST_SQUARE: Final = 1e-12
"""An axis along which vectors reach less than this share of the largest square is none: it is rounding."""

_ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True, eq=False)
class Judged:
    """A head's answers for n moments.

    Attributes:
        confidence: float64 (n, k), for each of the head's names; a row sums up to at most 1. The highest is at least
            ``ACCEPTED_FROM`` where the moment is accepted.
        accepted: bool (n,), whether the moment is any of the actions at all.
    """

    confidence: NDArray[np.float64]
    accepted: NDArray[np.bool_]

    @property
    def best(self) -> NDArray[np.intp]:
        """int (n,), the name with the highest confidence."""
        return np.asarray(self.confidence.argmax(axis=1))


@dataclass(frozen=True, eq=False)
class Head:
    """A classifier learned from examples; F = 2 V * D + P numbers describe a moment.

    Attributes:
        names: the k actions, sorted.
        centre: what all moments have in common.
        weights: float32 (k, F), of the linear classifier that tells the actions apart.
        prototypes: float32 (k, F), the mean of each action's examples, of length 1.
        none: float32 (m, F), the examples of none of these actions, of length 1.
        threshold: likeness from which on a moment is any of the actions at all.
    """

    names: tuple[str, ...]
    centre: Centre
    weights: NDArray[np.float32]
    prototypes: NDArray[np.float32]
    none: NDArray[np.float32]
    threshold: float

    def judge(self, moments: Descriptors) -> Judged:
        """Return how sure each name is for each moment."""
        confidence = np.empty((len(moments), len(self.names)))
        for first in range(0, len(moments), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            some = Descriptors(moments.views[rows], moments.posture[rows])
            confidence[rows] = self._of_moments(some)
        return Judged(confidence, confidence.max(axis=1, initial=0.0) >= ACCEPTED_FROM)

    def judge_vectors(self, vectors: NDArray[np.float32]) -> Judged:
        """Return how sure each name is for moments that its centre already made comparable, (n, F)."""
        confidence = self._confidence(vectors)
        return Judged(confidence, confidence.max(axis=1, initial=0.0) >= ACCEPTED_FROM)

    def _of_moments(self, moments: Descriptors) -> NDArray[np.float64]:
        """Return the same as for ``centre.vectors(moments)``, without making these."""
        directions = np.concatenate((self.weights, self.prototypes, self.none))
        posture = posture_vectors(moments.posture)
        products, squares = self.centre.projected(moments.views, directions[:, : -posture.shape[1]])
        products += posture @ directions[:, -posture.shape[1] :].T
        lengths = np.sqrt(np.maximum(squares + np.einsum("np,np->n", posture, posture), 1e-18))
        count = len(self.names)
        near = products[:, count:] / lengths[:, None]
        found = _likeness(near[:, :count], near[:, count:], _usual(self.prototypes, self.none))
        return self._sure(products[:, :count], found)

    def _confidence(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._sure(vectors @ self.weights.T, likeness(vectors, self.prototypes, self.none))

    def _sure(self, scores: NDArray[np.float32], found: NDArray[np.float64]) -> NDArray[np.float64]:
        share = _softmax(scores)
        above = (found - self.threshold) / _LIKELIHOOD_SPREAD
        sure = 1 / (1 + (1 / ACCEPTED_FROM - 1) * np.exp(-np.clip(above, -50, 50)))
        relative = share / share.max(axis=1, keepdims=True)
        others = relative.sum(axis=1) - 1
        # the best name is as sure as any name at all; the others share what is left, in their order
        scale = np.minimum(sure, (1 - sure) / np.maximum(others, 1e-9))
        return np.where(relative == 1, sure[:, None], relative * scale[:, None])

    def to_arrays(self) -> dict[str, NDArray[np.floating]]:
        """Return the numbers; with the names, they are the whole head."""
        return {
            "centre": self.centre.views,
            "weights": self.weights,
            "prototypes": self.prototypes,
            "none": self.none,
            "threshold": np.array([self.threshold]),
        }

    @classmethod
    def from_arrays(cls, names: Sequence[str], arrays: Mapping[str, NDArray[np.floating]]) -> Head:
        """Return the head of these names and numbers.

        Raises:
            ValueError: an array is missing, has the wrong shape, or holds something that is not a finite number.
        """
        missing = {"centre", "weights", "prototypes", "none", "threshold"} - arrays.keys()
        if missing:
            raise ValueError(f"a head without {', '.join(sorted(missing))}")
        centre = arrays["centre"]
        numbers = 2 * centre.size + len(POSTURE)
        shapes = {"weights": (len(names), numbers), "prototypes": (len(names), numbers), "threshold": (1,)}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise ValueError(f"a head whose {name} are not all finite")
            if name in shapes and array.shape != shapes[name]:
                raise ValueError(f"a head whose {name} have the shape {array.shape}, not {shapes[name]}")
        if centre.ndim != 2 or arrays["none"].ndim != 2 or arrays["none"].shape[1] != numbers:
            raise ValueError(f"a head for features of shape {centre.shape} and {arrays['none'].shape}")
        weights, prototypes, none = (np.asarray(arrays[name], np.float32) for name in ("weights", "prototypes", "none"))
        return cls(
            tuple(names),
            Centre(np.asarray(centre, np.float32)),
            weights,
            prototypes,
            none,
            float(arrays["threshold"][0]),
        )


@on_one_thread
def learn(
    examples: Descriptors,
    names: Sequence[str | None],
    videos: Sequence[str],
    background: Descriptors | None = None,
) -> Head | None:
    """Return what examples teach.

    Args:
        examples: the marked moments.
        names: the action of each; None for none of these.
        videos: the video of each.
        background: other moments of the same people and places, without names; they tell what all moments share.

    Returns:
        None if there are no two kinds of examples, two actions or one action and none of these.
    """
    if len(set(names)) < 2:
        return None
    return Lesson.of(examples, names, videos, background).head()


@dataclass(frozen=True, eq=False)
class Lesson:
    """Examples, ready to learn from.

    Attributes:
        centre: what all moments have in common.
        vectors: float32 (n, F).
        names: the action of each; None for none of these.
        videos: the video of each.
    """

    centre: Centre
    vectors: NDArray[np.float32]
    names: tuple[str | None, ...]
    videos: tuple[str, ...]

    @classmethod
    def of(
        cls,
        examples: Descriptors,
        names: Sequence[str | None],
        videos: Sequence[str],
        background: Descriptors | None = None,
    ) -> Lesson:
        """Return the lesson of marked moments; see ``learn``.

        Raises:
            ValueError: examples, names and videos differ in number.
        """
        if not len(examples) == len(names) == len(videos):
            raise ValueError(f"{len(examples)} examples, but {len(names)} names and {len(videos)} videos")
        seen = examples if background is None else Descriptors.joined((examples, background))
        centre = Centre.of(seen.views)
        return cls(centre, centre.vectors(examples), tuple(names), tuple(videos))

    @property
    def actions(self) -> tuple[str, ...]:
        """The names, sorted, without none of these."""
        return tuple(sorted({name for name in self.names if name is not None}))

    def without(self, video: str) -> Lesson:
        """Return the lesson without the examples of one video."""
        kept = [k for k, one in enumerate(self.videos) if one != video]
        names, videos = tuple(self.names[k] for k in kept), tuple(self.videos[k] for k in kept)
        return Lesson(self.centre, self.vectors[kept], names, videos)

    def head(self) -> Head:
        """Return what is learned; of at least one action."""
        actions = self.actions
        named = np.array([name is not None for name in self.names])
        kinds = np.array([actions.index(name) for name in self.names if name is not None], np.intp)
        vectors = self.vectors[named]
        prototypes = _unit(np.stack([vectors[kinds == k].mean(axis=0) for k in range(len(actions))]))
        return Head(
            actions,
            self.centre,
            _classifier(vectors, kinds, len(actions)),
            prototypes,
            _unit(self.vectors[~named]),
            self._threshold(),
        )

    def _threshold(self) -> float:
        """Return the likeness that most examples reach, each measured without its own video, and near the usual one."""
        lacking = max(0.0, 1 - self.names.count(None) / _ENOUGH_NONE)
        usual = _USUAL_THRESHOLD + _WITHOUT_NONE * lacking
        found, videos = self._left_out()
        if not found:
            return usual
        reached = float(np.quantile(found, 1 - _KEPT_SHARE))
        moved = (videos * reached + _USUAL_VIDEOS * usual) / (videos + _USUAL_VIDEOS)
        return float(np.clip(moved, usual - _MOST_OFF, usual + _MOST_OFF))

    def _left_out(self) -> tuple[list[float], int]:
        """Return the likeness of each example that can be measured without its video, and how many videos those are."""
        found: list[float] = []
        measured = 0
        for video in sorted(set(self.videos)):
            rest = self.without(video)
            actions = set(rest.actions)
            rows = [k for k, one in enumerate(self.videos) if one == video and self.names[k] in actions]
            if rows:
                found.extend(likeness(self.vectors[rows], *rest._prototypes_alone()).tolist())
                measured += 1
        return found, measured

    def _prototypes_alone(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        named = np.array([name is not None for name in self.names])
        names = np.array([name or "" for name in self.names])
        means = np.stack([self.vectors[named & (names == one)].mean(axis=0) for one in self.actions])
        return _unit(means), _unit(self.vectors[~named])


def likeness(
    vectors: NDArray[np.float32], prototypes: NDArray[np.float32], none: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how alike moments are to the nearest action, less how alike they are to none of these; float64 (n,)."""
    own = _unit(vectors)
    return _likeness(own @ prototypes.T, own @ none.T, _usual(prototypes, none))


def _usual(prototypes: NDArray[np.float32], none: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how alike each action usually is to none of these, float32 (k,)."""
    return np.asarray((prototypes @ none.T).mean(axis=1) if len(none) else np.zeros(len(prototypes)), np.float32)


def _likeness(
    to_actions: NDArray[np.float32], to_none: NDArray[np.float32], usual: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the likeness from the cosines to each action, (n, k), and to each example of none of these, (n, m)."""
    if not to_none.shape[1]:
        return np.asarray(to_actions.max(axis=1), np.float64)
    nearest_none = np.sort(to_none, axis=1)[:, -_NEAREST_NONE:].mean(axis=1)
    return np.asarray((to_actions - _USUAL_SHARE * usual).max(axis=1) - nearest_none, np.float64)


def _classifier(vectors: NDArray[np.float32], kinds: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    """Return the weights, (count, F), of a logistic regression without offset that weighs all actions alike.

    Its solution lies in the span of the examples, so it is sought there: in as many numbers as there are examples.
    """
    from scipy.optimize import minimize  # 0.4 s to import, and the first page needs none of it

    within, axes = _span(vectors.astype(np.float64))
    share = 1 / (count * np.bincount(kinds, minlength=count)[kinds])
    target = np.eye(count)[kinds]
    penalty = _PENALTY / len(vectors)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(count, -1)
        scores = within @ weights.T
        probability = _softmax(scores)
        unlikely = -np.log(np.maximum(probability[np.arange(len(kinds)), kinds], 1e-300))
        slope = ((probability - target) * share[:, None]).T @ within + penalty * weights
        return float(share @ unlikely + penalty / 2 * (flat @ flat)), slope.ravel()

    found = minimize(loss, np.zeros(count * within.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x.reshape(count, -1) @ axes, np.float32)


def _span(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return n vectors along the axes of their span, (n, r), and these axes, (r, F), from the vectors' n x n products.

    A decomposition of the vectors themselves takes several times as long, and a hundred times on a busy machine.
    """
    values, directions = np.linalg.eigh(vectors @ vectors.T)
    kept = values >= _LEAST_SQUARE * values[-1]
    lengths = np.sqrt(np.maximum(values[kept], np.finfo(np.float64).tiny))  # all are 0 where all examples are the same
    return directions[:, kept] * lengths, (directions[:, kept] / lengths).T @ vectors


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    raised = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64))
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows / length, np.float32)
