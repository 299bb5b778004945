"""From predictions and boxes to who did what, when. Golden cases: ``golden/segments_*.json``."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizer.settings import UNKNOWN_ACTION, Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.timeline.smoothing import votes
from recognizer.types import Box, Prediction, Segment, TrackedPerson
from tests.support.fakes import video_info

GOLDEN = sorted((Path(__file__).parent / "golden").glob("segments_*.json"))
NO_FRAMES = np.empty(0, np.float64)
TENTH = Settings(skip_frame=3)
"""A sample every 0.1 s at 30 frames a second."""


def timeline_of(*predictions: Prediction, end_s: float = 1000.0) -> Timeline:
    builder = TimelineBuilder(TENTH, 30.0)
    builder.add_people(end_s, [])
    builder.add_predictions(predictions)
    return builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True)


def someone(person_id: int = 1, box_xyxy: Box = (0, 0, 10, 20), confidence: float = 0.5) -> TrackedPerson:
    return TrackedPerson(person_id, box_xyxy, confidence)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem.removeprefix("segments_"))
def test_segments_are_as_in_the_golden_file(path: Path) -> None:
    golden: dict[str, Any] = json.loads(path.read_text("utf-8"))
    predictions = [
        Prediction(p["person_id"], p["start_s"], p["end_s"], tuple((a, b) for a, b in p["top"]), "scripted")
        for p in golden["predictions"]
    ]
    found = timeline_of(*predictions).segments(golden["min_confidence"], golden["min_duration_s"])
    assert [
        (s.person_id, s.action, pytest.approx(s.start_s), pytest.approx(s.end_s), pytest.approx(s.confidence))
        for s in found
    ] == [(s["person_id"], s["action"], s["start_s"], s["end_s"], s["confidence"]) for s in golden["segments"]], golden[
        "what"
    ]


def test_golden_files_exist() -> None:
    assert len(GOLDEN) >= 12


def test_a_swap_exchanges_samples_and_predictions_from_then_on() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    left, right = (0.0, 0.0, 10.0, 20.0), (100.0, 0.0, 110.0, 20.0)

    def says(person_id: int, start_s: float, label: str) -> Prediction:
        return Prediction(person_id, start_s, start_s + 0.4, ((label, 0.9),), "scripted")

    for k in range(20):
        # number 1 is on the left, but the tracker takes one for the other from 0.8 s until it is noticed at 1.4 s
        boxes = (left, right) if k < 8 or k >= 14 else (right, left)
        if k == 14:
            builder.swap(1, 2, since_s=0.8, noticed_s=1.4)
        builder.add_people(k / 10, [someone(number, box) for number, box in zip((1, 2), boxes, strict=True)])
    builder.add_predictions(says(1, start_s, "on the left") for start_s in (0.0, 0.4, 1.4))
    builder.add_predictions([says(2, 0.9, "on the left"), says(1, 0.9, "on the right"), says(2, 1.5, "on the right")])
    timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True)
    assert {tuple(box) for box in timeline.people[0].box_xyxy.tolist()} == {left}
    assert {tuple(box) for box in timeline.people[1].box_xyxy.tolist()} == {right}
    assert [len(track.time_s) for track in timeline.people] == [20, 20]
    assert {(p.person_id, p.top[0][0]) for p in timeline.predictions} == {(1, "on the left"), (2, "on the right")}


_predictions = st.builds(
    lambda steps, labels, length: [
        Prediction(1, start_s, start_s + length, ((label, p), ("other", p / 4)), "scripted")
        for start_s, (label, p) in zip(np.cumsum(steps).tolist(), labels, strict=False)
    ],
    steps=st.lists(st.sampled_from([0.25, 0.5, 1.0, 3.0]), min_size=1, max_size=20),
    labels=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.2, 0.5, 0.9])), min_size=20, max_size=20),
    length=st.sampled_from([0.5, 1.0, 2.0]),
)


@given(
    predictions=_predictions,
    min_confidence=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    min_duration_s=st.sampled_from([0.0, 0.6, 1.0, 2.5]),
)
@settings(max_examples=200)
def test_rules_of_segments_hold_for_any_predictions(
    predictions: list[Prediction], min_confidence: float, min_duration_s: float
) -> None:
    timeline = timeline_of(*predictions)
    found = timeline.segments(min_confidence, min_duration_s)
    plain = timeline.segments()
    # thresholds rename time, they do not remove it
    np.testing.assert_allclose(_covered(found), _covered(plain))
    for one in found:
        assert one.end_s > one.start_s
        assert 0 <= one.confidence <= 1
        if one.action != UNKNOWN_ACTION:
            assert one.duration_s >= min_duration_s - 1e-6
            assert one.confidence >= min_confidence - 1e-9
    for first, second in pairwise(found):
        assert second.start_s >= first.end_s - 1e-9, "segments of one person do not overlap"
        if second.start_s - first.end_s < 1e-6:
            assert first.action != second.action
    assert plain[0].start_s == predictions[0].start_s
    assert plain[-1].end_s == pytest.approx(predictions[-1].end_s)


@st.composite
def _overlapping(draw: st.DrawFn) -> list[Prediction]:
    """Return predictions for two people with five labels each, overlapping like a sampler's, with some gaps."""
    predictions = []
    for person_id in (1, 2):
        start_s = 0.0
        for _ in range(draw(st.integers(1, 25))):
            start_s += draw(st.sampled_from([0.25, 0.5, 0.5, 1.0, 4.0]))
            labels = draw(st.permutations("abcdefg"))[:5]
            first = draw(st.floats(0.15, 0.9))
            rest = (draw(st.floats(0.0, 1.0)) * min(first, (1 - first) / 4) for _ in range(4))
            top = sorted(zip((first, *rest), labels, strict=True), key=lambda one: -one[0])
            predictions.append(Prediction(person_id, start_s, start_s + 2.0, tuple((b, a) for a, b in top), "scripted"))
    return predictions


