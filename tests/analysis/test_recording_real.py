"""A recording in parts, with the real networks: the labels are those of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.networks.cache import ModelCache
from recognizer.settings import Settings
from recognizer.video import VideoSource
from tests.support.ffmpeg import ffmpeg

pytestmark = [pytest.mark.real, pytest.mark.timeout(580)]


def test_labels_of_the_parts_are_those_of_the_whole(clips_dir: Path, tmp_path: Path, networks: ModelCache) -> None:
    encoder = ("-t", "3", "-an", "-c:v", "libx264", "-g", "30", "-bf", "0", "-keyint_min", "30", "-sc_threshold", "0")
    ffmpeg("-i", clips_dir / "stgcn_ta_chi.mp4", *encoder, "whole.mp4", folder=tmp_path)
    split = ("-f", "segment", "-segment_time", "1", "-reset_timestamps", "1", "-segment_start_number", "1")
    ffmpeg("-i", "whole.mp4", "-c", "copy", *split, "GX%02d0042.MP4", folder=tmp_path)
    settings = Settings(video_classifier_model="i3d", num_video_sequence_samples=32)
    models = networks.get(settings)
    store = PassStore(tmp_path / "passes")
    whole = analyze(tmp_path / "whole.mp4", settings, models=models)
    source = VideoSource(tuple(sorted(tmp_path.glob("GX*.MP4"))))
    assert len(source.paths) == 3
    parts = analyze(source, settings, models=models, pass_store=store)
    assert parts.video.frame_count == whole.video.frame_count
    assert parts.frame_times_s == pytest.approx(whole.frame_times_s, abs=0.01)
    assert [one.top[0][0] for one in parts.predictions] == [one.top[0][0] for one in whole.predictions]
    assert [one.top[0][1] for one in parts.predictions] == pytest.approx(
        [one.top[0][1] for one in whole.predictions], abs=1e-6
    )
    again = analyze(source, settings, models=models, pass_store=store)
    assert again.predictions == parts.predictions
    assert again.reading == parts.reading
    assert len(again.reading.parts) == 3
