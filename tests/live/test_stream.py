"""A camera's stream with scripted networks: waiting, dropped frames, changes of settings, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.drawing.overlay import OverlayPerson, draw_overlay
from recognizer.errors import WeightsError
from recognizer.live import recording as recording_module
from recognizer.live.pace import LONGEST_REST_S
from recognizer.live.stream import LiveStream
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.settings import UNKNOWN_ACTION, Settings
from recognizer.types import Clip, Detection
from tests.support.fakes import (
    ScriptedClassifier,
    ScriptedDetector,
    always,
    numbered_picture,
    person,
    scripted_models,
)
from tests.support.live import ONE, PROMPT_S, SETTINGS, SIZE, HeldClassifier, frames_of, live_threads, saying
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.slow

FRAME_S = 1 / 30
SLOW_S = 0.5
TWO = always(person((10, 20, 50, 100)), person((100, 20, 140, 100)))

OpenStream = Callable[..., LiveStream]


class SlowDetector(ScriptedDetector):
    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        time.sleep(SLOW_S)
        return super().detect(frames_rgb)


class FailingNow:
    """Raises while ``broken``; otherwise what it stands before answers."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.broken = True
        self.failed = threading.Event()
        self.name, self.labels = "failing", ("waving",)

    def _check(self) -> None:
        if self.broken:
            self.failed.set()
            raise RuntimeError("the network is broken")

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> Any:
        self._check()
        return self._inner.detect(frames_rgb)

    def classify(self, clips: Sequence[Clip]) -> Any:
        self._check()
        return self._inner.classify(clips)

    def warm_up(self, samples: int) -> None:
        self._inner.warm_up(samples)


class Feed:
    """A camera at 30 frames a second in the stream's time, as fast as the test likes in real time."""

    def __init__(self, stream: LiveStream) -> None:
        self.stream = stream
        self.number = 0
        self._began_s = time.monotonic()

    def one(self) -> NDArray[np.uint8]:
        drawn = self.stream.frame(numbered_picture(self.number, *SIZE), self._began_s + self.number * FRAME_S)
        self.number += 1
        return drawn

    def until(self, condition: Callable[[], bool], *, pause_s: float = 0.002) -> None:
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s, f"not after {self.number} frames: {self.stream.stats()}"
            self.one()
            time.sleep(pause_s)

    def labels(self) -> dict[int, str | None]:
        return dict(self.stream.overlay.labels())


@pytest.fixture
def open_stream() -> Iterator[OpenStream]:
    streams: list[LiveStream] = []

    def open_it(
        models: Models,
        settings: Settings = SETTINGS,
        load: Callable[[Settings], Models] | None = None,
        **options: Any,
    ) -> LiveStream:
        streams.append(LiveStream(models, settings, load or (lambda _: models), ActionPalette(), **options))
        return streams[-1]

    yield open_it
    for stream in streams:
        stream.close()


