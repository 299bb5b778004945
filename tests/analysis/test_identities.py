"""One person, one number over a whole file: stitched tracks, cuts, small people, and the same from a stored pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.analysis import closer_look
from recognizer.analysis.file import analyze, weakly_found
from recognizer.analysis.passes import PassStore
from recognizer.analysis.shown import frames_seen
from recognizer.analysis.stream import Recognizer
from recognizer.clips.sampling import ClipSampler
from recognizer.errors import VideoError
from recognizer.networks.loading import Models
from recognizer.people.tracking import PersonTracker
from recognizer.settings import LEAST_HEIGHT_PX, Settings, least_height_px
from recognizer.timeline.features import feature_table
from recognizer.timeline.model import Timeline
from recognizer.types import CROP_SIZE_PX, Box, Detection, Observation, TrackedPerson
from tests.support.fakes import ScriptedClassifier, numbered_frame, person, scripted_models, video_info
from tests.support.featured import FeaturedClassifier
from tests.support.runs import QUICK, MakeVideo
from tests.support.workbench import generated_timeline

LEFT: Box = (30, 20, 70, 140)
RIGHT: Box = (230, 20, 270, 140)
COLOURS = {LEFT: (200, 40, 40), RIGHT: (40, 60, 200)}

CONFIRMED_S = 0.1001
"""A person who enters later counts from their second sample: a single box may be a mistake."""

Seen = Callable[[float], Sequence[Box]]
"""Returns the boxes of the people at a time."""


class _Painted:
    """Detects the painted people; a picture carries its number in its first pixel."""

    def __init__(self, seen: Seen, fps: int) -> None:
        self._seen, self._fps = seen, fps
        self.calls = 0

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        self.calls += len(frames_rgb)
        times_s = [(int(rgb[0, 0, 0]) + 256 * int(rgb[0, 0, 1])) / self._fps for rgb in frames_rgb]
        return [[Detection(box, 0.9) for box in self._seen(time_s)] for time_s in times_s]


def ground(shot: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(shot)
    palette = rng.integers(20, 236, (3, 3), np.uint8)
    return np.repeat(np.repeat(palette[rng.integers(0, 3, (8, 10))], 26, axis=0), 32, axis=1)


def painted(
    make_video: MakeVideo, seen: Seen, duration_s: float, *, cut_s: float | None = None, name: str = "painted.mkv"
) -> tuple[Path, Models]:
    """Return a lossless video of coloured people, on another background after ``cut_s``, and models that find them."""
    fps = 30
    pictures = []
    for number in range(round(duration_s * fps)):
        rgb = ground(0 if cut_s is None or number / fps < cut_s else 1).copy()
        for left, top, right, bottom in seen(number / fps):
            colour = min((abs(box[0] - left), colour) for box, colour in COLOURS.items())[1]
            rgb[int(top) : int(bottom), int(left) : int(right)] = colour
        rgb[0, 0] = number % 256, number // 256, 0
        pictures.append(rgb)
    path = make_video(name, frames=pictures, fps=fps, codec="ffv1", pix_fmt="bgr0")
    return path, Models(_Painted(seen, fps), ScriptedClassifier(), {"detector_sha256": "0" * 64})


def away(box: Box, from_s: float, until_s: float, *others: Box) -> Seen:
    return lambda time_s: (*(() if from_s <= time_s < until_s else (box,)), *others)


def said(timeline: Timeline) -> list[tuple[int, float, float]]:
    return [(p.person_id, round(p.start_s, 3), round(p.end_s, 3)) for p in timeline.predictions]


def same(one: Timeline, other: Timeline) -> None:
    assert said(one) == said(other)
    assert [track.presence for track in one.people] == [track.presence for track in other.people]
    for a, b in zip(one.people, other.people, strict=True):
        np.testing.assert_array_equal(a.time_s, b.time_s)
        np.testing.assert_array_equal(a.box_xyxy, b.box_xyxy)


class TestStitchedFile:
    def test_a_person_who_returns_after_two_seconds_is_one_person_with_two_stays(self, make_video: MakeVideo) -> None:
        video, models = painted(make_video, away(LEFT, 2.0, 4.0), 6.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.person_id for track in timeline.people] == [1]
        assert timeline.people[0].presence == (
            (0.0, pytest.approx(2.0)),
            (pytest.approx(4.0, abs=CONFIRMED_S), pytest.approx(6.0)),
        )
        assert {person_id for person_id, _, _ in said(timeline)} == {1}
        assert not [p for p in timeline.predictions if p.start_s < 1.95 and p.end_s > 4.05], "no clip spans an absence"
        assert timeline.people[0].box_at(3.0) is None

    def test_features_stay_with_their_clips_when_tracks_are_joined(self, make_video: MakeVideo) -> None:
        video, models = painted(make_video, away(LEFT, 2.0, 4.0, RIGHT), 6.0)
        timeline = analyze(video, QUICK, models=replace(models, classifier=FeaturedClassifier()))
        table = feature_table(timeline.predictions)
        assert table is not None
        assert len(timeline.people) == 2
        starts_s = [one.start_s for one in timeline.predictions]
        assert table.values().max(axis=(1, 2)) == pytest.approx(starts_s, abs=1e-6)
        assert starts_s != sorted(starts_s), "by person, then by time"

    def test_another_in_other_colours_at_another_place_is_another_person(self, make_video: MakeVideo) -> None:
        seen: Seen = lambda time_s: (LEFT,) if time_s < 2 else () if time_s < 4 else (RIGHT,)  # noqa: E731
        video, models = painted(make_video, seen, 6.0)
        assert [track.presence for track in analyze(video, QUICK, models=models).people] == [
            ((0.0, pytest.approx(2.0)),),
            ((pytest.approx(4.0, abs=CONFIRMED_S), pytest.approx(6.0)),),
        ]

    def test_a_cancelled_run_is_stitched_as_far_as_it_went(self, make_video: MakeVideo) -> None:
        video, models = painted(make_video, away(LEFT, 1.0, 3.0), 6.0)
        done_s = 0.0

        def follow(progress: object) -> None:
            nonlocal done_s
            done_s = progress.analysed_s  # type: ignore[attr-defined]

        timeline = analyze(video, QUICK, models=models, progress=follow, cancel=lambda: done_s > 4.0)
        assert not timeline.complete
        assert [track.person_id for track in timeline.people] == [1]

    def test_a_live_stream_is_not_stitched_and_has_no_cuts(self) -> None:
        models = scripted_models(lambda number: () if 30 <= number < 90 else (person(),))
        one = Recognizer(models, QUICK, video_info())
        for number in range(120):
            one.step(numbered_frame(number, number / 30))
        assert [track.person_id for track in one.finish().people] == [1, 2]


class TestCut:
    def test_no_clip_mixes_two_shots_and_the_next_shot_has_another_person(self, make_video: MakeVideo) -> None:
        """In the same place, so that any tracker would continue the number."""
        seen: Seen = lambda time_s: ((30 + 30 * (time_s >= 2), 20, 70 + 30 * (time_s >= 2), 140),)  # noqa: E731
        video, models = painted(make_video, seen, 4.0, cut_s=2.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.presence for track in timeline.people] == [
            ((0.0, pytest.approx(2.0)),),
            ((pytest.approx(2.0), pytest.approx(4.0)),),
        ]
        assert all(p.end_s <= 2.001 or p.start_s >= 1.999 for p in timeline.predictions)

    def test_a_person_keeps_the_number_but_not_the_clip_over_a_jump_cut(self, make_video: MakeVideo) -> None:
        video, models = painted(make_video, lambda _: (LEFT,), 4.0, cut_s=2.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.presence for track in timeline.people] == [((0.0, pytest.approx(4.0)),)]
        assert all(p.end_s <= 2.001 or p.start_s >= 1.999 for p in timeline.predictions)

    def test_a_shot_that_ends_between_two_clips_still_gets_its_last_one(self) -> None:
        sampler = ClipSampler(QUICK, 30)
        crop = np.zeros((224, 224, 3), np.uint8)
        clips = []
        for k in range(8):
            someone = TrackedPerson(1 if k < 5 else 2, LEFT, 0.9)
            clips += sampler.add(Observation(k, k / 10, (someone,), (crop,), is_cut=k == 5))
        assert [(clip.person_id, clip.start_s, round(clip.end_s, 3)) for clip in clips] == [
            (1, 0.0, 0.4),
            (1, 0.1, 0.5),
        ]


class TestStoredPass:
    def test_a_timeline_from_the_record_is_the_same_with_its_cuts_and_absences(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        video, models = painted(make_video, away(LEFT, 1.0, 2.5, RIGHT), 5.0, cut_s=3.5)
        store = PassStore(tmp_path / "crops")
        first = analyze(video, QUICK, models=models, pass_store=store)
        assert isinstance(models.detector, _Painted)
        calls = models.detector.calls
        again = analyze(video, QUICK, models=models, pass_store=store)
        wider = analyze(
            video, Settings(**{**QUICK.as_dict(), "crop_margin_percentage": 50}), models=models, pass_store=store
        )
        assert models.detector.calls == calls, "nobody was detected again"
        same(first, analyze(video, QUICK, models=models))
        same(first, again)
        same(first, wider)
        assert len(first.people) == 2

    def test_what_the_network_saw_is_found_under_the_number_of_the_person(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        """Regression: a record has the tracker's numbers, and a stitched person has several of them."""
        video, models = painted(make_video, away(LEFT, 1.0, 2.5, RIGHT), 5.0)
        store = PassStore(tmp_path / "crops")
        timeline = analyze(video, QUICK, models=models, pass_store=store)
        assert len(timeline.people) == 2
        assert {p.person_id for p in timeline.predictions[::4]} == {1, 2}
        for prediction in timeline.predictions[::4]:
            kept = frames_seen(timeline, prediction, tmp_path / "nowhere.mkv", store)
            decoded = frames_seen(timeline, prediction, video, PassStore(tmp_path / "empty"))
            assert [frame.time_s for frame in kept] == [frame.time_s for frame in decoded]
            assert prediction.start_s == pytest.approx(kept[0].time_s)
            assert kept[-1].time_s < prediction.end_s
            for one, other in zip(kept, decoded, strict=True):
                np.testing.assert_allclose(one.rgb.astype(int), other.rgb.astype(int), atol=3)


