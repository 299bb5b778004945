"""The stages together, on scripted people: golden runs in ``golden/run_*.json``, and what must hold around a run."""

from __future__ import annotations

import gc
import json
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recognizer.analysis import file
from recognizer.analysis.file import Progress, analyze
from recognizer.analysis.file_pass import frames_per_detection
from recognizer.analysis.passes import PassStore
from recognizer.analysis.stream import Recognizer
from recognizer.errors import VideoError
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Detection, Frame, Prediction, VideoInfo
from recognizer.video import PREFETCHED_FRAMES, VideoReader, prefetched
from tests.support.fakes import (
    Answer,
    Script,
    ScriptedClassifier,
    ScriptedDetector,
    always,
    numbered_frame,
    numbered_picture,
    numbered_video,
    person,
    scripted_models,
    video_info,
)

GOLDEN = sorted((Path(__file__).parent / "golden").glob("run_*.json"))
QUICK = Settings(num_video_sequence_samples=4, skip_frame=3)
"""At 30 frames a second a sample every 0.1 s, a clip every 0.3 s."""

LEFT = person((4, 8, 20, 44))
RIGHT = person((40, 8, 56, 44))

MakeVideo = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "decode"] == []


def detector_of(models: Models) -> ScriptedDetector:
    assert isinstance(models.detector, ScriptedDetector)
    return models.detector


def classifier_of(models: Models) -> ScriptedClassifier:
    assert isinstance(models.classifier, ScriptedClassifier)
    return models.classifier


def pushed(
    models: Models,
    settings: Settings,
    times_s: list[float],
    video: VideoInfo | None = None,
) -> tuple[Timeline, dict[int, list[Prediction]]]:
    """Push numbered frames; returns the timeline and what was said at each frame at which something was."""
    recognizer = Recognizer(models, settings, video or video_info())
    said = {}
    for number, time_s in enumerate(times_s):
        if predictions := recognizer.step(numbered_frame(number, time_s)):
            said[number] = predictions
    return recognizer.finish(), said


def even(frames: int, rate_hz: float = 30.0) -> list[float]:
    return [k / rate_hz for k in range(frames)]


def same(one: Timeline, other: Timeline) -> None:
    assert one.predictions == other.predictions
    assert one.segments() == other.segments()
    assert one.analysed_s == other.analysed_s
    assert one.notes == other.notes
    np.testing.assert_array_equal(one.frame_times_s, other.frame_times_s)
    assert [track.person_id for track in one.people] == [track.person_id for track in other.people]
    for a, b in zip(one.people, other.people, strict=True):
        assert a.presence == b.presence
        np.testing.assert_array_equal(a.time_s, b.time_s)
        np.testing.assert_array_equal(a.box_xyxy, b.box_xyxy)
        np.testing.assert_array_equal(a.confidence, b.confidence)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem.removeprefix("run_"))
def test_a_scripted_scene_gives_the_golden_timeline(path: Path) -> None:
    golden: dict[str, Any] = json.loads(path.read_text("utf-8"))
    rate = golden["frame_rate"]

    def script(number: int) -> list[Detection]:
        # a hair early, so that 0.5 s is the frame at 0.5 s whatever the rounding
        now_s = number / rate + 1e-9
        return [
            Detection(tuple(one["box_xyxy"]), 0.9)
            for one in golden["people"]
            if any(start <= now_s < end for start, end in one["there_s"])
        ]

    counter = iter(range(1000))
    models = scripted_models(script, lambda _: ((f"action {next(counter)}", 0.7),))
    timeline, _ = pushed(models, Settings(**golden["settings"]), even(golden["frames"], rate), video_info(rate))

    assert {
        str(track.person_id): [pytest.approx(interval) for interval in track.presence] for track in timeline.people
    } == {key: [tuple(interval) for interval in value] for key, value in golden["presence"].items()}, golden["what"]
    clips: dict[str, list[Any]] = {}
    for one in timeline.predictions:
        clips.setdefault(str(one.person_id), []).append([pytest.approx(one.start_s), pytest.approx(one.end_s)])
    assert clips == golden["clips"], golden["what"]
    boundaries: dict[str, list[Any]] = {}
    for segment in timeline.segments():
        mine = boundaries.setdefault(str(segment.person_id), [pytest.approx(segment.start_s, abs=1e-9)])
        mine.append(pytest.approx(segment.end_s))
    assert boundaries == golden["boundaries"], golden["what"]