def usual_return_s(feed: Feed, frames: int) -> float:
    """Of that many frames at the camera's pace, the longest time of four in five: a busy machine holds up some."""
    took_s = []
    for _ in range(frames):
        began_s = time.monotonic()
        feed.one()
        took_s.append(time.monotonic() - began_s)
        time.sleep(max(0.0, FRAME_S - took_s[-1]))
    return sorted(took_s)[frames * 4 // 5]


def test_picture_does_not_wait_for_slow_detector_and_late_frames_are_dropped_and_counted(
    open_stream: OpenStream,
) -> None:
    detector = SlowDetector(ONE)
    stream = open_stream(Models(detector, ScriptedClassifier()))
    feed = Feed(stream)
    began_s = time.monotonic()
    assert usual_return_s(feed, 45) < SLOW_S / 2
    timeline = stream.close()
    assert 2 <= len(detector.seen) <= 2 + (time.monotonic() - began_s) / SLOW_S
    assert detector.seen == sorted(set(detector.seen))
    # at most one frame is neither detected nor replaced: the one that waited at the end
    assert feed.number - len(detector.seen) - 1 <= stream.stats().skipped_frames <= feed.number - len(detector.seen)
    assert len(timeline.frame_times_s) == feed.number


def test_picture_does_not_wait_for_slow_classifier_and_clips_that_wait_become_one(
    open_stream: OpenStream,
) -> None:
    classifier = HeldClassifier()
    stream = open_stream(Models(ScriptedDetector(TWO), classifier))
    feed = Feed(stream)
    feed.until(classifier.reached.is_set)
    assert usual_return_s(feed, 40) < PROMPT_S
    feed.until(lambda: stream.stats().labeling.joined_clips >= 4)
    assert set(feed.labels().values()) == {None}
    classifier.let_go.set()
    feed.until(lambda: feed.labels() == {1: "waving", 2: "waving"})
    assert stream.stats().labeling.clip_ms is not None


def test_label_comes_although_each_detection_takes_longer_than_the_gap_that_a_clip_survives(
    open_stream: OpenStream,
) -> None:
    """Regression: only frames with a detection were samples, so a clip of 8 took as many detections, and where they lay
    more than a second apart, on a busy machine, each began the clip anew and no label ever came."""

    class VerySlowDetector(ScriptedDetector):
        def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
            time.sleep(1.3)
            return super().detect(frames_rgb)

    settings = Settings(num_video_sequence_samples=8, skip_frame=2)
    detector = VerySlowDetector(ONE)
    stream = open_stream(Models(detector, ScriptedClassifier()), settings)
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"}, pause_s=FRAME_S)
    assert len(detector.seen) <= 6
    first = stream.timeline().predictions[0]
    assert first.end_s - first.start_s < 4 * settings.clip_span_s(1 / FRAME_S), "samples are as dense as ever"


def test_detection_runs_less_often_while_labels_are_late(open_stream: OpenStream) -> None:
    classifier = HeldClassifier()
    detector = ScriptedDetector(ONE)
    stream = open_stream(Models(detector, classifier))
    feed = Feed(stream)
    feed.until(classifier.reached.is_set)
    late_s = time.monotonic() + 2.0
    feed.until(lambda: time.monotonic() > late_s)
    before, began_s = len(detector.seen), time.monotonic()
    feed.until(lambda: time.monotonic() > began_s + 1.5)
    detections = len(detector.seen) - before
    assert detections <= (time.monotonic() - began_s) / LONGEST_REST_S + 1
    classifier.let_go.set()
    feed.until(lambda: feed.labels() == {1: "waving"})
    before = len(detector.seen)
    feed.until(lambda: len(detector.seen) >= before + 4 * detections)
    assert stream.stats().labeling.clip_ms is not None


def test_drawn_label_comes_after_detecting(open_stream: OpenStream) -> None:
    classifier = HeldClassifier()
    stream = open_stream(Models(ScriptedDetector(ONE), classifier))
    feed = Feed(stream)
    feed.until(lambda: bool(stream.overlay.shown()))
    assert [one.text for one in stream.overlay.shown()] == ["detecting..."]
    classifier.let_go.set()
    feed.until(lambda: feed.labels() == {1: "waving"})
    assert [one.text for one in stream.overlay.shown()] == ["waving (0.60)"]
    drawn = feed.one()
    assert np.array_equal(drawn, draw_overlay(numbered_picture(feed.number - 1, *SIZE), stream.overlay.shown()))
    assert not np.array_equal(drawn, numbered_picture(feed.number - 1, *SIZE))


def test_given_picture_is_not_drawn_on(open_stream: OpenStream) -> None:
    stream = open_stream(scripted_models(ONE))
    feed = Feed(stream)
    feed.until(lambda: bool(feed.labels()))
    given = numbered_picture(feed.number, *SIZE)
    given.setflags(write=False)
    before = given.copy()
    drawn = stream.frame(given)
    assert not np.shares_memory(drawn, given)
    assert np.array_equal(given, before)
    assert not np.array_equal(drawn, given)


def test_less_sure_labels_are_drawn_as_unknown(open_stream: OpenStream) -> None:
    stream = open_stream(scripted_models(ONE, saying("yoga", 0.4)), min_confidence=0.5)
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "yoga"})
    assert [one.text for one in stream.overlay.shown()] == [UNKNOWN_ACTION]
    stream.overlay.min_confidence = 0.4
    assert [one.text for one in stream.overlay.shown()] == ["yoga (0.40)"]