CROSS_S = 3.0


def crossing(time_s: float) -> tuple[Box, ...]:
    """Two people walk towards each other and back; a tracker that expects them to go on swaps them."""
    x = max(8.0, 40 * abs(time_s - CROSS_S))
    return (150 - x - 20, 20, 150 - x + 20, 140), (150 + x - 20, 20, 150 + x + 20, 140)


class TestCrossing:
    def test_a_swap_is_undone_from_where_it_happened_also_from_the_record(
        self, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The tracker is made to swap the two; the file's colours tell."""
        track = PersonTracker.update

        def swapping(self: PersonTracker, rgb: NDArray[np.uint8], *args: object) -> list[TrackedPerson]:
            people = track(self, rgb, *args)  # type: ignore[arg-type]
            time_s = (int(rgb[0, 0, 0]) + 256 * int(rgb[0, 0, 1])) / 30
            return [replace(one, person_id=3 - one.person_id) for one in people][::-1] if time_s > CROSS_S else people

        monkeypatch.setattr(PersonTracker, "update", swapping)
        video, models = painted(make_video, crossing, 6.0)
        store = PassStore(tmp_path / "crops")
        timeline = analyze(video, QUICK, models=models, pass_store=store)
        for own, on_left in zip(timeline.people, (True, False), strict=True):
            centres = (own.box_xyxy[:, 0] + own.box_xyxy[:, 2]) / 2
            wrong_s = own.time_s[(centres < 150) != on_left]
            assert np.all(np.abs(wrong_s - CROSS_S) < 0.2), "right but for the moment in which one covers the other"
        same(timeline, analyze(video, QUICK, models=models, pass_store=store))
        wider = Settings(**{**QUICK.as_dict(), "crop_margin_percentage": 50})
        same(timeline, analyze(video, wider, models=models, pass_store=store))

    def test_a_crossing_of_people_who_look_alike_is_remarked(
        self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(COLOURS, RIGHT, COLOURS[LEFT])
        video, models = painted(make_video, crossing, 6.0)
        (remark,) = [note for note in analyze(video, QUICK, models=models).notes if "crossed" in note]
        assert "1 and 2 at 3." in remark


class TestWeak:
    TOLD = "1 person was found with less than the detector confidence of 0.4 on average (person 2)"

    def notes(self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, found: float, closer: float) -> list[str]:
        """Analyze two people; RIGHT is found well at first, then with ``found``, and from closer with ``closer``."""
        detect = _Painted.detect
        middle = CROP_SIZE_PX / 2
        enlarged: Box = (middle - 16, middle - 46, middle + 16, middle + 46)

        def weakly(self: _Painted, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
            if frames_rgb[0].shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3):
                return [[Detection(LEFT, 0.9), Detection(enlarged, closer)] for _ in frames_rgb]
            return [
                [
                    one if one.box_xyxy == LEFT or self.calls < 9 else replace(one, confidence=found)
                    for one in found_people
                ]
                for found_people in detect(self, frames_rgb)
            ]

        monkeypatch.setattr(_Painted, "detect", weakly)
        video, models = painted(make_video, lambda _: (LEFT, RIGHT), 4.0)
        return [note for note in analyze(video, QUICK, models=models).notes if "confidence" in note]

    @pytest.mark.parametrize(("found", "closer", "is_told"), [(0.2, 0.3, True), (0.2, 0.5, False), (0.5, 0.3, False)])
    def test_who_is_found_below_the_detector_confidence_from_closer_too_is_remarked(
        self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, found: float, closer: float, is_told: bool
    ) -> None:
        notes = self.notes(make_video, monkeypatch, found, closer)
        assert [note.startswith(self.TOLD) for note in notes] == [True] * is_told

    def test_whoever_pages_show_is_remarked_even_if_a_second_is_rounded_down(self) -> None:
        """A cloth that was there for 8.72 to 9.72 s was shown, but not remarked."""
        timeline = generated_timeline(2, 6.0)
        first, second = timeline.people
        just_a_second = ((8.72, 9.719999999999999),)
        weak = replace(second, presence=just_a_second, confidence=np.full_like(second.confidence, 0.2))
        shown = replace(timeline, people=(first, weak))
        assert weak.present_s < 1.0
        assert [one.person_id for one in shown.without_brief.people] == [1, 2]
        assert [one.person_id for one in weakly_found(shown)] == [2]

    def test_who_cannot_be_looked_at_from_closer_is_remarked(
        self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_still(*_: object, **__: object) -> NDArray[np.uint8]:
            raise VideoError("no time stamps")

        monkeypatch.setattr(closer_look, "still", no_still)
        (note,) = self.notes(make_video, monkeypatch, 0.2, 0.9)
        assert note.startswith(self.TOLD)


@pytest.mark.parametrize(("duration_s", "is_told"), [(1.0, True), (2.0, False)])
def test_a_video_shorter_than_half_a_clip_says_why_nobody_is_named(
    make_video: MakeVideo, duration_s: float, is_told: bool
) -> None:
    video, models = painted(make_video, lambda _: (LEFT, RIGHT), duration_s)
    clips_of_2_5_s = Settings(num_video_sequence_samples=25, skip_frame=3)
    notes = analyze(video, clips_of_2_5_s, models=models).notes
    assert ["half a clip (1.0 of 2.5 s)" in note for note in notes] == [True] * is_told
    assert [note.endswith("take a longer video.") for note in notes] == [True] * is_told


def test_clips_longer_than_the_video_are_to_be_shortened(make_video: MakeVideo) -> None:
    video, models = painted(make_video, lambda _: (LEFT, RIGHT), 2.0)
    (note,) = analyze(video, Settings(num_video_sequence_samples=32, skip_frame=6), models=models).notes
    assert note.endswith(
        "(2.0 of 6.4 s): so little is seldom enough for a name; lower the sequence length or the skip interval."
    )


class TestSmall:
    @pytest.mark.parametrize(("height", "is_labelled"), [(LEAST_HEIGHT_PX - 1, False), (LEAST_HEIGHT_PX + 1, True)])
    def test_a_person_under_forty_pixels_is_tracked_and_reported_but_not_labelled(
        self, make_video: MakeVideo, height: int, is_labelled: bool
    ) -> None:
        box: Box = (30, 20, 50, 20 + height)
        video, models = painted(make_video, lambda _: (box, RIGHT), 2.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.presence for track in timeline.people] == [((0.0, pytest.approx(2.0)),)] * 2
        assert {person_id for person_id, _, _ in said(timeline)} == ({1, 2} if is_labelled else {2})
        assert timeline.small_ids == (frozenset() if is_labelled else {1})
        assert any("1 person is under 40 pixels tall" in note for note in timeline.notes) is not is_labelled

    def test_a_person_who_walks_away_is_labelled_while_large_enough(self, make_video: MakeVideo) -> None:
        seen: Seen = lambda time_s: ((30, 20, 60, 20 + max(80 - 20 * time_s, 24)),)  # noqa: E731
        video, models = painted(make_video, seen, 3.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.presence for track in timeline.people] == [((0.0, pytest.approx(3.0)),)]
        assert max(p.end_s for p in timeline.predictions) == pytest.approx(2.1, abs=0.21)

    def test_a_fifth_of_a_tiny_picture_is_tall_enough_and_anything_if_the_height_is_unknown(self) -> None:
        assert least_height_px(100) == 20
        assert least_height_px(200) == LEAST_HEIGHT_PX
        assert least_height_px(1080) == LEAST_HEIGHT_PX
        assert least_height_px(0) == 0


class TestBorderAndOverlap:
    def test_a_person_half_outside_the_picture_is_labelled_from_a_padded_crop(self, make_video: MakeVideo) -> None:
        video, models = painted(make_video, lambda _: ((0, 20, 18, 140),), 2.0)
        timeline = analyze(video, QUICK, models=models)
        assert {person_id for person_id, _, _ in said(timeline)} == {1}

    def test_two_people_in_each_others_crops_are_each_labelled_from_their_own(self, make_video: MakeVideo) -> None:
        neighbour: Box = (55, 20, 95, 140)
        video, models = painted(make_video, lambda _: (LEFT, neighbour), 2.0)
        timeline = analyze(video, QUICK, models=models)
        assert [track.presence for track in timeline.people] == [((0.0, pytest.approx(2.0)),)] * 2
        assert [p for p, _, _ in said(timeline)].count(1) == [p for p, _, _ in said(timeline)].count(2)
