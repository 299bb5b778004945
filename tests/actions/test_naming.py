"""Timelines with own names: what they say, how smoothing and groups take them, and that they say where it is from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recognizer.actions.naming import Verdicts, judged, learned, named
from recognizer.actions.provenance import MODE_KEY, SHA256_KEY, TITLE_KEY, Mode, own_names_in_words
from recognizer.settings import Settings
from recognizer.timeline.features import feature_table
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction
from tests.support.action_sets import action_set, example
from tests.support.featured import featured_timeline, labels_of

TIMELINE = featured_timeline(1, 60.0, action_s=12.0)
SET = action_set("walk", "sit")


def verdicts_of(*rows: tuple[float, float]) -> Verdicts:
    """Verdicts with these confidences of walking and sitting."""
    confidence = np.array(rows)
    return Verdicts(("walk", "sit"), confidence, confidence.max(axis=1) >= 0.3)


def timeline_of(*said: tuple[str, float], smoothing_s: float = 0.0, network: float | None = None) -> Timeline:
    """Clips of two seconds, one every second, with the network's label and confidence of each."""
    predictions = tuple(
        Prediction(1, float(k), k + 2.0, ((label, sure),), "i3d", () if network is None else (network,))
        for k, (label, sure) in enumerate(said)
    )
    return replace(TIMELINE, predictions=predictions, settings=Settings(smoothing_s=smoothing_s))


def test_own_names_stand_where_one_holds_and_the_networks_elsewhere() -> None:
    timeline = timeline_of(("yoga", 0.5), ("yoga", 0.4), ("tai chi", 0.2))
    own = named(timeline, verdicts_of((0.8, 0.1), (0.2, 0.1), (0.1, 0.2)), SET, "instead")
    assert [one.top[0] for one in own.predictions] == [("walk", 0.8), ("yoga", 0.4), ("tai chi", 0.2)]
    assert own.predictions[1] is timeline.predictions[1]
    assert [one.action for one in own.segments(0.3)] == ["walk", "yoga", "unknown"]


@pytest.mark.parametrize("mode", ["only", "beside"])
def test_own_names_alone_are_unknown_where_none_holds(mode: Mode) -> None:
    timeline = timeline_of(("yoga", 0.5), ("yoga", 0.4), ("tai chi", 0.2))
    own = named(timeline, verdicts_of((0.8, 0.1), (0.1, 0.25), (0.1, 0.6)), SET, mode)
    assert [one.top for one in own.predictions][1] == (("sit", 0.25), ("walk", 0.1))
    assert [one.action for one in own.segments(0.3)] == ["walk", "unknown", "sit"]
    assert [one.action for one in own.segments(0.0)] == ["walk", "sit"]


@pytest.mark.parametrize("network", [None, 0.99])
def test_smoothing_places_a_change_in_the_middle_however_sure_the_sides_are(network: float | None) -> None:
    """Regression: a sure label of the network would push an own name, which is rarely as sure, off its own time."""
    timeline = timeline_of(*[("yoga", 0.9)] * 10, smoothing_s=1.0, network=network)
    own = named(timeline, verdicts_of(*[(0.6, 0.01)] * 5, *[(0.1, 0.1)] * 5), SET, "instead")
    segments = own.segments(0.0)
    assert [one.action for one in segments] == ["walk", "yoga"]
    assert segments[0].end_s == pytest.approx(5.5, abs=0.1)
    assert segments[0].confidence == pytest.approx(0.55, abs=0.05)
    assert [one.action for one in own.segments(0.3) if one.action != "unknown"] == ["walk", "yoga"]


def test_smoothing_leaves_a_short_event_between_sure_neighbours() -> None:
    timeline = timeline_of(*[("yoga", 0.6)] * 13, smoothing_s=1.0, network=0.9)
    rows = [(0.9, 0.05)] * 5 + [(0.05, 0.9)] * 3 + [(0.9, 0.05)] * 5
    own = named(timeline, verdicts_of(*rows), SET, "only")
    assert [one.action for one in own.segments(0.3)] == ["walk", "sit", "walk"]


def test_smoothing_ends_a_name_where_none_holds() -> None:
    timeline = timeline_of(*[("yoga", 0.6)] * 12, smoothing_s=1.0, network=0.9)
    own = named(timeline, verdicts_of(*[(0.8, 0.05)] * 6, *[(0.03, 0.05)] * 6), SET, "only")
    walk, unknown = own.segments(0.3)
    assert (walk.action, unknown.action) == ("walk", "unknown")
    assert walk.end_s == pytest.approx(6.5, abs=0.6)


def test_groups_fold_own_names_and_the_networks_into_one() -> None:
    timeline = timeline_of(("yoga", 0.5), ("yoga", 0.4), ("tai chi", 0.2))
    own = named(timeline, verdicts_of((0.8, 0.1), (0.2, 0.1), (0.1, 0.2)), SET, "instead")
    groups = LabelGroups({"calm": ("yoga", "walk")})
    assert [one.top[0][0] for one in groups.folded(own).predictions] == ["calm", "calm", "tai chi"]


def test_a_taught_label_is_found_again_and_nothing_stored_changes() -> None:
    first, second, *others = labels_of(TIMELINE, 1)
    names = {first: "resting", second: "serving"}
    examples = tuple(
        replace(example(label, k, video=video), action=names.get(label))
        for video in (7, 8)
        for k, label in enumerate((first, second, *others))
    )
    taught = replace(action_set("resting", "serving"), examples=examples)
    table, head = feature_table(TIMELINE.predictions), learned(taught)
    assert table is not None
    assert head is not None
    before = TIMELINE.predictions
    own = named(TIMELINE, judged(TIMELINE, table, head), taught, "only")
    said = [
        (was.top[0][0], now.top[0][0] if now.top[0][1] >= 0.3 else None)
        for was, now in zip(before, own.predictions, strict=True)
    ]
    right = [names.get(was) == now for was, now in said]
    assert sum(right) / len(right) >= 0.9
    assert TIMELINE.predictions is before
    assert own_names_in_words(TIMELINE.provenance) is None
    assert own_names_in_words(own.provenance) == ("Everyday", "own names only, unknown elsewhere")
    assert {one.classifier for one in own.predictions} == {"i3d: Everyday"}
    assert {key: own.provenance[key] for key in (TITLE_KEY, SHA256_KEY, MODE_KEY)} == {
        TITLE_KEY: "Everyday",
        SHA256_KEY: taught.sha256,
        MODE_KEY: "only",
    }
    assert own.provenance.items() >= TIMELINE.provenance.items()


def test_a_clip_without_features_keeps_the_networks_label() -> None:
    first, second = labels_of(TIMELINE, 1)[:2]
    taught = replace(action_set(first, second), title="T")
    some = tuple(replace(one, features=None) if k == 3 else one for k, one in enumerate(TIMELINE.predictions))
    timeline = replace(TIMELINE, predictions=some)
    table, head = feature_table(some), learned(taught)
    assert table is not None
    assert head is not None
    verdicts = judged(timeline, table, head)
    assert not verdicts.accepted[3]
    assert named(timeline, verdicts, taught, "instead").predictions[3] is some[3]
    assert named(timeline, verdicts, taught, "only").predictions[3].top[0][1] == 0.0


def test_one_kind_of_examples_teaches_nothing() -> None:
    assert learned(action_set("walk")) is None
    assert learned(action_set(None)) is None
    assert learned(replace(SET, examples=())) is None
    assert learned(action_set("walk", None)) is not None