def test_mirrored_picture_is_mirrored_and_its_text_is_not(open_stream: OpenStream) -> None:
    right = person((110, 50, 150, 110))

    def script(_: int) -> Sequence[Detection]:
        return (right,)

    stream = open_stream(scripted_models(script))
    stream.overlay.mirrored = True
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"})
    given = numbered_picture(0, *SIZE)
    given[:, :40] = (10, 200, 30)
    overlay = stream.overlay.shown()
    drawn = stream.frame(given)
    # people are followed in the picture as the camera gives it, and drawn where the mirror shows them
    x1, y1, x2, y2 = overlay[0].box_xyxy
    assert (x1, y1, x2, y2) == pytest.approx(right.box_xyxy, abs=2)
    in_the_mirror = replace(overlay[0], box_xyxy=(SIZE[0] - x2, y1, SIZE[0] - x1, y2))
    expected = draw_overlay(np.ascontiguousarray(given[:, ::-1]), [in_the_mirror])
    assert np.array_equal(drawn, expected)
    assert drawn[5, -5].tolist() == [10, 200, 30]


def test_mirror_switch_leaves_people_their_numbers(open_stream: OpenStream) -> None:
    stream = open_stream(scripted_models(always(person((5, 20, 45, 110)))))
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"})
    stream.overlay.mirrored = True
    for _ in range(20):
        feed.one()
        time.sleep(0.005)
    assert feed.labels() == {1: "waving"}
    assert [track.person_id for track in stream.close().people] == [1]


def test_label_changes_with_the_classifier_and_people_keep_their_numbers(open_stream: OpenStream) -> None:
    detector = ScriptedDetector(TWO)
    first = Models(detector, ScriptedClassifier(saying("waving")))
    second = Models(detector, ScriptedClassifier(saying("juggling")))
    loading, loaded = threading.Event(), threading.Event()

    def load(settings: Settings) -> Models:
        loading.set()
        assert loaded.wait(WAIT_S)
        return second

    stream = open_stream(first, load=load)
    feed = Feed(stream)
    # at the camera's own pace: faster, a busy machine drops a second of pictures in an instant, and with it the labels
    feed.until(lambda: feed.labels() == {1: "waving", 2: "waving"}, pause_s=FRAME_S)
    other = replace(SETTINGS, video_classifier_model="r3d_18")
    stream.change(other)
    feed.until(loading.is_set, pause_s=FRAME_S)
    assert stream.settings == other
    for _ in range(10):
        feed.one()
        time.sleep(FRAME_S)
    feed.until(lambda: feed.labels() == {1: "waving", 2: "waving"}, pause_s=FRAME_S)
    assert stream.stats().changing, "no picture waited for the networks, which load until the test lets them"
    loaded.set()
    feed.until(lambda: feed.labels() == {1: "juggling", 2: "juggling"}, pause_s=FRAME_S)
    assert not stream.stats().changing
    timeline = stream.close()
    assert [track.person_id for track in timeline.people] == [1, 2]
    assert {said.top[0][0] for said in timeline.predictions} == {"waving", "juggling"}
    assert timeline.settings == other


def test_classifier_that_cannot_be_loaded_leaves_the_one_before_and_says_why(open_stream: OpenStream) -> None:
    models = scripted_models(ONE)

    def load(settings: Settings) -> Models:
        if settings.video_classifier_model == "mc3_18":
            raise WeightsError("the weights of mc3_18 cannot be had; put them into the folder.")
        return models

    stream = open_stream(models, load=load)
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"})
    stream.change(replace(SETTINGS, video_classifier_model="mc3_18"))
    feed.until(lambda: not stream.stats().changing)
    assert stream.stats().problem == "the weights of mc3_18 cannot be had; put them into the folder."
    assert stream.settings == SETTINGS
    named = len(stream.timeline().predictions)
    feed.until(lambda: len(stream.timeline().predictions) > named)
    stream.change(replace(SETTINGS, num_video_sequence_samples=8))
    feed.until(lambda: not stream.stats().changing)
    assert stream.stats().problem is None


