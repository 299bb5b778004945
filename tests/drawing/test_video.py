"""The annotated video: boxes at the right time and place, and no partial files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.drawing.video import render_video
from recognizer.palette import ActionPalette
from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction, TrackedPerson
from recognizer.video import open_video, probe
from tests.support.ffmpeg import ffmpeg

MakeVideo = Callable[..., Path]
FRAMES = 30
RATE_HZ = 30.0


def timeline_of(path: Path, *, complete: bool = True, end_s: float = 1.0) -> Timeline:
    """One person at the left, from 0.2 s to 0.6 s."""
    builder = TimelineBuilder(Settings(skip_frame=1), RATE_HZ)
    for k in range(round(end_s * RATE_HZ)):
        people = [TrackedPerson(1, (20.0, 60.0, 100.0, 150.0), 0.9)] if 6 <= k < 18 else []
        builder.add_people(k / RATE_HZ, people)
    builder.add_predictions([Prediction(1, 0.3, 0.6, (("archery", 0.9),), "i3d")])
    times_s = np.arange(FRAMES) / RATE_HZ
    return builder.build(probe(path, sha256="0" * 64), frame_times_s=times_s, complete=complete)


def grey(count: int = FRAMES, *, width: int = 200, height: int = 160) -> list[np.ndarray]:
    return [np.full((height, width, 3), 128, np.uint8) for _ in range(count)]


def changed(path: Path, index: int) -> bool:
    """Return whether anything is drawn in this frame of a plain grey video."""
    with open_video(path) as reader:
        (frame,) = list(reader.frames(lambda k, _: k == index))
    return bool((np.abs(frame.rgb.astype(int) - 128) > 40).any())


def test_everyone_is_drawn_while_present_and_at_no_other_time(make_video: MakeVideo, tmp_path: Path) -> None:
    source, target = make_video("a.mp4", frames=grey()), tmp_path / "b.mp4"
    timeline = timeline_of(source)
    done_s: list[tuple[float, float | None]] = []
    written = render_video(
        source,
        timeline,
        timeline.segments(),
        ActionPalette(),
        target,
        progress=lambda *times_s: done_s.append(times_s),
    )
    assert written
    assert [changed(target, k) for k in (0, 5, 7, 17, 19, 29)] == [False, False, True, True, False, False]
    assert len(done_s) == FRAMES
    assert done_s[-1] == (pytest.approx(29 / 30), pytest.approx(1.0))


def test_names_are_drawn(make_video: MakeVideo, tmp_path: Path) -> None:
    source = make_video("a.mp4", frames=grey())
    timeline = timeline_of(source)
    pictures = []
    for names in ({}, {1: "Anna"}):
        render_video(source, timeline, timeline.segments(), ActionPalette(), tmp_path / "b.mp4", names=names)
        with open_video(tmp_path / "b.mp4") as reader:
            pictures += [frame.rgb.astype(int) for frame in reader.frames(lambda k, _: k == 12)]
    different = np.abs(pictures[0] - pictures[1]).max(axis=2) > 40
    assert different[:60].any(), "the badge is wider"
    assert not different[100:].any()


def test_labels_of_a_recording_that_began_later_are_at_their_moments(make_video: MakeVideo, tmp_path: Path) -> None:
    source, target = make_video("a.mp4", frames=grey()), tmp_path / "b.mp4"
    seen = timeline_of(source)  # everyone is there from frame 6 to frame 18 of the stream
    stream = replace(
        seen, video=replace(seen.video, sha256=None), reading=replace(seen.reading, first_picture_s=6 / RATE_HZ)
    )
    assert render_video(source, stream, stream.segments(), ActionPalette(), target)
    assert [changed(target, k) for k in (0, 1, 11, 13, 29)] == [True, True, True, False, False]


def test_times_of_an_irregular_video_stay_the_same(make_video: MakeVideo, tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.2, 0.25, 0.9]
    source, target = make_video("a.mp4", frames=grey(5), times_s=times_s), tmp_path / "b.mp4"
    timeline = timeline_of(source)
    assert render_video(source, timeline, timeline.segments(), ActionPalette(), target)
    with open_video(target) as reader:
        got = [frame.time_s for frame in reader.frames()]
    assert got == pytest.approx(times_s, abs=1e-3)


def test_cancelled_rendering_leaves_an_existing_file_unchanged(make_video: MakeVideo, tmp_path: Path) -> None:
    source, target = make_video("a.mp4", frames=grey()), tmp_path / "b.mp4"
    target.write_bytes(b"old")
    timeline = timeline_of(source)
    asked = iter([False] * 5 + [True])
    assert not render_video(source, timeline, timeline.segments(), ActionPalette(), target, cancel=lambda: next(asked))
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_of_a_cancelled_analysis_the_analysed_part_is_written(make_video: MakeVideo, tmp_path: Path) -> None:
    source, target = make_video("a.mp4", frames=grey()), tmp_path / "b.mp4"
    timeline = timeline_of(source, complete=False, end_s=0.5)
    assert render_video(source, timeline, timeline.segments(), ActionPalette(), target)
    assert probe(target).frame_count == 15


@pytest.mark.skipif(not hasattr(Path, "symlink_to"), reason="no links")
def test_link_is_followed(make_video: MakeVideo, tmp_path: Path) -> None:
    source = make_video("a.mp4", frames=grey())
    link = tmp_path / "link.mp4"
    link.symlink_to(tmp_path / "real.mp4")
    timeline = timeline_of(source)
    assert render_video(source, timeline, timeline.segments(), ActionPalette(), link)
    assert link.is_symlink()
    assert (tmp_path / "real.mp4").is_file()


def test_copy_of_oblong_pixels_is_square_and_earlier_boxes_move_along(make_video: MakeVideo, tmp_path: Path) -> None:
    plain, source, target = make_video("a.mp4", frames=grey()), tmp_path / "wide.mp4", tmp_path / "b.mp4"
    # version 0.2 knew stored pixels only: its analysis is that of a file without the aspect
    timeline = timeline_of(plain)
    ffmpeg("-i", plain, "-c", "copy", "-bsf:v", "h264_metadata=sample_aspect_ratio=2/1", source)
    assert render_video(source, timeline, timeline.segments(), ActionPalette(), target)
    with open_video(target) as reader:
        assert (reader.facts.width, reader.facts.height, reader.reading.pixel_aspect) == (400, 160, 1)
        (frame,) = list(reader.frames(lambda k, _: k == 10))
    drawn = np.abs(frame.rgb.astype(int) - 128).max(axis=2) > 40
    # the sides of the box, below its label
    columns = np.flatnonzero(drawn[120:140].mean(axis=0) > 0.9)
    assert (columns.min(), columns.max()) == pytest.approx((40, 200), abs=4)


def test_time_lapse_of_a_picture_an_hour_is_drawn(make_video: MakeVideo, tmp_path: Path) -> None:
    source = make_video("a.mp4", frames=grey(6), fps=1, times_s=[3600.0 * k for k in range(6)])
    timeline = timeline_of(source, end_s=6 * 3600.0)
    assert timeline.frame_rate_hz == pytest.approx(1 / 3600)
    assert render_video(source, timeline, timeline.segments(), ActionPalette(), tmp_path / "b.mp4")
    with open_video(tmp_path / "b.mp4") as reader:
        assert [frame.time_s for frame in reader.frames()] == pytest.approx([3600.0 * k for k in range(6)])
