"""One stream on scripted people: golden runs in ``golden/run_*.json``, labels, threads, memory."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from recognizer.analysis.stream import Recognizer
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Detection, Frame, Prediction, VideoInfo
from tests.support.fakes import (
    Answer,
    always,
    numbered_frame,
    numbered_picture,
    scripted_models,
    video_info,
)
from tests.support.runs import LEFT, QUICK, RIGHT, MakeVideo, classifier_of, detector_of, even, same

GOLDEN = sorted((Path(__file__).parent / "golden").glob("run_*.json"))


def pushed(
    models: Models,
    settings: Settings,
    times_s: list[float],
    video: VideoInfo | None = None,
) -> tuple[Timeline, dict[int, list[Prediction]]]:
    """Push numbered frames; return the timeline, and the predictions by the frame that caused them."""
    recognizer = Recognizer(models, settings, video or video_info())
    said = {}
    for number, time_s in enumerate(times_s):
        if predictions := recognizer.step(numbered_frame(number, time_s)):
            said[number] = predictions
    return recognizer.finish(), said


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
        assert labels[9] == {1: "yoga"}  # the person's own fourth sample
        assert labels[35] == {1: "yoga", 2: None}  # a person without a label leaves the other one's
        assert all(labels[number][1] == "yoga" for number in range(9, 60))
        first_of_second = min(number for number, those in labels.items() if those.get(2))
        assert labels[first_of_second] == {1: "yoga", 2: "jogging"}

    def test_first_label_comes_with_the_fourth_sample_and_the_next_after_three_new_ones(self) -> None:
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
        """Regression: a hole is one call to the tracker, so the number stays, but the label must not."""
        recognizer = Recognizer(scripted_models(always(LEFT)), QUICK, video_info())
        for number, time_s in enumerate([*even(23), *(5 + t for t in even(20))]):
            recognizer.step(numbered_frame(number, time_s))
            if number in (22, 23, 31, 32):
                newest = recognizer.latest_prediction(1)
                if number == 22:
                    assert newest is not None
                elif number < 32:
                    assert newest is None, "the last clip before the hole comes after it, and must not become the label"
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

    def test_predictions_keep_the_classifiers_top_labels(self) -> None:
        top = (("yoga", 0.5), ("tai chi", 0.2), ("waving", 0.1), ("jogging", 0.1), ("reading", 0.05))
        timeline, _ = pushed(scripted_models(always(LEFT), lambda _: top), QUICK, even(30))
        assert {p.top for p in timeline.predictions} == {top}


def _covered_s(timeline: Timeline) -> float:
    return sum(segment.duration_s for segment in timeline.segments())


class TestTime:
    def test_only_sampled_frames_are_detected(self) -> None:
        models = scripted_models(always(LEFT))
        pushed(models, QUICK, even(30))
        assert detector_of(models).seen == list(range(0, 30, 3))

    def test_an_unknown_rate_is_taken_as_thirty(self) -> None:
        models = scripted_models(always(LEFT))
        pushed(models, QUICK, even(30), video_info(None))
        assert detector_of(models).seen == list(range(0, 30, 3))


class TestStreams:
    def test_two_streams_on_two_threads_do_not_mix(self, make_video: MakeVideo) -> None:
        """They share the networks; each stream has its own tracker, clips and numbers."""

        def script(number: int) -> list[Detection]:
            return [LEFT, RIGHT] if number % 200 >= 40 else [LEFT]

        models = scripted_models(script)
        results: dict[int, Timeline] = {}

        def work(which: int) -> None:
            # the other stream starts at another number, so its people appear at other times
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

    def test_the_timeline_may_be_read_while_frames_are_pushed_on_another_thread(self) -> None:
        """Regression: an array cannot be copied while it grows, here the frame times."""
        recognizer = Recognizer(scripted_models(always()), Settings(skip_frame=30), video_info())
        frame_rgb = numbered_picture(0)
        failures: list[BaseException] = []

        def push() -> None:
            try:
                for k in range(60_000):
                    recognizer.step(Frame(k, k / 30, frame_rgb))
            except BaseException as error:  # noqa: BLE001 - reported below
                failures.append(error)

        thread = threading.Thread(target=push)
        thread.start()
        while thread.is_alive():
            recognizer.timeline(complete=False)
        thread.join()
        assert failures == []
        assert len(recognizer.finish().frame_times_s) == 60_000


class TestMemory:
    @pytest.mark.slow
    def test_it_does_not_grow_with_the_length_of_the_stream(self) -> None:
        """Over a much longer stream only a few numbers for each sample and prediction remain, and no picture."""

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

        short, long = grown_bytes(50), grown_bytes(250)
        crop_bytes = 224 * 224 * 3
        assert long < short + 10 * crop_bytes
        # two people: 2 * 28 bytes of track and 8 of frame time a sample, and a prediction each six samples
        assert (long - short) / 200 < 600