def test_bug_while_changing_is_reported_and_the_next_change_works(open_stream: OpenStream) -> None:
    models = scripted_models(ONE)

    def load(settings: Settings) -> Models:
        if settings.skip_frame == 5:
            raise ZeroDivisionError
        return models

    stream = open_stream(models, load=load)
    stream.change(replace(SETTINGS, skip_frame=5))
    wait_until(lambda: not stream.stats().changing)
    assert "the server's log says why" in (stream.stats().problem or "")
    stream.change(replace(SETTINGS, skip_frame=2))
    wait_until(lambda: not stream.stats().changing)
    assert stream.stats().problem is None
    assert stream.settings.skip_frame == 2


class _SteppedDetector(ScriptedDetector):
    """Finishes one detection for each ``step``; ``reached`` counts those that have begun."""

    def __init__(self) -> None:
        super().__init__(ONE)
        self.reached, self.step = threading.Semaphore(0), threading.Semaphore(0)

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        self.reached.release()
        assert self.step.acquire(timeout=WAIT_S)
        return super().detect(frames_rgb)


def test_clips_hold_samples_of_one_interval_although_it_changes_during_a_detection(open_stream: OpenStream) -> None:
    """Regression: samples that waited for their detection got into the clips of the next interval."""
    detector, classifier = _SteppedDetector(), ScriptedClassifier()
    models = Models(detector, classifier, {})
    stream = open_stream(models, replace(SETTINGS, num_video_sequence_samples=4, skip_frame=2), lambda _: models)
    picture = numbered_picture(0, *SIZE)

    def feed(*numbers: int) -> None:
        for number in numbers:
            stream.frame(picture, 1000 + number / 30)

    feed(0)
    assert detector.reached.acquire(timeout=WAIT_S)
    feed(*range(1, 20))
    detector.step.release()
    assert detector.reached.acquire(timeout=WAIT_S)  # this detection holds the samples of frames 1 to 19
    stream.change(replace(SETTINGS, num_video_sequence_samples=4, skip_frame=6))
    feed(*range(20, 40))
    time.sleep(0.1)  # time for the change to be made too early
    detector.step.release()
    wait_until(lambda: not stream.stats().changing or detector.reached.acquire(blocking=False))
    detector.step.release()
    wait_until(lambda: not stream.stats().changing)
    before = len(classifier.clips)
    for number in range(40, 140):
        feed(number)
        detector.step.release()
        assert detector.reached.acquire(timeout=WAIT_S)
    for _ in range(3):
        detector.step.release()
    stream.close()
    later = [(start_s * 30, end_s * 30) for _, start_s, end_s, _ in classifier.clips[before:]]
    starts = [start for start, end in later if end > 40]  # one from before the change may still have waited
    assert len(starts) > 1
    assert min(starts) > 39, "no sample from before the change"
    assert np.ptp(np.mod(np.array(starts) - starts[0] + 3, 6)) < 0.1, "all on the grid of the new interval"


def test_change_that_is_asked_for_as_the_stream_ends_does_not_hold_it_up(open_stream: OpenStream) -> None:
    models = scripted_models(ONE)
    loading, let_go = threading.Event(), threading.Event()

    def load(_: Settings) -> Models:
        loading.set()
        assert let_go.wait(WAIT_S)
        return models

    before = live_threads()
    stream = open_stream(models, SETTINGS, load)
    stream.change(replace(SETTINGS, skip_frame=3))
    assert loading.wait(WAIT_S)
    ending = threading.Thread(target=stream.close)
    ending.start()
    wait_until(lambda: not any(thread.name == "live-follow" for thread in live_threads() - before))
    let_go.set()
    ending.join(WAIT_S)
    assert not ending.is_alive()
    assert live_threads() == before


def test_last_of_several_quick_changes_holds(open_stream: OpenStream) -> None:
    models = scripted_models(ONE)
    loads: list[int] = []

    def load(settings: Settings) -> Models:
        loads.append(settings.num_video_sequence_samples)
        time.sleep(0.05)
        return models

    stream = open_stream(models, load=load)
    for length in range(5, 25):
        stream.change(replace(SETTINGS, num_video_sequence_samples=length))
    wait_until(lambda: not stream.stats().changing)
    assert stream.settings.num_video_sequence_samples == 24
    assert stream.timeline().settings.num_video_sequence_samples == 24
    assert loads[-1] == 24
    assert len(loads) < 20


