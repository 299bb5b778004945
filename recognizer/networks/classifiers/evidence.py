"""The evidence for a label: what a person's own clip says for it, besides the network's probability.

A network takes an empty tennis court for ``playing tennis``, whoever stands at its border. So a label counts only as
far as the person's crop supports it: the surroundings can take from that, but add nothing. And a person who does
something moves more than what is behind them; one who walks or stands does not. docs/accuracy.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.classifier_specs import EvidenceWeights
from recognizer.types import Clip

_SIDE_PX = 64
_MIDDLE = slice(16, 48)
_EDGE_PX = 8
"""Motion is measured at this size: in the middle half of the crop, and at its edge. A margin of 10 % is 5 pixels."""

_LEAST_EDGE = 50
"""With fewer pixels of the picture at the edge, nothing is known of the background. The others are padding."""


class Support(NamedTuple):
    """The evidence for the best label of one clip.

    Attributes:
        own_score: the label's score in the crop, or the mean of its scores in crop and surroundings if that is lower;
            each less the mean of all scores of its view.
        own_odds: the same for the logarithm of its odds.
        stands_out: the logarithm of the person's motion, in relation to that at the edge of the crop; in a short clip
            only its share, because a moment of motion says little about what somebody does.
    """

    own_score: float
    own_odds: float
    stands_out: float


def support(clip: Clip, views: Sequence[NDArray[np.float64]], label: int, full_s: float) -> Support:
    """Return the evidence for a label.

    Args:
        clip: the clip.
        views: the scores of the crop and of the surroundings, each (number of labels,).
        label: index of the label.
        full_s: seconds of a full clip.
    """
    share = min(1.0, (clip.end_s - clip.start_s) / full_s)
    return Support(
        _own(*(float(scores[label] - scores.mean()) for scores in views)),
        _own(*(_log_odds(scores, label) for scores in views)),
        stands_out(clip.rgb) * share,
    )


def confidence(evidence: Support, weights: EvidenceWeights) -> float:
    """Return how likely a label is right, given its evidence; 0 to 1, exclusive."""
    log_odds = (
        weights.constant
        + weights.own_score * evidence.own_score
        + weights.own_odds * evidence.own_odds
        + weights.stands_out * evidence.stands_out
    )
    return 1 / (1 + math.exp(-min(max(log_odds, -_MOST_LOG_ODDS), _MOST_LOG_ODDS)))


_MOST_LOG_ODDS = 6.0
"""No label is surer than 0.998: the sample behind the weights is small."""


def weighed(probabilities: Sequence[float], sure: float) -> tuple[float, ...]:
    """Return probabilities with ``sure`` for the first, the others in proportion to each other.

    They sum to 1 at most; the rest is the probability that no label fits.

    Args:
        probabilities: those of the best labels, descending.
        sure: how sure the first label is.
    """
    best, *others = probabilities
    share = min(sure / best, (1 - sure) / max(1 - best, np.finfo(np.float64).tiny))
    return sure, *(share * probability for probability in others)


def stands_out(crops_rgb: NDArray[np.uint8]) -> float:
    """Return the logarithm of the motion in the middle of a crop in relation to that at its edge.

    Motion is the mean absolute difference of successive pictures in levels of grey, plus 1 for noise. 0 if both move
    alike, as when the camera follows a walk.

    Args:
        crops_rgb: the crops of a clip, uint8 (N, S, S, 3).
    """
    if len(crops_rgb) < 2:
        return 0.0
    small = [cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA) for rgb in crops_rgb]
    return _stands_out(np.stack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in small]).astype(np.float32))


def _stands_out(grey: NDArray[np.float32]) -> float:
    change = np.abs(np.diff(grey, axis=0)).mean(axis=0)
    is_edge = np.ones((_SIDE_PX, _SIDE_PX), bool)
    is_edge[_EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX] = False
    edge = change[is_edge & (np.ptp(grey, axis=0) > 0)]
    behind = float(edge.mean()) if len(edge) >= _LEAST_EDGE else 0.0
    return math.log((1 + float(change[_MIDDLE, _MIDDLE].mean())) / (1 + behind))


def _own(crop: float, surroundings: float) -> float:
    return min(crop, (crop + surroundings) / 2)


def _log_odds(scores: NDArray[np.float64], label: int) -> float:
    """Return the logarithm of a label's odds: its score less that of all others together."""
    others = np.delete(scores, label)
    highest = float(others.max(initial=-np.inf))
    return float(scores[label]) - highest - math.log(float(np.exp(others - highest).sum()))
