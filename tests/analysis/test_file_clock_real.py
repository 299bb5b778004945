"""Real footage under clocks as cameras and recorders write them: the same actions, at the times that a player shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.analysis.file import analyze
from recognizer.export import segments_csv
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import Settings, recommended
from recognizer.timeline.model import Timeline
from recognizer.types import Clip
from recognizer.video import VideoSource, open_video
from tests.support.fakes import Answer, ScriptedClassifier
from tests.support.ffmpeg import ffmpeg
from tests.support.tables import rows_of

pytestmark = pytest.mark.real

I3D = Settings(video_classifier_model="i3d")
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-an")


@pytest.fixture
def models(networks: ModelCache) -> Models:
    return networks.get(I3D)


@pytest.fixture
def tai_chi(clips_dir: Path) -> str:
    """Ten seconds of one person at 29.97 frames per second."""
    return str(clips_dir / "stgcn_ta_chi.mp4")


def first_row(timeline: Timeline) -> dict[str, str]:
    return rows_of(segments_csv(timeline, timeline.segments()))[0]


def label_s(timeline: Timeline) -> float:
    """Return for how many seconds anyone does tai chi."""
    return sum(one.duration_s for one in timeline.segments() if one.action == "tai chi")


def mean_of_crops(clip: Clip) -> Answer:
    assert clip.surroundings_rgb is not None
    both = np.stack([clip.rgb, clip.surroundings_rgb]).mean(axis=(2, 3, 4))
    return ((" ".join(f"{mean:.6f}" for mean in both.flat), 1.0),)


def run(source: Path | VideoSource, models: Models) -> Timeline:
    with open_video(source) as video:
        rate_hz = float(video.facts.frame_rate or 0)
    return analyze(source, replace(recommended(I3D, rate_hz), overlap=0.0), models=models)


def test_file_whose_pictures_begin_late_has_the_plain_files_labels_later(
    tai_chi: str, models: Models, tmp_path: Path
) -> None:
    ffmpeg("-i", tai_chi, "-t", "4", "-c", "copy", "plain.mp4", folder=tmp_path)
    source = ("-itsoffset", "0.8", "-i", "plain.mp4", "-f", "lavfi", "-i", "sine=d=5")
    ffmpeg(*source, "-c:v", "copy", "-c:a", "aac", "late.mp4", folder=tmp_path)
    seen = replace(models, classifier=ScriptedClassifier(mean_of_crops))  # the same crops have the same labels
    plain, late = run(tmp_path / "plain.mp4", seen), run(tmp_path / "late.mp4", seen)
    assert first_row(plain)["start_s"] == "0.000"
    assert first_row(late)["start_s"] == "0.800"
    assert [one.action for one in late.segments()] == [one.action for one in plain.segments()]
    for shifted, one in zip(late.predictions, plain.predictions, strict=True):
        assert (shifted.start_s, shifted.end_s) == pytest.approx((one.start_s + 0.8, one.end_s + 0.8))
        assert shifted.top == one.top
    assert len({one.top for one in plain.predictions}) > 1


def test_export_of_a_security_camera_has_its_own_speed_and_label(tai_chi: str, models: Models, tmp_path: Path) -> None:
    ffmpeg("-i", tai_chi, "-t", "4", "-vf", "fps=15", *H264, "cctv.h264", folder=tmp_path)
    timeline = run(tmp_path / "cctv.h264", models)
    assert timeline.frame_times_s[-1] == pytest.approx(59 / 15)
    assert timeline.video.duration_s == pytest.approx(4.0)
    assert label_s(timeline) > 3


def test_given_rate_reaches_the_labels_of_a_stream_that_states_none(
    tai_chi: str, models: Models, tmp_path: Path
) -> None:
    how = ("-t", "4", "-vf", "fps=15", "-c:v", "libopenh264", "-b:v", "1M", "-an")
    ffmpeg("-i", tai_chi, *how, "cctv.h264", folder=tmp_path)
    with open_video(tmp_path / "cctv.h264") as video:
        assert video.reading.rate_assumed_hz == 25
    given = run(VideoSource((tmp_path / "cctv.h264",), frame_rate_hz=15), models)
    assert given.video.duration_s == pytest.approx(4.0)
    assert given.reading.rate_given_hz == 15
    assert label_s(given) > 3


def test_recordings_with_a_pause_and_with_a_clock_that_steps_back_keep_their_labels(
    tai_chi: str, models: Models, tmp_path: Path
) -> None:
    pause = ("-vf", "setpts='if(lt(T,3),PTS,PTS+60/TB)'", "-fps_mode", "vfr")
    ffmpeg("-t", "6", "-i", tai_chi, *pause, *H264, "hole.mp4", folder=tmp_path)
    timeline = run(tmp_path / "hole.mp4", models)
    present = sorted(interval for track in timeline.people for interval in track.presence)
    assert [(round(start_s), round(end_s)) for start_s, end_s in present] == [(0, 3), (63, 66)]
    assert label_s(timeline) > 4
    for name, start_s, offset_s in (("a.ts", "0", "7200"), ("b.ts", "2", "3600")):
        cut = ("-ss", start_s, "-i", tai_chi, "-t", "2")
        ffmpeg(*cut, *H264, "-output_ts_offset", offset_s, name, folder=tmp_path)
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    timeline = run(both, models)
    assert timeline.video.duration_s == pytest.approx(4.0, abs=0.02)
    assert timeline.people[0].presence[0] == pytest.approx((0.0, 4.0), abs=0.02)
    assert label_s(timeline) > 3