@given(
    predictions=_overlapping(),
    smoothing_s=st.sampled_from([0.0, 1.0]),
    min_confidence=st.sampled_from([0.0, 0.3, 0.5]),
    min_duration_s=st.sampled_from([0.0, 1.0, 2.5]),
)
@settings(max_examples=100)
def test_likely_labels_agree_with_the_segment(
    predictions: list[Prediction], smoothing_s: float, min_confidence: float, min_duration_s: float
) -> None:
    """Regression: with smoothing the list under a bar could begin with another label, or give its label another
    probability by up to 0.22, because it was made from the clips and the bar from their votes."""
    timeline = replace(timeline_of(*predictions), settings=Settings(smoothing_s=smoothing_s))
    segments = timeline.segments(min_confidence, min_duration_s)
    for segment, likely in zip(segments, timeline.likely_labels(segments), strict=True):
        label, probability = likely[0]
        assert 1 <= len(likely) <= 5
        assert len({label for label, _ in likely}) == len(likely)
        assert [p for _, p in likely[1:]] == sorted((p for _, p in likely[1:]), reverse=True)
        if segment.action == UNKNOWN_ACTION:
            # with smoothing, a label that is not the guess somewhere may be more probable there than the guess
            assert smoothing_s or probability <= segment.confidence + 1e-9
        else:
            assert label == segment.action
            assert probability == pytest.approx(segment.confidence, abs=1e-9)
        # the order of asking does not matter
        assert timeline.likely_labels([segment]) == [
            tuple((label, pytest.approx(probability, abs=1e-9)) for label, probability in likely)
        ]


@pytest.mark.parametrize("smoothing_s", [0.0, 1.0])
def test_of_an_unknown_segment_the_best_guess_comes_first(smoothing_s: float) -> None:
    predictions = [Prediction(1, k, k + 2.0, (("yoga", 0.2), ("tai chi", 0.15)), "x") for k in range(6)]
    timeline = replace(timeline_of(*predictions), settings=Settings(smoothing_s=smoothing_s))
    (segment,) = timeline.segments(min_confidence=0.3)
    assert (segment.action, segment.confidence) == (UNKNOWN_ACTION, pytest.approx(0.2))
    assert timeline.likely_labels([segment]) == [(("yoga", pytest.approx(0.2)), ("tai chi", pytest.approx(0.15)))]


def test_of_an_unknown_segment_the_guess_that_weighs_most_comes_first_with_its_mean() -> None:
    predictions = [
        Prediction(1, 0.0, 3.0, (("yoga", 0.2), ("tai chi", 0.1)), "x"),
        Prediction(1, 3.0, 4.0, (("tai chi", 0.28), ("yoga", 0.12)), "x"),
    ]
    timeline = timeline_of(*predictions)
    (segment,) = timeline.segments(min_confidence=0.3)
    assert segment.confidence == pytest.approx((3 * 0.2 + 0.28) / 4)
    assert timeline.likely_labels([segment]) == [(("yoga", pytest.approx(0.18)), ("tai chi", pytest.approx(0.145)))]


