"""A segment as a video of its own: its frames, its length, its sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.export.excerpt import write_excerpt
from recognizer.export.frames import FrameNumbers
from recognizer.timeline.model import Timeline
from recognizer.video import open_video
from recognizer.video.sound import Samples
from tests.support.exports import exported

pytestmark = pytest.mark.real


def read(path: Path) -> tuple[Timeline, list[NDArray[np.uint8]]]:
    with open_video(path) as reader:
        pictures = [frame.rgb for frame in reader.frames()]
        facts = reader.info
        return replace(exported().timeline, video=facts, frame_times_s=reader.frame_times_s), pictures


@pytest.mark.parametrize("name", ["tv_basketball.mp4", "stgcn_ta_chi.mp4"])
def test_excerpt_has_the_frames_of_the_segment(name: str, clips_dir: Path, tmp_path: Path) -> None:
    source, target = clips_dir / name, tmp_path / "part.mp4"
    timeline, pictures = read(source)
    numbers = FrameNumbers(timeline)
    first, past = numbers.first_at(0.503), numbers.first_at(1.51)
    write_excerpt(source, timeline, 0.503, 1.51, target)
    _, written = read(target)
    assert len(written) == past - first
    height, width = written[0].shape[:2]
    wanted = [picture[:height, :width].astype(int) for picture in pictures]
    for k in (0, len(written) // 2, len(written) - 1):  # compression changes a picture less than its neighbours do
        differences = [np.abs(written[k] - wanted[first + k + shift]).mean() for shift in (-1, 0, 1)]
        assert min(differences) == differences[1]


def test_excerpt_has_the_sound_of_its_time(clips_dir: Path, tmp_path: Path) -> None:
    source = next(path for path in sorted(clips_dir.glob("*.mp4")) if has_sound(path))
    timeline, _ = read(source)
    write_excerpt(source, timeline, 1.0, 2.0, tmp_path / "part.mp4")
    with open_video(source) as whole, open_video(tmp_path / "part.mp4") as part:
        expected, found = samples(whole.sound(), 1.1, 1.8), samples(part.sound(), 0.1, 0.8)
    assert np.corrcoef(expected, found)[0, 1] > 0.9


def has_sound(path: Path) -> bool:
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def samples(sound: Iterator[tuple[int, Samples]], start_s: float, end_s: float) -> NDArray[np.float32]:
    whole = np.zeros(48_000 * 60, np.float32)
    for begins, part in sound:
        if begins >= 0 and begins + part.shape[1] <= len(whole):
            whole[begins : begins + part.shape[1]] = part[0]
    return whole[round(start_s * 48_000) : round(end_s * 48_000)]
