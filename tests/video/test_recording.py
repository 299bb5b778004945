"""Several files as one recording: one clock, one size, one sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognizer.errors import VideoError
from recognizer.video import VideoSource, is_browser_playable, make_preview, open_video, poster
from recognizer.video.reading import line
from recognizer.video.source import recording_sha256
from tests.support.ffmpeg import ffmpeg


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video of six seconds with sound, and the same cut into chapters of two seconds."""
    folder = tmp_path_factory.mktemp("recording")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=6", "-f", "lavfi", "-i", "sine=d=6"),
        *("-c:v", "libx264", "-g", "50", "-sc_threshold", "0", "-bf", "0", "-c:a", "aac", "whole.mp4"),
        folder=folder,
    )
    split = (
        "-c",
        "copy",
        "-f",
        "segment",
        "-segment_time",
        "2",
        "-reset_timestamps",
        "1",
        "-segment_start_number",
        "1",
    )
    ffmpeg("-i", "whole.mp4", "-map", "0", *split, "GX%02d0042.MP4", folder=folder)
    for name, size in (("square.mp4", "64x64"), ("large.mp4", "192x128")):
        ffmpeg("-f", "lavfi", "-i", f"color=white:s={size}:r=25:d=1", "-c:v", "libx264", name, folder=folder)
    return folder


def chapters(folder: Path) -> VideoSource:
    return VideoSource(tuple(folder / f"GX0{k}0042.MP4" for k in (1, 2, 3)))


def test_parts_have_the_pictures_and_times_of_the_whole(folder: Path) -> None:
    with open_video(folder / "whole.mp4") as whole, open_video(chapters(folder)) as parts:
        expected, frames = list(whole.frames()), list(parts.frames())
        assert [frame.index for frame in frames] == list(range(150))
        # the last sound packet of a part may reach a little beyond its last picture
        np.testing.assert_allclose(parts.frame_times_s, whole.frame_times_s, atol=0.05)
        assert (np.diff(parts.frame_times_s) > 0).all()
        assert [frame.time_s for frame in frames] == parts.frame_times_s.tolist()
        for frame, other in zip(frames, expected, strict=True):
            np.testing.assert_array_equal(frame.rgb, other.rgb)
        assert parts.notes == []
        assert parts.progress == 1.0


def test_every_part_is_told_with_its_start_and_hash(folder: Path) -> None:
    with open_video(chapters(folder)) as reader:
        info = reader.info
        list(reader.frames(lambda index, _: index % 50 == 0))
        parts = reader.reading.parts
        assert line(reader.reading).startswith("3 files read as one recording")
    assert [part.name for part in parts] == ["GX010042.MP4", "GX020042.MP4", "GX030042.MP4"]
    assert [part.start_s for part in parts] == pytest.approx([0.0, 2.0, 4.0], abs=0.05)
    assert info.sha256 == recording_sha256([part.sha256 or "" for part in parts])
    assert info.duration_s == pytest.approx(6.0, abs=0.1)
    with open_video(folder / "GX020042.MP4") as second:
        assert second.info.sha256 == parts[1].sha256


def test_selection_counts_frames_and_seconds_through_all_parts(folder: Path) -> None:
    seen: list[tuple[int, float]] = []

    def select(index: int, time_s: float) -> bool:
        seen.append((index, time_s))
        return index == 120

    with open_video(chapters(folder)) as reader:
        (frame,) = reader.frames(select)
        assert frame.time_s == pytest.approx(4.8, abs=0.05)
        assert [index for index, _ in seen] == list(range(150))
        assert [time_s for _, time_s in seen] == reader.frame_times_s.tolist()


def test_a_second_pass_is_the_same(folder: Path) -> None:
    with open_video(chapters(folder)) as reader:
        list(reader.frames(lambda *_: False))
        times_s, reading = reader.frame_times_s, reader.reading
        list(reader.frames(lambda *_: False))
        np.testing.assert_array_equal(reader.frame_times_s, times_s)
        assert reader.reading == reading


def test_part_of_another_size_is_letterboxed_and_told(folder: Path) -> None:
    with open_video(VideoSource((folder / "GX010042.MP4", folder / "square.mp4"))) as reader:
        last = list(reader.frames())[-1]
        assert "the picture changes shape at 2.0 s" in line(reader.reading)
    assert last.rgb.shape == (64, 96, 3)
    assert last.rgb[:, :15].max() == 0
    assert last.rgb[:, 17:79].min() > 240
    assert last.rgb[:, 81:].max() == 0


def test_larger_part_of_the_same_shape_is_scaled_and_gets_no_borders(folder: Path) -> None:
    """Regression: the line about the video spoke of black borders that there were not."""
    with open_video(VideoSource((folder / "GX010042.MP4", folder / "large.mp4"))) as reader:
        last = list(reader.frames())[-1]
        assert "borders" not in line(reader.reading)
    assert last.rgb.shape == (64, 96, 3)
    assert last.rgb.min() > 240


