"""How sure a label is: both views must support it, and the person must move more than the background."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.classifier_specs import SPECS, EvidenceWeights
from recognizer.networks.classifiers.evidence import Support, confidence, stands_out, support, weighed
from recognizer.types import CROP_SIZE_PX, Clip

I3D = SPECS["i3d"].evidence
FULL_S = SPECS["i3d"].recommended_span_s
LABELS = 400


def scores(label: int, best: float) -> NDArray[np.float64]:
    """Return scores in which one label has ``best`` and the others are about 0."""
    made = np.random.default_rng(0).normal(0, 1.5, LABELS)
    made[label] = best
    return made


def moving(middle: float, edge: float, samples: int = 12) -> NDArray[np.uint8]:
    """Return crops whose middle and edge change by about this many levels of grey from one to the next."""
    rng = np.random.default_rng(1)
    crops = np.full((samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 100.0)
    third = CROP_SIZE_PX // 8
    for part, by in ((slice(None), edge), (slice(third, -third), middle)):
        side = len(range(CROP_SIZE_PX)[part])
        # blocks of 16 pixels, so that shrinking the picture does not average them away
        blocks = rng.uniform(-1, 1, (samples, -(-side // 16), -(-side // 16), 1)).repeat(16, 1).repeat(16, 2)
        crops[:, part, part] = 100 + 1.5 * by * blocks[:, :side, :side]
    return crops.clip(0, 255).astype(np.uint8)


def clip_of(crops: NDArray[np.uint8]) -> Clip:
    return Clip(1, 0.0, FULL_S, crops, crops)


def sure_of(crop: float, place: float, middle: float = 12, edge: float = 5) -> float:
    """Return I3D's confidence in a label with these scores in the two views."""
    evidence = support(clip_of(moving(middle, edge)), (scores(7, crop), scores(7, place)), 7, FULL_S)
    return confidence(evidence, I3D)


def test_a_place_alone_names_nobody() -> None:
    """Regression: line judges were named as playing tennis at 0.99, because the court outvoted the crop."""
    assert sure_of(crop=4, place=35) < 0.3
    assert sure_of(crop=25, place=35) > 0.9


def test_surroundings_that_say_otherwise_make_a_label_less_sure() -> None:
    assert sure_of(crop=20, place=2) < sure_of(crop=20, place=20) - 0.2


def test_a_crop_that_is_certain_needs_no_place() -> None:
    """Two arm wrestlers cover each other: in the surroundings of one, the other is painted over."""
    assert sure_of(crop=31, place=12) > 0.9


def test_surroundings_add_nothing_to_what_the_crop_supports() -> None:
    assert sure_of(crop=11, place=35) == pytest.approx(sure_of(crop=11, place=11))


@given(low=st.floats(0, 30), more=st.floats(0, 10))
def test_more_support_never_makes_a_label_less_sure(low: float, more: float) -> None:
    def sure(score: float) -> float:
        return confidence(Support(score, score / 2, 0.5), I3D)

    assert 0 < sure(low) <= sure(low + more) < 1


def test_who_moves_more_than_the_background_is_surer_to_do_something() -> None:
    acting, walking = sure_of(11, 11, middle=12, edge=2), sure_of(11, 11, middle=12, edge=12)
    assert acting > walking + 0.2


def test_motion_is_compared_with_the_edge_of_the_crop() -> None:
    assert stands_out(moving(12, 2)) > stands_out(moving(12, 6)) > stands_out(moving(12, 12))
    assert stands_out(moving(12, 12)) == pytest.approx(0, abs=0.15)
    assert stands_out(moving(0, 0)) == 0
    assert stands_out(moving(12, 2)[:1]) == 0, "one picture shows no motion"


def test_motion_in_a_short_clip_says_less() -> None:
    """A fifth of a second of a hand in motion made signers snap their fingers."""
    views = scores(7, 11), scores(7, 11)
    clip = clip_of(moving(12, 2))
    full = support(clip, views, 7, FULL_S)
    half = support(replace(clip, end_s=FULL_S / 2), views, 7, FULL_S)
    assert half.stands_out == pytest.approx(full.stands_out / 2)
    assert confidence(half, I3D) < confidence(full, I3D) - 0.2


def test_padding_beyond_the_frame_is_no_background() -> None:
    crops = moving(12, 6)
    padded = crops.copy()
    padded[:, :, : CROP_SIZE_PX // 8] = (110, 101, 96)
    assert stands_out(padded) == pytest.approx(stands_out(crops), abs=0.15)


def test_the_best_label_gets_its_confidence_and_the_others_keep_their_proportions() -> None:
    for sure in (0.05, 0.3, 0.6, 0.9, 0.998):
        after = weighed((0.6, 0.3, 0.1), sure)
        assert after[0] == sure
        assert after[1] / after[2] == pytest.approx(3)
        assert sum(after) <= 1 + 1e-9
        assert max(after) == after[0], "the order of the labels stays"


def test_the_weights_decide_what_counts() -> None:
    evidence = Support(own_score=2.0, own_odds=3.0, stands_out=0.5)
    for (own_score, own_odds, motion), value in zip(0.1 * np.eye(3), evidence, strict=True):
        weights = EvidenceWeights(0.2, float(own_score), float(own_odds), float(motion))
        assert confidence(evidence, weights) == pytest.approx(1 / (1 + math.exp(-0.2 - 0.1 * value)))