def test_golden_runs_are_there() -> None:
    assert len(GOLDEN) >= 3


class TestLabels:
    def test_label_stays_with_person_when_another_enters(self) -> None:
        def says(clip: Clip) -> Answer:
            return (("yoga", 0.9),) if clip.person_id == 1 else (("jogging", 0.8),)

        models = scripted_models(lambda k: [LEFT, RIGHT] if k >= 30 else [LEFT], says)
        recognizer = Recognizer(models, QUICK, video_info())
        labels: dict[int, dict[int, str | None]] = {}
        for number, time_s in enumerate(even(60)):
            recognizer.step(numbered_frame(number, time_s))
            newest = {p.person_id: recognizer.latest_prediction(p.person_id) for p in recognizer.people}
            labels[number] = {key: value.top[0][0] if value else None for key, value in newest.items()}
        assert labels[6] == {1: None}
        assert labels[9] == {1: "yoga"}  # its own fourth sample
        assert labels[35] == {1: "yoga", 2: None}  # someone who is not labelled yet takes nothing away
        assert all(labels[number][1] == "yoga" for number in range(9, 60))
        first_of_second = min(number for number, those in labels.items() if those.get(2))
        assert labels[first_of_second] == {1: "yoga", 2: "jogging"}

    def test_first_label_comes_with_the_own_fourth_sample_and_the_next_after_three_new_ones(self) -> None:
        _, said = pushed(scripted_models(always(LEFT)), QUICK, even(60))
        assert list(said) == [9, 18, 27, 36, 45, 54]

    def test_two_people_may_do_the_same(self) -> None:
        timeline, _ = pushed(scripted_models(always(LEFT, RIGHT)), QUICK, even(60))
        segments = timeline.segments()
        assert [(s.person_id, s.action) for s in segments] == [(1, "waving"), (2, "waving")]
        assert [(s.start_s, s.end_s) for s in segments] == [pytest.approx((0, 2))] * 2

    def test_clips_of_several_people_go_to_the_classifier_together(self) -> None:
        models = scripted_models(always(LEFT, RIGHT))
        pushed(models, QUICK, even(30))
        assert set(classifier_of(models).batch_sizes) == {2}

    def test_label_survives_a_short_loss(self) -> None:
        recognizer = Recognizer(scripted_models(lambda k: [] if 30 <= k < 50 else [LEFT]), QUICK, video_info())
        for number, time_s in enumerate(even(52)):
            recognizer.step(numbered_frame(number, time_s))
        assert [p.person_id for p in recognizer.people] == [1]
        assert recognizer.latest_prediction(1) is not None

    def test_label_does_not_survive_a_hole_of_more_than_a_second(self) -> None:
        """Regression: to the tracker a hole is one call, so the number stays, but the label does not."""
        recognizer = Recognizer(scripted_models(always(LEFT)), QUICK, video_info())
        for number, time_s in enumerate([*even(23), *(5 + t for t in even(20))]):
            recognizer.step(numbered_frame(number, time_s))
            if number in (22, 23, 31, 32):
                newest = recognizer.latest_prediction(1)
                if number == 22:
                    assert newest is not None
                elif number < 32:
                    assert newest is None, "the last clip before the hole comes after it, and is no label for now"
                else:
                    assert newest is not None
                    assert newest.start_s >= 5
        covered = [(p.start_s, p.end_s) for p in recognizer.finish().predictions]
        assert not any(start_s < 1 and end_s > 4 for start_s, end_s in covered)
        assert max(end_s for _, end_s in covered if end_s < 4) == pytest.approx(0.8)

    def test_someone_seen_for_less_than_a_clip_is_present_without_a_label(self) -> None:
        timeline, said = pushed(scripted_models(lambda k: [LEFT] if k < 9 else []), QUICK, even(30))
        assert said == {}
        assert timeline.predictions == ()
        assert timeline.people[0].presence == (pytest.approx((0, 0.3)),)

    def test_samples_three_seconds_apart_still_give_labels(self) -> None:
        """skip 30 in a video of ten frames a second."""
        settings = Settings(num_video_sequence_samples=4, skip_frame=30)
        timeline, said = pushed(scripted_models(always(LEFT)), settings, even(300, 10.0), video_info(10))
        assert list(said) == [90, 180, 270]
        assert [track.presence for track in timeline.people] == [(pytest.approx((0, 30)),)]
        assert _covered_s(timeline) == pytest.approx(30)

    def test_predictions_keep_what_the_classifier_said(self) -> None:
        top = (("yoga", 0.5), ("tai chi", 0.2), ("waving", 0.1), ("jogging", 0.1), ("reading", 0.05))
        timeline, _ = pushed(scripted_models(always(LEFT), lambda _: top), QUICK, even(30))
        assert {p.top for p in timeline.predictions} == {top}


