"""Files with several video streams: covers, previews, several cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recognizer.errors import VideoError
from recognizer.types import StreamFacts
from recognizer.video import is_browser_playable, make_preview, open_video, poster, probe
from recognizer.video.reading import line
from tests.support.ffmpeg import ffmpeg

SMALL = "color=blue:s=160x120:r=25"
LARGE = "testsrc=s=320x240:r=25"

MakeFile = Callable[..., Path]


@pytest.fixture
def two_streams(tmp_path: Path) -> MakeFile:
    """Write a file with a small blue video and a large one; durations in seconds, 0.04 is one picture."""

    def make(
        name: str, *, small_s: float = 1.0, large_s: float = 1.0, marked: str = "", codec: str = "libx264"
    ) -> Path:
        sources = ("-f", "lavfi", "-i", f"{SMALL}:d={small_s}", "-f", "lavfi", "-i", f"{LARGE}:d={large_s}")
        flags = ["default" if number in marked else "0" for number in "01"]
        default = ("-disposition:v:0", flags[0], "-disposition:v:1", flags[1])
        codecs = ("-c:v:0", codec, "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p", "-preset", "ultrafast")
        ffmpeg(*sources, "-map", "0", "-map", "1", *codecs, *default, name, folder=tmp_path)
        return tmp_path / name

    return make


def is_blue(rgb: np.ndarray) -> bool:
    return bool(rgb[..., 2].mean() > 200 > 50 > rgb[..., 0].mean())


@pytest.mark.parametrize("codec", ["mjpeg", "libx264", "png"])
@pytest.mark.parametrize("name", ["drone.mp4", "drone.mov", "drone.mkv"])
def test_cover_that_is_the_first_and_default_stream_is_not_read(
    two_streams: MakeFile, name: str, codec: str, tmp_path: Path
) -> None:
    path = two_streams(name, small_s=0.04, marked="0", codec=codec)
    with open_video(path) as video:
        frames = list(video.frames())
        assert (video.facts.width, video.facts.height) == (320, 240)
        assert len(frames) == 25
        assert not any(is_blue(frame.rgb) for frame in frames)
        # there is nothing to choose from, so nothing is said
        assert (video.reading.stream, video.reading.other_streams) == (1, ())
        assert line(video.reading) == ""
    assert not is_blue(poster(path).rgb)
    # Chromium shows a cover in H.264 instead
    assert not is_browser_playable(path)
    make_preview(path, tmp_path / "preview.mp4")
    assert probe(tmp_path / "preview.mp4").width == 320


@pytest.mark.parametrize(
    ("name", "marked", "blue"),
    [
        ("a.mp4", "0", True),
        ("a.mp4", "1", False),
        ("a.mkv", "1", False),
        ("a.mkv", "01", True),
        ("a.mkv", "", True),
        ("a.ts", "", True),
    ],
)
def test_default_stream_is_read_else_the_first(two_streams: MakeFile, name: str, marked: str, blue: bool) -> None:
    path = two_streams(name, marked=marked)
    with open_video(path) as video:
        rgb = next(video.frames()).rgb
        others = video.reading.other_streams
        assert video.reading.stream == (0 if blue else 1)
    assert is_blue(rgb) == blue
    assert [(other.index, other.width) for other in others] == [(1, 320) if blue else (0, 160)]


def test_stream_with_a_codec_that_nobody_knows_is_not_read(two_streams: MakeFile) -> None:
    path = two_streams("a.mkv", marked="0")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ", 1))
    with open_video(path) as video:
        assert not is_blue(next(video.frames()).rgb)
        assert video.reading.other_streams == (StreamFacts(0, 0, 0, None, is_default=True),)
        assert line(video.reading) == "2 videos in the file: stream 1 is read, not 0 (unknown codec)"


def test_other_stream_is_read_on_request(two_streams: MakeFile, tmp_path: Path) -> None:
    path = two_streams("a.mp4", marked="0")
    with open_video(path, stream=1) as video:
        assert not is_blue(next(video.frames()).rgb)
        assert video.reading.other_streams == (StreamFacts(0, 160, 120, "h264", is_default=True),)
        assert "stream 1 is read, as you chose" in line(video.reading)
    assert is_blue(poster(path, stream=0).rgb)
    assert not is_blue(poster(path, stream=1).rgb)
    assert probe(path, stream=1).width == 320
    make_preview(path, tmp_path / "preview.mp4", stream=1)
    assert probe(tmp_path / "preview.mp4").width == 320


def test_stream_that_is_not_there_is_refused_with_those_that_are(two_streams: MakeFile) -> None:
    path = two_streams("a.mp4")
    with pytest.raises(VideoError, match=r"^stream 7 of 'a.mp4' is not a video that can be read; choose one of.* 0, 1"):
        open_video(path, stream=7)


def test_two_single_pictures_are_a_video_of_one(two_streams: MakeFile) -> None:
    with open_video(two_streams("a.mkv", small_s=0.04, large_s=0.04)) as video:
        assert len(list(video.frames())) == 1
        assert video.reading.stream == 0