@pytest.mark.parametrize("smoothing_s", [0.0, 0.1])
def test_time_absorbed_by_a_minimum_duration_does_not_count(smoothing_s: float) -> None:
    """Regression: it was in the list under the bar, but not in the bar's probability."""
    predictions = [
        Prediction(1, 0.0, 4.0, (("yoga", 0.8), ("dancing", 0.1)), "x"),
        Prediction(1, 4.0, 4.5, (("jumping", 0.9),), "x"),
        Prediction(1, 4.5, 8.5, (("yoga", 0.6), ("dancing", 0.3)), "x"),
        Prediction(1, 8.5, 9.0, (("jumping", 0.9),), "x"),
        Prediction(1, 9.0, 13.0, (("yoga", 0.5), ("dancing", 0.4)), "x"),
    ]
    timeline = replace(timeline_of(*predictions), settings=Settings(smoothing_s=smoothing_s))
    (segment,) = timeline.segments(min_duration_s=1.0)
    ((label, probability), *rest) = timeline.likely_labels([segment])[0]
    assert (segment.action, label, segment.duration_s) == ("yoga", "yoga", pytest.approx(13.0))
    assert probability == pytest.approx(segment.confidence)
    if smoothing_s == 0:
        assert segment.counted == ((0.0, 4.0), (4.5, 8.5), (9.0, 13.0))
        assert probability == pytest.approx((0.8 + 0.6 + 0.5) / 3)
        assert rest == [("dancing", pytest.approx((0.1 + 0.3 + 0.4) / 3))]


def test_a_segment_of_a_person_without_predictions_has_no_likely_labels() -> None:
    timeline = timeline_of(Prediction(1, 0.0, 2.0, (("yoga", 0.8),), "x"))
    assert timeline.likely_labels([Segment(2, "yoga", 0.0, 1.0, 0.5), Segment(1, "yoga", 5.0, 6.0, 0.5)]) == [(), ()]


def _covered(segments: tuple[Segment, ...]) -> list[tuple[float, float]]:
    """Stretches without a break."""
    stretches: list[tuple[float, float]] = []
    for one in segments:
        if stretches and one.start_s - stretches[-1][1] < 1e-6:
            stretches[-1] = (stretches[-1][0], one.end_s)
        else:
            stretches.append((one.start_s, one.end_s))
    return stretches


def test_thresholds_change_after_the_analysis_without_the_classifier() -> None:
    timeline = timeline_of(
        Prediction(1, 0.0, 2.0, (("waving", 0.6),), "s"), Prediction(1, 2.0, 4.0, (("yoga", 0.3),), "s")
    )
    assert [s.action for s in timeline.segments()] == ["waving", "yoga"]
    assert [s.action for s in timeline.segments(min_confidence=0.5)] == ["waving", "unknown"]
    assert [s.action for s in timeline.segments(min_confidence=0.7)] == ["unknown"]
    assert [s.action for s in timeline.segments()] == ["waving", "yoga"]


def test_votes_are_counted_once_and_not_for_each_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: with smoothing, each move of a slider counted them again, which took most of the server's time."""
    counted = []

    def count(*arguments: Any) -> Any:
        counted.append(arguments)
        return votes(*arguments)

    monkeypatch.setattr("recognizer.timeline.segments.votes", count)
    prediction = Prediction(1, 0.0, 2.0, (("waving", 0.5),), "x")
    timeline = replace(timeline_of(prediction), settings=Settings(smoothing_s=1.0))
    assert [s.action for s in timeline.segments(0.3)] == ["waving"]
    assert [s.action for s in timeline.segments(0.6)] == [UNKNOWN_ACTION]
    assert len(counted) == 1


def test_presence_is_half_open_and_a_second_of_absence_does_not_end_it() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    for k in range(60):
        builder.add_people(k / 10, [someone()] if k < 10 or 19 <= k < 25 or k >= 40 else [])
    (track,) = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True).people
    assert track.presence == (pytest.approx((0.0, 2.5)), pytest.approx((4.0, 6.0)))
    assert track.present_s == pytest.approx(4.5)