def _covered_s(timeline: Timeline) -> float:
    return sum(segment.duration_s for segment in timeline.segments())


class TestTime:
    def test_only_sampled_frames_are_detected(self, make_video: MakeVideo) -> None:
        models = scripted_models(always(LEFT))
        pushed(models, QUICK, even(30))
        assert detector_of(models).seen == list(range(0, 30, 3))
        models = scripted_models(always(LEFT))
        analyze(numbered_video(make_video, 30), QUICK, models=models)
        assert detector_of(models).seen == list(range(0, 30, 3))
        assert detector_of(models).batch_sizes == [4, 4, 2]

    def test_a_variable_rate_is_sampled_by_time(self, make_video: MakeVideo) -> None:
        times_s = [k / 10 for k in range(10)] + [1 + k / 50 for k in range(50)]
        models = scripted_models(always(LEFT))
        timeline = analyze(numbered_video(make_video, 60, times_s=times_s), QUICK, models=models)
        np.testing.assert_allclose(timeline.frame_times_s, times_s, atol=0.0011)
        interval_s = QUICK.sample_interval_s(timeline.frame_rate_hz)
        between = np.diff(timeline.people[0].time_s)
        assert between.max() <= max(interval_s, 0.1) + 0.021
        assert between.min() >= interval_s - 0.021

    def test_a_hole_in_the_file_is_nobodys_presence(self, make_video: MakeVideo) -> None:
        times_s = [*even(30), *(6 + t for t in even(30))]
        video = numbered_video(make_video, 60, times_s=times_s)
        settings = Settings(num_video_sequence_samples=4, skip_frame=1)
        timeline = analyze(video, settings, models=scripted_models(always(LEFT)))
        ((_, end_s), (start_s, _)) = timeline.people[0].presence
        assert end_s == pytest.approx(1, abs=0.2)
        assert start_s == pytest.approx(6, abs=0.01)
        assert all(segment.end_s < 1.3 or segment.start_s > 5.9 for segment in timeline.segments())

    def test_a_late_start_is_zero(self, make_video: MakeVideo) -> None:
        video = numbered_video(make_video, 30, times_s=[3 + t for t in even(30)])
        timeline = analyze(video, QUICK, models=scripted_models(always(LEFT)))
        assert timeline.frame_times_s[0] == 0
        assert timeline.people[0].presence[0][0] == 0

    def test_an_unknown_rate_is_taken_as_thirty(self) -> None:
        models = scripted_models(always(LEFT))
        pushed(models, QUICK, even(30), video_info(None))
        assert detector_of(models).seen == list(range(0, 30, 3))

    def test_nothing_lasts_longer_than_the_video(self, make_video: MakeVideo) -> None:
        timeline = analyze(numbered_video(make_video, 31), QUICK, models=scripted_models(always(LEFT)))
        assert timeline.analysed_s == pytest.approx(31 / 30, abs=0.002)
        assert timeline.people[0].presence[-1][1] <= timeline.analysed_s
        assert timeline.segments()[-1].end_s <= timeline.analysed_s