def test_missing_chapter_is_noted(folder: Path) -> None:
    with open_video(VideoSource((folder / "GX010042.MP4", folder / "GX030042.MP4"))) as reader:
        list(reader.frames(lambda *_: False))
        (note,) = reader.notes
    assert "a file is missing between 'GX010042.MP4' and 'GX030042.MP4'" in note


def test_part_that_is_no_video_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "GX020042.MP4").write_text("text")
    with pytest.raises(VideoError, match=r"'GX020042\.MP4' is a text file"):
        open_video(VideoSource((folder / "GX010042.MP4", tmp_path / "GX020042.MP4")))


def test_preview_shows_all_parts_with_their_sound(folder: Path, tmp_path: Path) -> None:
    source, target = chapters(folder), tmp_path / "preview.mp4"
    assert is_browser_playable(folder / "GX010042.MP4")
    assert not is_browser_playable(source)
    assert make_preview(source, target)
    assert poster(source).rgb.shape == (64, 96, 3)
    with open_video(target) as preview:
        pictures = len(list(preview.frames(lambda *_: False))) or len(preview.frame_times_s)
        assert pictures == pytest.approx(150, abs=2)
        sound = list(preview.sound())
    samples = np.concatenate([one for _, one in sound], axis=1)
    assert samples.shape[1] == pytest.approx(6 * 48_000, abs=4000)
    # no part is silent: the tone goes through all of them
    for start_s in (0.5, 2.5, 4.5):
        assert np.abs(samples[:, round(start_s * 48_000) :][:, :4800]).max() > 0.05


@pytest.mark.parametrize("name", ["part%d.mp4", "part%d.ts", "part%d.mkv"])
def test_time_stamps_that_go_on_from_part_to_part_make_no_hole(folder: Path, tmp_path: Path, name: str) -> None:
    split = ("-f", "segment", "-segment_time", "2", "-reset_timestamps", "0")
    ffmpeg("-i", folder / "whole.mp4", "-map", "0", "-c", "copy", *split, tmp_path / name)
    source = VideoSource(tuple(sorted(tmp_path.iterdir())))
    assert len(source.paths) == 3
    with open_video(folder / "whole.mp4") as whole, open_video(source) as parts:
        assert len(list(whole.frames())) == len(list(parts.frames())) == 150
        # a part lasts as long as its sound, which ends a little later than its pictures
        shift_s = parts.frame_times_s[0] - whole.frame_times_s[0]
        np.testing.assert_allclose(parts.frame_times_s - shift_s, whole.frame_times_s, atol=0.15)
        assert parts.facts.duration_s == pytest.approx(6.0, abs=0.3)
        assert [part.start_s for part in parts.reading.parts] == pytest.approx([0, 2, 4], abs=0.1)


def test_part_without_sound_is_silent(folder: Path, tmp_path: Path) -> None:
    ffmpeg("-i", folder / "GX020042.MP4", "-an", "-c", "copy", tmp_path / "GX020042.MP4")
    paths = (folder / "GX010042.MP4", tmp_path / "GX020042.MP4", folder / "GX030042.MP4")
    target = tmp_path / "preview.mp4"
    assert make_preview(VideoSource(paths), target)
    with open_video(target) as preview:
        samples = np.concatenate([one for _, one in preview.sound()], axis=1)
    loud = [np.abs(samples[:, round(start_s * 48_000) :][:, :4800]).max() > 0.05 for start_s in (0.5, 2.9, 4.9)]
    assert loud == [True, False, True]


def test_part_that_ends_early_keeps_the_others_in_place(folder: Path, tmp_path: Path) -> None:
    ffmpeg("-i", folder / "GX010042.MP4", "-c", "copy", "-movflags", "faststart", tmp_path / "GX010042.MP4")
    cut = (tmp_path / "GX010042.MP4").read_bytes()
    (tmp_path / "GX010042.MP4").write_bytes(cut[: len(cut) * 6 // 10])
    with open_video(VideoSource((tmp_path / "GX010042.MP4", folder / "GX020042.MP4"))) as parts:
        list(parts.frames(lambda *_: False))
        assert any(note.startswith("GX010042.MP4: The file ends early") for note in parts.notes)
        assert parts.reading.parts[1].start_s == pytest.approx(2.0, abs=0.05)
        assert parts.frame_times_s[-1] == pytest.approx(3.96, abs=0.05)


def test_closing_in_the_middle_stops(folder: Path) -> None:
    reader = open_video(chapters(folder))
    frames = reader.frames()
    next(frames)
    reader.close()
    assert list(frames) == []