def test_box_is_interpolated_between_samples_and_none_while_away() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    builder.add_people(0.0, [someone(box_xyxy=(0, 0, 10, 10))])
    builder.add_people(0.1, [someone(box_xyxy=(10, 0, 20, 10))])
    for k in range(2, 30):
        builder.add_people(k / 10, [])
    builder.add_people(3.0, [someone(box_xyxy=(100, 0, 110, 10))])
    (track,) = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True).people
    assert track.box_at(0.05) == pytest.approx((5, 0, 15, 10))
    assert track.box_at(1.0) is None
    assert track.box_at(3.0) == pytest.approx((100, 0, 110, 10))
    assert track.box_at(3.2) is None
    assert track.box_at(-0.1) is None


def test_box_does_not_move_after_the_last_sample_before_an_absence() -> None:
    """Regression: it moved at once towards the place of the person's return."""
    builder = TimelineBuilder(Settings(skip_frame=30), 10.0)  # a sample every 3 s
    for k, x in ((0, 0), (1, 0), (4, 300)):
        for empty in range(k - 2, k):
            if empty > 1:
                builder.add_people(empty * 3.0, [])
        builder.add_people(k * 3.0, [someone(box_xyxy=(x, 0, x + 10, 10))])
    (track,) = builder.build(video_info(10), frame_times_s=NO_FRAMES, complete=True).people
    assert track.presence == ((0.0, 6.0), (12.0, 15.0))
    assert track.box_at(5.9) == pytest.approx((0, 0, 10, 10))
    assert track.box_at(14.9) == pytest.approx((300, 0, 310, 10))


def test_nothing_lasts_beyond_the_end_of_the_last_frame() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    times_s = np.arange(31) / 30
    for k in range(0, 31, 3):
        builder.add_people(times_s[k], [someone()])
    builder.add_predictions([Prediction(1, 0.0, 1.1, (("waving", 0.6),), "s")])
    timeline = builder.build(video_info(), frame_times_s=times_s, complete=True)
    assert timeline.analysed_s == pytest.approx(31 / 30)
    assert timeline.people[0].presence == (pytest.approx((0.0, 31 / 30)),)
    assert timeline.predictions[0].end_s == pytest.approx(31 / 30)


def test_a_timeline_can_be_built_in_between_and_does_not_change_afterwards() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    builder.add_people(0.0, [someone()])
    early = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=False)
    builder.add_people(0.1, [someone(), someone(2)])
    builder.add_predictions([Prediction(1, 0.0, 0.2, (("waving", 0.6),), "s")])
    assert (len(early.people), len(early.people[0].time_s), early.predictions) == (1, 1, ())
    assert early.analysed_s == pytest.approx(0.1)
    assert not early.complete


def test_a_timeline_can_be_built_on_another_thread_while_it_grows() -> None:
    """Regression: an array that was being copied could not grow, which ended the analysis with a BufferError."""
    builder = TimelineBuilder(TENTH, 30.0)
    failures: list[BaseException] = []

    def grow() -> None:
        try:
            for k in range(120_000):
                builder.add_people(k / 10, [someone()])
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    thread = threading.Thread(target=grow)
    thread.start()
    while thread.is_alive():
        for track in builder.build(video_info(), frame_times_s=NO_FRAMES, complete=False).people:
            assert len(track.time_s) == len(track.box_xyxy) == len(track.confidence)
    thread.join()
    assert failures == []


def test_nobody_seen_gives_an_empty_timeline() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True)
    assert (timeline.people, timeline.predictions, timeline.segments(0.5, 1.0)) == ((), (), ())
    assert timeline.analysed_s == 0.0


def test_frame_rate_is_the_files_then_the_measured_then_thirty() -> None:
    assert frame_rate_hz(video_info(25)) == 25.0
    assert frame_rate_hz(video_info(None), [0.0, 0.1, 0.2, 0.3]) == pytest.approx(10.0)
    assert frame_rate_hz(video_info(None), [0.0]) == 30.0
    assert frame_rate_hz(video_info(None)) == 30.0