class TestAnalyze:
    def test_pushing_and_reading_a_file_give_the_same(self, make_video: MakeVideo) -> None:
        def script(number: int) -> list[Detection]:
            moved = person((4 + number / 8, 8, 20 + number / 8, 44), 0.5 + number / 1000)
            return [moved, RIGHT] if 40 < number < 110 else [moved]

        video = numbered_video(make_video, 120, fps=Fraction(30000, 1001))
        from_file = analyze(video, QUICK, models=scripted_models(script))
        recognizer = Recognizer(scripted_models(script), QUICK, from_file.video)
        for number, time_s in enumerate(from_file.frame_times_s.tolist()):
            recognizer.step(numbered_frame(number, time_s))
        same(recognizer.finish(), from_file)
        assert len(from_file.people) == 2

    def test_a_video_without_people_gives_an_empty_timeline(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        for _ in range(2):
            timeline = analyze(
                numbered_video(make_video, 30), QUICK, models=scripted_models(always()), pass_store=store
            )
            assert (timeline.people, timeline.predictions, timeline.complete) == ((), (), True)
            assert timeline.analysed_s == pytest.approx(1, abs=0.002)

    def test_a_video_of_one_frame_works(self, make_video: MakeVideo) -> None:
        settings = Settings(num_video_sequence_samples=1)
        timeline = analyze(numbered_video(make_video, 1), settings, models=scripted_models(always(LEFT)))
        assert timeline.complete
        assert len(timeline.predictions) == 1

    def test_progress_only_grows_and_reaches_the_end(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 90)
        for from_crops in (False, True):
            reports: list[Progress] = []
            analyze(
                video,
                QUICK,
                models=scripted_models(always(LEFT)),
                progress=reports.append,
                pass_store=store,
            )
            done_s = [report.analysed_s for report in reports]
            assert done_s == sorted(done_s)
            assert done_s[-1] == pytest.approx(3, abs=0.11)
            assert {report.from_crops for report in reports} == {from_crops}
            assert all(report.duration_s == pytest.approx(3, abs=0.01) for report in reports)

    def test_no_rate_is_told_before_it_can_be(self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
        """Regression: the crops of an earlier pass are read at once, and 12,000 frames/s were told."""
        now_s = [0.0]

        def say(_: Clip) -> Answer:
            now_s[0] += 0.2
            return (("waving", 0.6),)

        monkeypatch.setattr(file, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
        reports: list[tuple[float, Progress]] = []
        models = scripted_models(always(LEFT), say)
        video = numbered_video(make_video, 90)
        analyze(video, QUICK, models=models, progress=lambda report: reports.append((now_s[0], report)))
        early = [report for at_s, report in reports if at_s <= 0.5]
        later = [(at_s, report) for at_s, report in reports if at_s > 0.5]
        assert {(report.frames_per_s, report.remaining_s) for report in early} == {(None, None)}
        for at_s, report in later:
            assert report.frames_per_s == pytest.approx(report.analysed_s / at_s * 30)
            assert report.remaining_s == pytest.approx((3 - report.analysed_s) / report.analysed_s * at_s, abs=0.05)
        assert len(early) > 1
        assert len(later) > 1

    def test_the_timeline_fills_as_it_goes(self, make_video: MakeVideo) -> None:
        counts: list[tuple[int, int]] = []

        def progress(report: Progress) -> None:
            timeline = report.timeline()
            assert not timeline.complete
            assert timeline.analysed_s >= report.analysed_s
            counts.append((len(timeline.people[0].time_s), len(timeline.predictions)))

        analyze(numbered_video(make_video, 90), QUICK, models=scripted_models(always(LEFT)), progress=progress)
        assert counts == sorted(counts)
        assert counts[0][0] == frames_per_detection(QUICK)
        assert counts[-1] == (30, 10)

    def test_decoding_goes_on_beside_detection_but_not_without_bound(self, make_video: MakeVideo) -> None:
        read = 0

        class Slow(ScriptedDetector):
            def detect(self, frames_rgb: Any) -> list[list[Detection]]:
                time.sleep(0.3 if not self.seen else 0)
                ahead.append(read)
                return super().detect(frames_rgb)

        ahead: list[int] = []

        def frames() -> Iterator[Frame]:
            nonlocal read
            for number in range(200):
                read += 1
                yield numbered_frame(number, number / 30)

        detector = Slow(always())
        source = prefetched(frames())
        first = [next(source) for _ in range(4)]
        detector.detect([frame.rgb for frame in first])
        source.close()
        assert 4 + PREFETCHED_FRAMES <= ahead[0] <= 4 + PREFETCHED_FRAMES + 2
        assert [frame.index for frame in first] == [0, 1, 2, 3]


class TestCancel:
    def test_what_is_there_is_returned_and_nothing_is_left(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        reports: list[Progress] = []
        timeline = analyze(
            numbered_video(make_video, 300),
            QUICK,
            models=scripted_models(always(LEFT)),
            progress=reports.append,
            cancel=lambda: len(reports) >= 4,
            pass_store=store,
        )
        assert not timeline.complete
        assert 0 < timeline.analysed_s < 5
        assert timeline.people
        assert timeline.predictions
        assert list((tmp_path / "crops").iterdir()) == []

    def test_a_cancelled_run_is_not_taken_for_a_finished_one(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 120)
        analyze(video, QUICK, models=scripted_models(always(LEFT)), cancel=lambda: True, pass_store=store)
        whole = analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store)
        assert whole.complete
        assert whole.analysed_s == pytest.approx(4, abs=0.002)

    def test_at_once_gives_an_empty_timeline(self, make_video: MakeVideo) -> None:
        models = scripted_models(always(LEFT))
        timeline = analyze(numbered_video(make_video, 300), QUICK, models=models, cancel=lambda: True)
        assert not timeline.complete
        assert timeline.predictions == ()
        assert len(detector_of(models).seen) <= frames_per_detection(QUICK)

    def test_it_works_while_the_crops_of_an_earlier_pass_serve(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 300)
        analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store)
        reports: list[Progress] = []
        timeline = analyze(
            video,
            QUICK,
            models=scripted_models(always(LEFT)),
            progress=reports.append,
            cancel=lambda: len(reports) >= 4,
            pass_store=store,
        )
        assert not timeline.complete
        assert 0 < timeline.analysed_s < 5
        assert reports[0].from_crops

    def test_it_takes_effect_between_two_calls_of_the_classifier(self, make_video: MakeVideo) -> None:
        """Nine people's clips are full at once; naming them all would take seconds."""
        nine = [person((1 + 7 * k, 8, 6 + 7 * k, 40)) for k in range(9)]
        named: list[int] = []

        def says(clip: Clip) -> Answer:
            named.append(clip.person_id)
            return (("waving", 1.0),)

        timeline = analyze(
            numbered_video(make_video, 60),
            QUICK,
            models=scripted_models(always(*nine), says),
            cancel=lambda: bool(named),
        )
        assert len(timeline.people) == 9
        assert 0 < len(named) < 9


class BrokenError(RuntimeError):
    pass


class TestFailures:
    @pytest.mark.parametrize("stage", ["detector", "classifier", "progress"])
    def test_an_error_ends_the_decoding_and_leaves_no_half_record(
        self, make_video: MakeVideo, tmp_path: Path, stage: str
    ) -> None:
        def fail(number: int = 30) -> None:
            if number >= 30:
                raise BrokenError(stage)

        def script(number: int) -> list[Detection]:
            if stage == "detector":
                fail(number)
            return [LEFT]

        def says(clip: Clip) -> Answer:
            if stage == "classifier":
                fail()
            return (("waving", 1.0),)

        with pytest.raises(BrokenError, match=stage):
            analyze(
                numbered_video(make_video, 300),
                QUICK,
                models=scripted_models(script, says),
                progress=(lambda _: fail()) if stage == "progress" else None,
                pass_store=PassStore(tmp_path / "crops"),
            )
        assert list((tmp_path / "crops").iterdir()) == []

    def test_an_error_while_decoding_comes_to_the_caller(
        self, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = VideoReader.frames

        def frames(self: VideoReader, *args: Any, **keywords: Any) -> Iterator[Frame]:
            for frame in plain(self, *args, **keywords):
                if frame.index >= 30:
                    raise VideoError("the disk was pulled out; put it back in.")
                yield frame

        monkeypatch.setattr(VideoReader, "frames", frames)
        with pytest.raises(VideoError, match="pulled out"):
            analyze(
                numbered_video(make_video, 300),
                QUICK,
                models=scripted_models(always(LEFT)),
                pass_store=PassStore(tmp_path / "crops"),
            )
        assert list((tmp_path / "crops").iterdir()) == []

    def test_an_error_while_closing_the_file_does_not_leave_the_caller_waiting(self) -> None:
        """Regression: the queue got no end, so the analysis waited for ever."""

        def frames() -> Iterator[Frame]:
            try:
                yield numbered_frame(0, 0.0)
                yield numbered_frame(1, 0.1)
            finally:
                raise BrokenError("closing")

        class Frames:
            """An iterator whose ``close`` fails after its last frame."""

            def __init__(self) -> None:
                self._left = 2

            def __iter__(self) -> Iterator[Frame]:
                return self

            def __next__(self) -> Frame:
                if not self._left:
                    raise StopIteration
                self._left -= 1
                return numbered_frame(self._left, 0.0)

            def close(self) -> None:
                raise BrokenError("closing")

        for source in (frames(), Frames()):
            got: list[Frame] = []
            outcome: list[BaseException] = []

            def consume(source: Any = source, got: list[Frame] = got, outcome: list[Any] = outcome) -> None:
                try:
                    got.extend(prefetched(source))
                except BrokenError as error:
                    outcome.append(error)

            thread = threading.Thread(target=consume, daemon=True)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
            assert len(got) == 2
            assert len(outcome) == 1

    def test_a_consumer_that_stops_early_ends_the_thread_at_once(self) -> None:
        closed = threading.Event()

        def endless() -> Iterator[Frame]:
            try:
                number = 0
                while True:
                    yield numbered_frame(number, number / 30)
                    number += 1
            finally:
                closed.set()

        source = prefetched(endless())
        next(source)
        started_s = time.monotonic()
        source.close()
        assert closed.is_set()
        assert time.monotonic() - started_s < 2


class TestCropStore:
    def test_a_second_run_detects_and_decodes_nothing_and_says_the_same(
        self, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 90)
        first = analyze(video, QUICK, models=scripted_models(always(LEFT, RIGHT)), pass_store=store)

        def no_decoding(*_: Any, **__: Any) -> Iterator[Frame]:
            raise AssertionError("decoded again")

        monkeypatch.setattr(VideoReader, "frames", no_decoding)
        models = scripted_models(always(LEFT, RIGHT))
        second = analyze(video, QUICK, models=models, pass_store=store)
        assert detector_of(models).seen == []
        same(first, second)
        longer = analyze(
            video, Settings(num_video_sequence_samples=8, skip_frame=3, overlap=0.5), models=models, pass_store=store
        )
        assert detector_of(models).seen == []
        assert {clip[3] for clip in classifier_of(models).clips[-4:]} == {8}
        assert len(longer.people) == 2

    def test_another_margin_decodes_but_detects_nothing(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 90)
        analyze(video, QUICK, models=scripted_models(always(LEFT, RIGHT)), pass_store=store)
        wider = Settings(**{**QUICK.as_dict(), "crop_margin_percentage": 60})
        fresh, crops_of_fresh = _with_crops(video, wider, None)
        for _ in range(2):  # first with decoding, then from the crops that this kept
            models = scripted_models(always())  # would find nobody
            again, crops = _with_crops(video, wider, store, models)
            assert detector_of(models).seen == []
            same(fresh, again)
            np.testing.assert_array_equal(crops, crops_of_fresh)

    @pytest.mark.parametrize("changed", [{"skip_frame": 2}, {"tracker": "ocsort"}, {"min_person_confidence": 0.6}])
    def test_a_setting_that_changes_who_is_seen_detects_again(
        self, make_video: MakeVideo, tmp_path: Path, changed: dict[str, Any]
    ) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 30)
        analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store)
        models = scripted_models(always(LEFT))
        analyze(video, Settings(**{**QUICK.as_dict(), **changed}), models=models, pass_store=store)
        assert detector_of(models).seen

    def test_another_video_of_the_same_name_is_analysed_anew(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        for frames in (30, 60):
            models = scripted_models(always(LEFT))
            timeline = analyze(numbered_video(make_video, frames), QUICK, models=models, pass_store=store)
            assert detector_of(models).seen
            assert len(timeline.frame_times_s) == frames

    def test_a_spoilt_record_is_made_again(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 60)
        first = analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store)
        for name in ("pass.npz", "crops-10.u8"):
            (spoilt,) = (tmp_path / "crops").glob(f"*/{name}")
            spoilt.write_bytes(spoilt.read_bytes()[:-100])
            same(first, analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store))
            models = scripted_models(always(LEFT))
            same(first, analyze(video, QUICK, models=models, pass_store=store))
            assert detector_of(models).seen == []

    def test_a_detector_without_a_hash_is_not_recorded(self, make_video: MakeVideo, tmp_path: Path) -> None:
        models = Models(ScriptedDetector(always(LEFT)), ScriptedClassifier())
        analyze(numbered_video(make_video, 30), QUICK, models=models, pass_store=PassStore(tmp_path / "crops"))
        assert list((tmp_path / "crops").iterdir()) == []