def test_detector_that_fails_does_not_end_the_stream(open_stream: OpenStream) -> None:
    detector = FailingNow(ScriptedDetector(ONE))
    stream = open_stream(Models(detector, ScriptedClassifier()))
    feed = Feed(stream)
    feed.until(detector.failed.is_set)
    feed.until(lambda: stream.stats().problem is not None)
    assert "the server's log says why" in (stream.stats().problem or "")
    detector.broken = False
    feed.until(lambda: feed.labels() == {1: "waving"})


def test_classifier_that_fails_does_not_end_the_stream(open_stream: OpenStream) -> None:
    classifier = FailingNow(ScriptedClassifier())
    stream = open_stream(Models(ScriptedDetector(ONE), classifier))
    feed = Feed(stream)
    feed.until(classifier.failed.is_set)
    feed.until(lambda: stream.stats().problem is not None)
    assert "A clip could not be classified" in (stream.stats().problem or "")
    classifier.broken = False
    feed.until(lambda: feed.labels() == {1: "waving"})


def test_close_ends_all_threads_and_may_be_called_again(open_stream: OpenStream) -> None:
    before = live_threads()
    stream = open_stream(scripted_models(ONE))
    assert len(live_threads() - before) == 3
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"})
    first = stream.close()
    assert live_threads() == before
    second = stream.close()
    assert second.predictions == first.predictions
    assert live_threads() == before


def test_timeline_after_the_end_is_complete_and_the_last_samples_are_classified(open_stream: OpenStream) -> None:
    detector = ScriptedDetector(ONE)
    stream = open_stream(Models(detector, ScriptedClassifier()))
    feed = Feed(stream)
    for k in range(12):
        feed.one()
        wait_until(lambda k=k: len(detector.seen) > k)  # type: ignore[misc]  # detection runs on every frame
    assert not stream.timeline().complete
    timeline = stream.close()
    assert timeline.complete
    assert [track.person_id for track in timeline.people] == [1]
    # a clip with the 4th sample, then after every three; what is left after the 10th goes into a last one
    assert SETTINGS.new_samples_per_clip == 3
    ends_s = [said.end_s for said in timeline.predictions]
    assert ends_s == pytest.approx([4 * FRAME_S, 7 * FRAME_S, 10 * FRAME_S, 12 * FRAME_S])
    assert (timeline.video.width, timeline.video.height) == SIZE


def test_two_streams_at_once_do_not_mix(open_stream: OpenStream) -> None:
    classifier = ScriptedClassifier()
    both = [open_stream(Models(ScriptedDetector(script), classifier)) for script in (ONE, TWO)]
    feeds = [Feed(stream) for stream in both]
    for _ in range(40):
        for feed in feeds:
            feed.one()
        time.sleep(0.005)
    feeds[0].until(lambda: feeds[0].labels() == {1: "waving"})
    feeds[1].until(lambda: feeds[1].labels() == {1: "waving", 2: "waving"})
    people = [[track.person_id for track in stream.close().people] for stream in both]
    assert people == [[1], [1, 2]]


def test_recording_is_a_playable_file_of_the_picture_without_labels(open_stream: OpenStream, tmp_path: Path) -> None:
    stream = open_stream(scripted_models(ONE))
    feed = Feed(stream)
    feed.until(lambda: feed.labels() == {1: "waving"})
    stream.recorder.start(tmp_path / "camera.mp4")
    assert stream.recorder.is_recording
    drawn = [feed.one() for _ in range(20)]
    recorded = stream.recorder.stop()
    assert recorded is not None
    assert recorded.path == tmp_path / "camera.mp4"
    assert not stream.recorder.is_recording
    pictures = frames_of(tmp_path / "camera.mp4")
    assert len(pictures) == 20
    plain = numbered_picture(feed.number - 1, *SIZE).astype(int)
    assert np.abs(pictures[-1] - plain).mean() < 3 < np.abs(drawn[-1] - plain).mean()
    assert [path.name for path in tmp_path.iterdir()] == ["camera.mp4"]


