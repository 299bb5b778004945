"""Read real clips, or refuse them in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognizer.errors import VideoError
from recognizer.types import Frame
from recognizer.video import describe, is_browser_playable, make_preview, open_video, poster, probe
from recognizer.video.reading import line
from tests.support.environment import SHARED_CLIPS

pytestmark = pytest.mark.real

FILES = sorted(str(path.relative_to(SHARED_CLIPS)) for path in SHARED_CLIPS.rglob("*") if path.is_file())

REFUSED = {
    "README.md": "is a text file",
    "k400_labels.txt": "is a text file",
    "opencv_vtest_gt_frames.csv": "is a text file",
    "odd/e40_audio_only.mp4": "holds audio only",
    "odd/e66_text_renamed.mp4": "is a text file",
    "odd/e70_m3u8_renamed.mp4": "is a playlist that points to other files",
}

FACTS = {
    "mmaction2_demo.mp4": "10.0 s, 427 × 256, 28 frames/s, H.264",
    "stgcn_ta_chi.mp4": "10.0 s, 340 × 256, 29.97 frames/s, H.264",
    "tv_basketball.mp4": "11.1 s, 640 × 360, 29.97 frames/s, H.264",
    "tv_v_SoccerJuggling_g24_c01.avi": "8.4 s, 320 × 240, 29.97 frames/s, MPEG-4",
    "opencv_vtest.avi": "1 min 20 s, 768 × 576, 10 frames/s, DivX 3",
    "decord_flipping_a_pancake.mkv": "10.4 s, 426 × 240, 30 frames/s, H.264",
    "torchcodec_av1_video.mkv": "5.0 s, 640 × 360, 25 frames/s, AV1",
    "torchcodec_h265_10bits.mp4": "1.0 s, 200 × 200, 30 frames/s, H.265",
    "odd/e04_hevc10.mp4": "6.0 s, 640 × 360, 25 frames/s, H.265",
    "odd/e34_one_frame.mp4": "0.04 s, 640 × 360, 25 frames/s, H.264",
}


def read(path: Path, every: int = 1) -> tuple[list[Frame], np.ndarray, list[str]]:
    """Return every n-th frame of a clip, the times of all frames, and the notes."""
    with open_video(path) as video:
        frames = list(video.frames(lambda index, _: index % every == 0))
        return frames, video.frame_times_s, video.notes


@pytest.mark.parametrize("name", FILES or ["README.md"])
def test_every_clip_gives_frames_or_one_sentence(clips_dir: Path, name: str) -> None:
    path = clips_dir / name
    if name in REFUSED:
        with pytest.raises(VideoError) as caught:
            open_video(path)
        message = str(caught.value)
        assert REFUSED[name] in message
        assert f"'{path.name}'" in message
        assert message.endswith(".")
        assert message.isprintable()
        return
    with open_video(path) as video:
        info = video.info
        shapes = {frame.rgb.shape for frame in video.frames(lambda index, _: index % 25 == 0)}
        times = video.frame_times_s
        assert shapes == {(info.height, info.width, 3)}
        assert times[0] == 0.0
        assert (np.diff(times) > 0).all()
        assert info.frame_rate is not None
        if not any("ends early" in note for note in video.notes):
            assert info.frame_count is None or abs(len(times) - info.frame_count) <= 1
        assert video.progress == 1.0
        assert all(note.endswith(".") for note in video.notes)
    if name in FACTS:
        assert describe(info) == FACTS[name]


@pytest.mark.parametrize(
    ("name", "size_wh"),
    [
        ("decord_video_0.mov", (568, 320)),
        ("decord_video_180.mov", (568, 320)),
        ("decord_video_90.mov", (320, 568)),
        ("decord_video_270.mov", (320, 568)),
        ("odd/e21_rot_m90_phone_portrait_style.mp4", (640, 360)),
    ],
)
def test_turned_phone_videos_are_upright(clips_dir: Path, name: str, size_wh: tuple[int, int]) -> None:
    frames, _, _ = read(clips_dir / name, 50)
    info = probe(clips_dir / name)
    assert (info.width, info.height) == size_wh
    assert {frame.rgb.shape for frame in frames} == {(size_wh[1], size_wh[0], 3)}


def test_count_that_includes_frames_an_edit_list_cuts_away_is_not_trusted(clips_dir: Path) -> None:
    """Regression: the facts said 256 frames, of which 14 are never shown."""
    path = clips_dir / "vibeold_dance.mp4"
    _, times, _ = read(path, 50)
    assert len(times) == 242
    assert probe(path).frame_count is None
    assert probe(clips_dir / "tv_WUzgd7C1pWA.mp4").frame_count == 327


def test_variable_rate_keeps_its_irregular_times(clips_dir: Path) -> None:
    _, times, notes = read(clips_dir / "odd/e30_vfr.mp4", 25)
    steps = np.diff(times)
    assert steps.min() == pytest.approx(0.04, abs=1e-3)
    assert steps.max() > 1.9 * steps.min()
    assert times[-1] == pytest.approx(5.96, abs=0.05)
    assert notes == []


def test_avi_with_swapped_time_stamps_runs_evenly(clips_dir: Path) -> None:
    # FFmpeg makes up presentation stamps for this MPEG-4 file and swaps neighbours; its decoding stamps are right
    (path,) = clips_dir.glob("tv_SchoolRules*.avi")
    _, times, _ = read(path, 25)
    assert len(times) == 74
    assert np.median(np.diff(times)) == pytest.approx(1 / 30, abs=1e-6)
    assert times[-1] == pytest.approx(73 / 30, abs=0.05)


def test_one_frame_comes_at_zero(clips_dir: Path) -> None:
    frames, times, _ = read(clips_dir / "odd/e34_one_frame.mp4")
    assert len(frames) == 1
    assert list(times) == [0.0]


def test_cut_file_gives_its_frames_and_a_note(clips_dir: Path) -> None:
    path = clips_dir / "odd/e60_truncated_faststart.mp4"
    frames, _, notes = read(path)
    assert len(frames) == 44
    with open_video(path) as video:
        list(video.frames(lambda *_: False))
        assert line(video.reading) == "1 packet at 1.8 s could not be decoded"
    assert "The file ends early: 1.8 of 6.0 s could be read." in notes


def test_size_change_gives_one_size_and_times_that_go_on(clips_dir: Path) -> None:
    frames, times, notes = read(clips_dir / "odd/e44_resolution_change.ts", 10)
    assert {frame.rgb.shape for frame in frames} == {(180, 320, 3)}
    assert len(times) == 150
    # the second half starts the file's clock again
    assert np.diff(times) == pytest.approx(0.04, abs=1e-3)
    assert any("picture size changes from 320 × 180 to 640 × 360 at 3.0 s" in note for note in notes)


def test_ten_bit_pictures_look_like_their_eight_bit_sort(clips_dir: Path) -> None:
    for name in ("odd/e04_hevc10.mp4", "odd/e05_av1.mp4", "torchcodec_h264_10bits.mp4"):
        rgb = poster(clips_dir / name).rgb
        assert rgb.std() > 20
        assert 30 < rgb.mean() < 225


def test_black_video_has_a_poster(clips_dir: Path) -> None:
    assert poster(clips_dir / "odd/e50_black_no_person.mp4").index == 0


def test_squeezed_clip_is_shown_with_square_pixels_and_so_is_its_preview(clips_dir: Path, tmp_path: Path) -> None:
    with open_video(clips_dir / "mmaction2_demo.mp4") as video:
        assert video.reading.stored_wh == (340, 256)
        assert (video.facts.width, video.facts.height) == (427, 256)
        assert next(video.frames()).rgb.shape == (256, 427, 3)
    make_preview(clips_dir / "mmaction2_demo.mp4", tmp_path / "preview.mp4", max_seconds=0.5)
    with open_video(tmp_path / "preview.mp4") as video:
        assert (video.facts.width, video.facts.height) == (426, 256)  # H.264 needs even sides
        assert video.reading.pixel_aspect == 1


@pytest.mark.parametrize("name", ["odd/e04_hevc10.mp4", "tv_v_SoccerJuggling_g24_c01.avi", "torchcodec_av1_video.mkv"])
def test_preview_of_what_browsers_cannot_play(clips_dir: Path, tmp_path: Path, name: str) -> None:
    assert not is_browser_playable(clips_dir / name)
    target = tmp_path / "preview.mp4"
    assert make_preview(clips_dir / name, target, max_seconds=2.0, max_height_px=180)
    assert is_browser_playable(target)
    info = probe(target)
    assert info.height == 180
    assert info.duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("name", ["tv_basketball.mp4", "decord_video_90.mov", "odd/e30_vfr.mp4"])
def test_usual_files_play_as_they_are(clips_dir: Path, name: str) -> None:
    assert is_browser_playable(clips_dir / name)