def _with_crops(
    video: Path, settings: Settings, store: PassStore | None, models: Models | None = None
) -> tuple[Timeline, list[np.ndarray]]:
    """The timeline, and all crops that the classifier was given."""
    crops: list[np.ndarray] = []
    script: Script = always(LEFT, RIGHT)
    models = models or scripted_models(script)
    classifier = classifier_of(models)
    plain = classifier._says

    def says(clip: Clip) -> Answer:
        crops.append(clip.rgb)
        return plain(clip)

    classifier._says = says
    return analyze(video, settings, models=models, pass_store=store), crops


class TestStreams:
    def test_two_streams_on_two_threads_do_not_mix(self, make_video: MakeVideo) -> None:
        """One set of networks; each stream its own tracker, clips and numbers."""

        def script(number: int) -> list[Detection]:
            return [LEFT, RIGHT] if number % 200 >= 40 else [LEFT]

        models = scripted_models(script)
        results: dict[int, Timeline] = {}

        def work(which: int) -> None:
            # the second one starts at another number, so its people come at other times
            recognizer = Recognizer(models, QUICK, video_info())
            for k in range(150):
                number = k + which * 30
                recognizer.step(Frame(k, k / 30, numbered_picture(number)))
            results[which] = recognizer.finish()

        threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        together = results.copy()
        for which in (0, 1):
            work(which)
            same(together[which], results[which])
            assert [track.person_id for track in together[which].people] == [1, 2]
        assert together[0].people[1].time_s[0] > together[1].people[1].time_s[0] + 0.5

    def test_the_timeline_may_be_taken_while_frames_are_pushed_on_another_thread(self) -> None:
        """Regression: as for TimelineBuilder, here with the frame times."""
        recognizer = Recognizer(scripted_models(always()), Settings(skip_frame=30), video_info())
        frame_rgb = numbered_picture(0)
        failures: list[BaseException] = []

        def push() -> None:
            try:
                for k in range(60_000):
                    recognizer.step(Frame(k, k / 30, frame_rgb))
            except BaseException as error:  # noqa: BLE001 - told below
                failures.append(error)

        thread = threading.Thread(target=push)
        thread.start()
        while thread.is_alive():
            recognizer.timeline(complete=False)
        thread.join()
        assert failures == []
        assert len(recognizer.finish().frame_times_s) == 60_000