def test_recording_goes_on_when_the_browser_sends_another_picture_size(open_stream: OpenStream, tmp_path: Path) -> None:
    stream = open_stream(scripted_models(ONE))
    stream.recorder.start(tmp_path / "camera.mp4")
    began_s = time.monotonic()
    for k in range(20):
        size = SIZE if k < 10 else (80, 60)
        stream.frame(numbered_picture(k, *size), began_s + k * FRAME_S)
    assert stream.recorder.stop() is not None
    pictures = frames_of(tmp_path / "camera.mp4")
    assert len(pictures) == 20
    assert {picture.shape for picture in pictures} == {(SIZE[1], SIZE[0], 3)}


def test_frames_at_the_same_moment_do_not_end_the_recording(open_stream: OpenStream, tmp_path: Path) -> None:
    stream = open_stream(scripted_models(ONE))
    stream.recorder.start(tmp_path / "camera.mp4")
    began_s = time.monotonic()
    for k in range(20):
        stream.frame(numbered_picture(k, *SIZE), began_s + k // 2 * FRAME_S)
    assert stream.recorder.stop() is not None
    assert len(frames_of(tmp_path / "camera.mp4")) == 10


def test_recording_knows_when_it_began_in_the_stream(open_stream: OpenStream, tmp_path: Path) -> None:
    stream = open_stream(scripted_models(ONE))
    for k in range(20):
        if k == 15:
            stream.recorder.start(tmp_path / "camera.mp4")
        stream.frame(numbered_picture(k, *SIZE), 1000 + k / 30)
    recorded = stream.recorder.stop()
    assert recorded is not None
    assert recorded.begins_s == pytest.approx(0.5)
    assert len(frames_of(recorded.path)) == 5


def test_nothing_is_written_where_nothing_was_recorded(open_stream: OpenStream, tmp_path: Path) -> None:
    stream = open_stream(scripted_models(ONE))
    Feed(stream).one()
    assert stream.recorder.stop() is None
    stream.recorder.start(tmp_path / "empty.mp4")
    assert stream.recorder.stop() is None
    assert not list(tmp_path.iterdir())


def test_what_the_encoder_cannot_keep_up_with_is_left_out(
    open_stream: OpenStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()

    class HeldWriter(recording_module.VideoWriter):  # type: ignore[name-defined, misc]
        def write(self, rgb: NDArray[np.uint8], time_s: float) -> None:
            assert held.wait(WAIT_S)
            super().write(rgb, time_s)

    monkeypatch.setattr(recording_module, "VideoWriter", HeldWriter)
    stream = open_stream(scripted_models(ONE))
    stream.recorder.start(tmp_path / "camera.mp4")
    feed = Feed(stream)
    for _ in range(100):
        feed.one()
    left_out = stream.stats().left_out_frames
    # at most one is being encoded and at most so many wait
    assert left_out >= 100 - recording_module.AHEAD_FRAMES - 1
    held.set()
    assert stream.recorder.stop() is not None
    assert len(frames_of(tmp_path / "camera.mp4")) == 100 - left_out


def test_overlay_text_is_the_one_of_the_other_pages() -> None:
    assert OverlayPerson(1, (0, 0, 1, 1), "waving", 0.85, (0, 0, 0)).text == "waving (0.85)"


def test_other_classifier_classifies_the_same_clips_and_neither_waits_for_the_other(open_stream: OpenStream) -> None:
    first = Models(ScriptedDetector(TWO), ScriptedClassifier(saying("waving")))
    held = HeldClassifier()
    stream = open_stream(first, load=lambda _: Models(first.detector, held))
    feed = Feed(stream)
    other = replace(SETTINGS, video_classifier_model="r3d_18")
    stream.compare(other)
    feed.until(held.reached.is_set)
    feed.until(lambda: feed.labels() == {1: "waving", 2: "waving"})
    assert [(one.person_id, one.text) for one in stream.overlay.shown()] == [
        (1, "scripted: waving (0.90)"),
        (1, "scripted: detecting..."),
        (2, "scripted: waving (0.90)"),
        (2, "scripted: detecting..."),
    ]
    held.let_go.set()
    feed.until(lambda: all("detecting" not in one.text for one in stream.overlay.shown()))
    stats = stream.stats()
    assert stats.other_labeling is not None
    assert stats.other_labeling.clip_ms is not None
    timeline = stream.close()
    second = stream.other_timeline(complete=True)
    assert second is not None
    assert [track.person_id for track in second.people] == [track.person_id for track in timeline.people] == [1, 2]
    assert second.settings == other
    assert timeline.settings == SETTINGS
    assert {said.top[0][0] for said in second.predictions} == {"waving"}
    # the last samples of those who were there at the end are classified by both
    assert max(said.end_s for said in second.predictions) == max(said.end_s for said in timeline.predictions)
    comparison = stream.comparison()
    assert comparison is not None
    assert [(entry.name, entry.labels) for entry in comparison.entries] == [
        ("s3d", ScriptedClassifier.labels),
        ("r3d_18", ScriptedClassifier.labels),
    ]
    assert [entry.timeline.predictions for entry in comparison.finished if entry.timeline] == [
        timeline.predictions,
        second.predictions,
    ]
    assert not timeline.notes


def test_other_classifier_is_swapped_and_ended_while_the_first_goes_on(open_stream: OpenStream) -> None:
    classifiers = {name: ScriptedClassifier(saying(name)) for name in ("mc3_18", "r3d_18")}
    detector = ScriptedDetector(ONE)
    first = Models(detector, ScriptedClassifier(saying("waving")))

    def load(settings: Settings) -> Models:
        if settings.video_classifier_model not in classifiers:
            raise WeightsError("the weights of s3d cannot be had; put them into the folder.")
        return Models(detector, classifiers[settings.video_classifier_model])

    stream = open_stream(first, load=load)
    feed = Feed(stream)
    for name in classifiers:
        stream.compare(replace(SETTINGS, video_classifier_model=name))
        feed.until(lambda name=name: any(name in one.text for one in stream.overlay.shown()))  # type: ignore[misc]
    stream.compare(replace(SETTINGS, video_classifier_model="s3d"))
    feed.until(lambda: stream.stats().problem is not None)
    assert "r3d_18" in stream.overlay.shown()[1].text, "what is not available leaves the one before"
    stream.compare(None)
    feed.until(lambda: stream.stats().other_labeling is None)
    assert [one.text for one in stream.overlay.shown()] == ["waving (0.90)"]
    stream.close()
    second = stream.other_timeline()
    assert second is not None
    assert {said.top[0][0] for said in second.predictions} == {"mc3_18", "r3d_18"}


def test_comparison_says_whose_labels_a_lane_holds_and_takes_the_streams_settings(open_stream: OpenStream) -> None:
    detector = ScriptedDetector(ONE)

    def load(settings: Settings) -> Models:
        classifier = ScriptedClassifier(saying("waving"))
        classifier.name = settings.video_classifier_model
        return Models(detector, classifier)

    stream = open_stream(load(SETTINGS), load=load)
    feed = Feed(stream)
    assert stream.comparison() is None
    for name in ("mc3_18", "r3d_18"):
        stream.compare(replace(SETTINGS, video_classifier_model=name))
        feed.until(lambda name=name: any(f"{name}: waving" in one.text for one in stream.overlay.shown()))  # type: ignore[misc]
    stream.compare(None)
    stream.change(replace(SETTINGS, crop_margin_percentage=40))
    feed.until(lambda: not stream.stats().changing)
    stream.close()
    comparison = stream.comparison()
    assert comparison is not None
    assert [entry.settings.crop_margin_percentage for entry in comparison.entries] == [40, 40]
    assert comparison.timeline is not None
    assert comparison.timeline.notes == ("The classifier changed during the session: r3d_18 also stands for mc3_18.",)


def test_two_that_became_the_same_are_no_comparison(open_stream: OpenStream) -> None:
    models = Models(ScriptedDetector(ONE), ScriptedClassifier(saying("waving")))
    stream = open_stream(models, load=lambda _: models)
    feed = Feed(stream)
    other = replace(SETTINGS, video_classifier_model="r3d_18")
    stream.compare(other)
    feed.until(lambda: stream.stats().other_labeling is not None and len(stream.overlay.shown()) == 2)
    feed.until(lambda: "detecting" not in stream.overlay.shown()[1].text)
    stream.change(other)
    feed.until(lambda: not stream.stats().changing)
    stream.close()
    assert stream.comparison() is None
