"""Whole analyses of real footage: YOLO26n and I3D with their published weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.analysis.file import Progress, analyze
from recognizer.analysis.passes import PassStore
from recognizer.analysis.stream import Recognizer
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Detection, Detector, Frame
from recognizer.video import VideoReader, open_video
from tests.support.fakes import Answer, ScriptedClassifier
from tests.support.ffmpeg import ffmpeg

pytestmark = pytest.mark.real

Beginning = Callable[[str, float], Path]

I3D = Settings(video_classifier_model="i3d", num_video_sequence_samples=32, skip_frame=2)
TAI_CHI = "stgcn_ta_chi.mp4"

VISITS_S = ((6.1, 19.7), (22.8, 44.6))
"""When the first two visitors are in the picture of the one-by-one clip, from its read-me."""

VISIT_TOLERANCE_S = 1.0
"""The visits are read by eye to a tenth of a second, from the first foot in the picture; the detector needs half a
person, and the tracker needs two detections."""


class CountingDetector:
    """The real detector; counts its pictures."""

    def __init__(self, detector: Detector) -> None:
        self.frames = 0
        self._detector = detector

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        self.frames += len(frames_rgb)
        return self._detector.detect(frames_rgb)


class CountingReads:
    """Counts the frames of videos that were converted to pictures."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames = 0
        plain = VideoReader.frames

        def frames(reader: VideoReader, *args: Any, **keywords: Any) -> Iterator[Frame]:
            for frame in plain(reader, *args, **keywords):
                self.frames += 1
                yield frame

        monkeypatch.setattr(VideoReader, "frames", frames)


@pytest.fixture
def counting(networks: ModelCache) -> CountingDetector:
    return CountingDetector(networks.get(I3D).detector)


@pytest.fixture
def averages_crops(counting: CountingDetector, networks: ModelCache) -> Models:
    """Real detection; the classifier only averages the pictures, which costs nothing."""

    def says(clip: Clip) -> Answer:
        return ((f"mean {float(clip.rgb.mean()):.6f}", 1.0),)

    return Models(counting, ScriptedClassifier(says), networks.get(I3D).provenance)


def moments(timeline: Timeline) -> list[tuple[int, float, float]]:
    return [(p.person_id, p.start_s, p.end_s) for p in timeline.predictions]


def test_tai_chi_is_labelled_and_another_run_decodes_and_detects_nothing(
    clips_dir: Path,
    tmp_path: Path,
    counting: CountingDetector,
    networks: ModelCache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = replace(networks.get(I3D), detector=counting)
    store = PassStore(tmp_path / "crops")
    reads = CountingReads(monkeypatch)

    tai_chi = tmp_path / "tai chi.mp4"
    # the slow steps of the first two seconds are a close call: a box a few pixels off changes their label
    ffmpeg("-ss", "2", "-i", clips_dir / TAI_CHI, "-t", "5", "-an", "-c:v", "libx264", "-crf", "12", tai_chi)
    first = analyze(tai_chi, I3D, models=models, pass_store=store)
    sampled = len(range(0, len(first.frame_times_s), 2))
    assert (counting.frames, reads.frames) == (sampled, sampled)
    assert [track.person_id for track in first.people] == [1]
    sure = [segment for segment in first.segments() if segment.action == "tai chi"]
    assert sum(segment.duration_s for segment in sure) > 0.7 * first.analysed_s
    assert min(segment.confidence for segment in sure) > 0.7
    assert first.segments()[-1].end_s == pytest.approx(first.analysed_s, abs=0.15)
    for prediction in first.predictions:
        assert len(prediction.top) == 5
        probabilities = [p for _, p in prediction.top]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1 + 1e-9

    reports: list[Progress] = []
    second = analyze(tai_chi, I3D, models=models, pass_store=store, progress=reports.append)
    assert (counting.frames, reads.frames) == (sampled, sampled)
    assert second.predictions == first.predictions, "equal to the bit"
    assert second.segments() == first.segments()
    assert second.people[0].presence == first.people[0].presence
    np.testing.assert_array_equal(second.people[0].box_xyxy, first.people[0].box_xyxy)
    np.testing.assert_array_equal(second.frame_times_s, first.frame_times_s)
    assert reports[0].from_crops


def test_another_margin_decodes_for_the_crops_but_does_not_detect(
    clips_dir: Path, tmp_path: Path, counting: CountingDetector, averages_crops: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = clips_dir / "tv_SchoolRulesHowTheyHelpUs_wave_f_nm_np1_ba_med_0.avi"  # variable rate, 2.5 s
    settings = Settings(skip_frame=3)
    wider = replace(settings, crop_margin_percentage=80)
    store = PassStore(tmp_path / "crops")
    reads = CountingReads(monkeypatch)
    analyze(video, settings, models=averages_crops, pass_store=store)
    detected, read = counting.frames, reads.frames
    assert detected == read > 0

    again = analyze(video, wider, models=averages_crops, pass_store=store)
    assert counting.frames == detected
    assert reads.frames == 2 * read
    fresh = analyze(video, wider, models=averages_crops)
    assert again.predictions == fresh.predictions
    assert moments(again)


@pytest.mark.parametrize("file", [TAI_CHI, "tv_SchoolRulesHowTheyHelpUs_wave_f_nm_np1_ba_med_0.avi"])
def test_frames_pushed_one_by_one_give_the_timeline_of_the_file(
    beginning: Beginning, counting: CountingDetector, averages_crops: Models, file: str
) -> None:
    settings = Settings(skip_frame=3)
    clip = beginning(file, 3.0)
    whole = analyze(clip, settings, models=averages_crops)
    assert counting.frames == len(whole.frame_times_s[:: settings.skip_frame]) or file != TAI_CHI
    with open_video(clip) as reader:
        recognizer = Recognizer(averages_crops, settings, reader.info)
        for frame in reader.frames():
            recognizer.step(frame)
        pushed = recognizer.finish()
    assert moments(pushed) == moments(whole)
    assert moments(whole)
    np.testing.assert_array_equal(pushed.frame_times_s, whole.frame_times_s)
    for one, other in zip(pushed.people, whole.people, strict=True):
        assert one.presence == other.presence
        # the detector gets one picture at a time here and four there, which rounds differently
        np.testing.assert_allclose(one.box_xyxy, other.box_xyxy, atol=0.5)


def test_people_who_come_one_by_one_are_present_during_their_visits_and_not_between(
    beginning: Beginning, counting: CountingDetector, averages_crops: Models
) -> None:
    clip = beginning("intel_one-by-one-person-detection.mp4", 48.0)
    timeline = analyze(clip, Settings(skip_frame=3), models=averages_crops)
    assert counting.frames == len(timeline.frame_times_s[::3])
    assert len(timeline.people) == len(VISITS_S), "two people, two numbers"
    for track, visit in zip(timeline.people, VISITS_S, strict=True):
        assert track.presence[0][0] == pytest.approx(visit[0], abs=VISIT_TOLERANCE_S)
        assert track.presence[-1][1] == pytest.approx(visit[1], abs=VISIT_TOLERANCE_S)
        assert track.present_s >= 0.9 * (visit[1] - visit[0])
    for segment in timeline.segments():
        start_s, end_s = VISITS_S[segment.person_id - 1]
        assert start_s - VISIT_TOLERANCE_S <= segment.start_s < segment.end_s <= end_s + VISIT_TOLERANCE_S
