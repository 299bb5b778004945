"""The analysis of a file on scripted people: time, progress, cancelling, failures, stored passes."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Iterator
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
from recognizer.types import Clip, Detection, Frame
from recognizer.video import PREFETCHED_FRAMES, VideoReader, prefetched
from tests.support.fakes import (
    Answer,
    Script,
    ScriptedClassifier,
    ScriptedDetector,
    always,
    numbered_frame,
    numbered_video,
    person,
    scripted_models,
)
from tests.support.runs import LEFT, QUICK, RIGHT, MakeVideo, classifier_of, detector_of, even, same
from tests.support.waiting import WAIT_S, wait_until


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [
        thread.name for thread in threading.enumerate() if thread.name == "decode" or thread.name.startswith("detect_")
    ] == []


class TestTime:
    def test_only_sampled_frames_are_detected_in_batches(self, make_video: MakeVideo) -> None:
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

    def test_nobody_is_present_in_a_hole_in_the_file(self, make_video: MakeVideo) -> None:
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

    def test_nothing_extends_beyond_the_video(self, make_video: MakeVideo) -> None:
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

    def test_people_are_looked_for_in_the_next_frames_while_those_before_are_followed(
        self, make_video: MakeVideo
    ) -> None:
        models = scripted_models(always(LEFT))
        batches = detector_of(models).batch_sizes

        def next_is_looked_at(progress: Progress) -> None:
            # in order and one batch ahead, but never further: each holds a few pictures
            followed = round(progress.analysed_s * 30) // 12 + 1
            wait_until(lambda: len(batches) >= min(followed + 1, 3))
            assert len(batches) <= followed + 1

        timeline = analyze(numbered_video(make_video, 30), QUICK, models=models, progress=next_is_looked_at)
        assert timeline.complete
        assert batches == [4, 4, 2]
        assert detector_of(models).seen == list(range(0, 30, 3))

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

    def test_no_rate_is_reported_before_it_can_be_measured(
        self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Regression: stored crops are read at once, and 12,000 frames/s were reported."""
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

    def test_decoding_continues_during_detection_but_not_without_bound(self, make_video: MakeVideo) -> None:
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
    def test_the_timeline_so_far_is_returned_and_no_file_is_left(self, make_video: MakeVideo, tmp_path: Path) -> None:
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

    def test_a_cancelled_run_does_not_count_as_finished(self, make_video: MakeVideo, tmp_path: Path) -> None:
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

    def test_it_works_with_stored_crops(self, make_video: MakeVideo, tmp_path: Path) -> None:
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
        """Nine people's clips are complete at once; classifying all of them would take seconds."""
        nine = [person((1 + 7 * k, 8, 6 + 7 * k, 40)) for k in range(9)]
        labelled: list[int] = []

        def says(clip: Clip) -> Answer:
            labelled.append(clip.person_id)
            return (("waving", 1.0),)

        timeline = analyze(
            numbered_video(make_video, 60),
            QUICK,
            models=scripted_models(always(*nine), says),
            cancel=lambda: bool(labelled),
        )
        assert len(timeline.people) == 9
        assert 0 < len(labelled) < 9


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

    def test_an_error_while_decoding_reaches_the_caller(
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
        """Regression: the queue got no end mark, so the analysis waited forever."""

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
            thread.join(WAIT_S)
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
        assert time.monotonic() - started_s < WAIT_S


class TestStoredPasses:
    def test_another_run_detects_and_decodes_nothing_and_gives_the_same_timeline(
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
        for _ in range(2):  # first by decoding, then from the crops that this stored
            models = scripted_models(always())  # would find nobody
            again, crops = _with_crops(video, wider, store, models)
            assert detector_of(models).seen == []
            same(fresh, again)
            np.testing.assert_array_equal(crops, crops_of_fresh)

    @pytest.mark.parametrize("changed", [{"skip_frame": 2}, {"tracker": "ocsort"}, {"min_person_confidence": 0.6}])
    def test_a_setting_that_changes_who_is_found_detects_again(
        self, make_video: MakeVideo, tmp_path: Path, changed: dict[str, Any]
    ) -> None:
        store = PassStore(tmp_path / "crops")
        video = numbered_video(make_video, 30)
        analyze(video, QUICK, models=scripted_models(always(LEFT)), pass_store=store)
        models = scripted_models(always(LEFT))
        analyze(video, Settings(**{**QUICK.as_dict(), **changed}), models=models, pass_store=store)
        assert detector_of(models).seen

    def test_another_video_of_the_same_name_is_analyzed_again(self, make_video: MakeVideo, tmp_path: Path) -> None:
        store = PassStore(tmp_path / "crops")
        for frames in (30, 60):
            models = scripted_models(always(LEFT))
            timeline = analyze(numbered_video(make_video, frames), QUICK, models=models, pass_store=store)
            assert detector_of(models).seen
            assert len(timeline.frame_times_s) == frames

    def test_a_damaged_record_is_replaced(self, make_video: MakeVideo, tmp_path: Path) -> None:
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
    """Return the timeline and all crops that the classifier received."""
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


class TestMemory:
    @pytest.mark.slow
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