class TestMemory:
    def test_it_does_not_grow_with_the_length_of_the_stream(self) -> None:
        """Twenty times the length: what stays is a few numbers for each sample and prediction, no picture."""

        def grown_bytes(samples: int) -> int:
            models = scripted_models(always(LEFT, RIGHT))
            recognizer = Recognizer(models, Settings(skip_frame=1, num_video_sequence_samples=8), video_info())
            rgb = numbered_picture(0)
            for k in range(40):
                recognizer.step(Frame(k, k / 30, rgb))
            gc.collect()
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            for k in range(40, 40 + samples):
                recognizer.step(Frame(k, k / 30, rgb))
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            classifier_of(models).clips.clear()
            return after - before

        short, long = grown_bytes(50), grown_bytes(650)
        crop_bytes = 224 * 224 * 3
        assert long < short + 10 * crop_bytes
        # two people: 2 * 28 bytes of track and 8 of frame time a sample, and a prediction each six samples
        assert (long - short) / 600 < 600

    def test_a_file_is_not_held_in_memory(self, make_video: MakeVideo) -> None:
        videos = [numbered_video(make_video, frames, name=f"{frames}.mkv") for frames in (60, 1200)]
        peaks = []
        for video in videos:
            models = scripted_models(always(LEFT))
            gc.collect()
            tracemalloc.start()
            analyze(video, QUICK, models=models)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + 3_000_000