def test_the_latest_part_leaves_out_earlier_people_and_predictions() -> None:
    builder = TimelineBuilder(TENTH, 30.0)
    for k in range(100):
        people = [someone(1)] if k < 40 else [someone(2)] if k < 60 else [someone(2), someone(3)]
        builder.add_people(k / 10, people)
    predictions = [
        Prediction(p, k, k + 1.0, (("yoga", 0.9),), "scripted") for p, k in ((1, 1.0), (2, 4.0), (2, 6.0), (3, 8.0))
    ]
    builder.add_predictions(predictions)
    latest = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=False, since_s=6.5)
    assert [track.person_id for track in latest.people] == [2, 3]
    assert latest.people[0].time_s.tolist() == pytest.approx([k / 10 for k in range(65, 100)])
    assert len(latest.people[0].box_xyxy) == len(latest.people[0].confidence) == 35
    assert latest.people[0].presence == (pytest.approx((6.5, 10.0)),)
    assert [(p.person_id, p.start_s) for p in latest.predictions] == [(2, 6.0), (3, 8.0)]
    assert len(builder.build(video_info(), frame_times_s=NO_FRAMES, complete=False).people) == 3


class TestOnePersonOfSeveralTracks:
    def test_samples_are_joined_and_a_long_gap_stays_an_absence(self) -> None:
        builder = TimelineBuilder(TENTH, 30.0)
        for k in range(60):
            builder.add_people(k / 10, [someone(1 if k < 20 else 2, (k, 0, k + 10, 20))] if not 20 <= k < 40 else [])
        timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True, person_of={1: 1, 2: 1})
        (track,) = timeline.people
        assert track.presence == ((0.0, pytest.approx(2.0)), (4.0, pytest.approx(6.0)))
        assert len(track.time_s) == 40
        assert (np.diff(track.time_s) > 0).all()
        assert track.box_at(4.5) == pytest.approx((45, 0, 55, 20))
        assert track.box_at(3.0) is None

    def test_if_two_tracks_show_one_person_at_once_the_longer_one_counts(self) -> None:
        builder = TimelineBuilder(TENTH, 30.0)
        for k in range(20):
            twice = [someone(2, (0, 0, 10, 10))] if 5 <= k < 12 else []
            builder.add_people(k / 10, [someone(1), *twice])
        top = (("waving", 0.9),)
        builder.add_predictions([Prediction(1, k / 10, k / 10 + 1, top, "scripted") for k in range(10)])
        builder.add_predictions([Prediction(2, 0.5, 1.2, (("yoga", 0.9),), "scripted")])
        timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True, person_of={1: 1, 2: 1})
        (track,) = timeline.people
        assert (track.box_xyxy == (0, 0, 10, 20)).all()
        assert {prediction.top for prediction in timeline.predictions} == {top}

    def test_predictions_go_with_the_person_in_order_of_time(self) -> None:
        builder = TimelineBuilder(TENTH, 30.0)
        for k in range(40):
            builder.add_people(k / 10, [someone(5 if k < 20 else 3)])
        predictions = [Prediction(5, 0.0, 1.0, (("waving", 0.9),), "x"), Prediction(3, 2.0, 3.0, (("yoga", 0.9),), "x")]
        builder.add_predictions(reversed(predictions))
        timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True, person_of={5: 1, 3: 1})
        assert [(p.person_id, p.start_s) for p in timeline.predictions] == [(1, 0.0), (1, 2.0)]


class TestBrief:
    def seen_for(self, *seconds: float) -> Timeline:
        builder = TimelineBuilder(TENTH, 30.0)
        for k in range(100):
            builder.add_people(
                k / 10, [someone(n) for n, length_s in enumerate(seconds, 1) if k < round(length_s * 10)]
            )
        builder.add_predictions(Prediction(n, 0.0, 0.4, (("waving", 0.9),), "x") for n in range(1, len(seconds) + 1))
        return builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True)

    def test_under_a_second_in_all_is_brief(self) -> None:
        timeline = self.seen_for(5, 0.9, 1.0, 0.1)
        assert timeline.brief_ids == {2, 4}
        rest = timeline.without(timeline.brief_ids)
        assert [track.person_id for track in rest.people] == [1, 3]
        assert [prediction.person_id for prediction in rest.predictions] == [1, 3]
        assert len(timeline.people) == 4, "the whole stays as it was"
        assert [track.person_id for track in timeline.without_brief.people] == [1, 3]
        assert timeline.without_brief is timeline.without_brief, "with what it remembers"

    def test_if_everyone_is_brief_nobody_is_hidden(self) -> None:
        assert self.seen_for(0.5, 0.3).brief_ids == frozenset()
        assert self.seen_for().brief_ids == frozenset()
