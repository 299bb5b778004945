"""Labels folded into groups: before thresholds, in corrections too, and as a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from recognizer.errors import CorrectionsError
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Relabel
from recognizer.timeline.groups import LabelGroups, groups_from_json, groups_json
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction
from tests.support.exports import exported, person

BALLS = LabelGroups({"ball games": ("Dribbling basketball", "juggling soccer ball")})


def timeline() -> Timeline:
    return replace(
        exported().timeline,
        people=(person(1, 0.0, 6.0),),
        predictions=(
            Prediction(1, 0.0, 2.0, (("yoga", 0.4), ("juggling soccer ball", 0.3), ("dribbling basketball", 0.2)), "x"),
            Prediction(1, 2.0, 4.0, (("juggling soccer ball", 0.6), ("yoga", 0.1)), "x"),
            Prediction(1, 4.0, 6.0, (("tai chi", 0.9),), "x"),
        ),
    )


def test_group_has_the_probability_of_its_labels_and_its_segments_are_one() -> None:
    segments = BALLS.fold(Corrections().applied_to(timeline())).segments(min_confidence=0.45)
    assert [(one.action, one.start_s, one.end_s) for one in segments] == [
        ("ball games", 0.0, 4.0),
        ("tai chi", 4.0, 6.0),
    ]
    assert segments[0].confidence == pytest.approx((0.5 + 0.6) / 2)


def test_labels_in_no_group_become_the_other() -> None:
    groups = replace(BALLS, other="something else")
    segments = groups.fold(Corrections().applied_to(timeline())).segments()
    assert [one.action for one in segments] == ["ball games", "something else"]


def test_corrected_labels_are_folded_too() -> None:
    corrected = Corrections((Relabel(1, 4.0, 6.0, "Juggling Soccer Ball"),)).applied_to(timeline())
    segments = BALLS.fold(corrected).segments()
    assert [(one.action, one.source) for one in segments] == [("ball games", "machine"), ("ball games", "human")]


def test_the_networks_own_probabilities_are_folded_with_the_others() -> None:
    top = (("yoga", 0.2), ("juggling soccer ball", 0.15), ("dribbling basketball", 0.1))
    one = Prediction(1, 0.0, 2.0, top, "x", network_probabilities=(0.4, 0.3, 0.2))
    folded = BALLS.fold(Corrections().applied_to(replace(timeline(), predictions=(one,)))).timeline.predictions[0]
    assert [label for label, _ in folded.top] == ["ball games", "yoga"]
    assert folded.network_probabilities == pytest.approx((0.5, 0.4))


def test_folding_twice_is_folding_once() -> None:
    groups = replace(BALLS, other="something else")
    once = groups.fold(Corrections().applied_to(timeline()))
    assert groups.fold(once).timeline.predictions == once.timeline.predictions


def test_file_is_read_back() -> None:
    groups = replace(BALLS, other="übrige")
    assert groups_from_json(groups_json(groups), "g.json") == groups


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "'g.json' is not a file of label groups"),
        ('{"schema_version": "1.0", "groups": {"a": ["x"], "b": ["X"]}}', "'x' is listed twice"),
        ('{"schema_version": "1.0", "groups": {" ": ["x"]}}', "a group has no name"),
        ('{"schema_version": "3.0", "groups": {}}', "its schema version is '3.0'"),
        (" " * 1_000_001, "'g.json' is 1,000,001 bytes long, and label groups are short"),
    ],
)
def test_file_that_does_not_fit_gets_one_sentence(text: str, said: str) -> None:
    with pytest.raises(CorrectionsError, match=said):
        groups_from_json(text, "g.json")
