"""Read and write small synthetic videos: times, rotation, bad input, writing, previews."""

from __future__ import annotations

import gc
import hashlib
import os
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.errors import VideoError
from recognizer.types import VideoInfo
from recognizer.video import (
    VIDEO_SUFFIXES,
    VideoWriter,
    describe,
    display_name,
    is_browser_playable,
    make_preview,
    open_video,
    poster,
    probe,
)
from recognizer.video.clock import PresentationClock
from recognizer.video.workers import workers
from tests.support.priority import usual_priority

MakeVideo = Callable[..., Path]


def refusal(path: Path, **options: object) -> str:
    """Return the message that refuses a file; check that it is one sentence."""
    with pytest.raises(VideoError) as caught:
        open_video(path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.endswith(".")
    assert message.isprintable()
    assert ". " not in message
    return message


def moving_square(frames: int, size_wh: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    """Return frames with a white square that moves to the right in the upper half."""
    pictures = []
    for k in range(frames):
        picture = np.full((size_wh[1], size_wh[0], 3), 40, np.uint8)
        picture[8:24, 4 + k : 20 + k] = 240
        pictures.append(picture)
    return pictures


def encode(path: Path, pictures: list[np.ndarray], rate: int, codec: str, pix_fmt: str) -> Path:
    """Like ``make_video``, for old codecs, whose clock ticks once per frame."""
    with usual_priority(), av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], pix_fmt
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    target = path.with_name(f"cut_{path.name}")
    target.write_bytes(data[: int(len(data) * share)])
    return target


# --- facts and frames


def test_info_tells_size_rate_length_codec_and_hash(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=30, fps=25, size=(96, 64))
    with open_video(path) as video:
        assert video.info == VideoInfo(
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            width=96,
            height=64,
            frame_rate=Fraction(25),
            duration_s=pytest.approx(1.2),  # type: ignore[arg-type]
            frame_count=30,
            codec="h264",
        )


def test_known_hash_is_not_worked_out_again_and_probe_needs_none(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=2)
    with open_video(path, sha256="known") as video:
        assert video.info.sha256 == "known"
    with open_video(path) as video:
        assert video.facts.sha256 is None
    assert probe(path).sha256 is None


def test_only_selected_frames_come_out_but_all_are_counted(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=20, fps=10)
    with open_video(path) as video:
        frames = list(video.frames(lambda index, time_s: index % 3 == 0))
        assert [frame.index for frame in frames] == [0, 3, 6, 9, 12, 15, 18]
        assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8])
        assert video.frame_times_s == pytest.approx(np.arange(20) / 10)
        assert video.progress == 1.0
        assert video.notes == []
    levels = [frame.rgb.mean() for frame in frames]
    assert levels == sorted(levels)
    assert frames[6].rgb.mean() == pytest.approx(18 * 5, abs=4)


def test_progress_rises_with_the_pass(make_video: MakeVideo) -> None:
    with open_video(make_video("a.mp4", frames=20)) as video:
        shares = [video.progress for _ in video.frames()]
    assert shares == sorted(shares)
    assert shares[10] == pytest.approx(0.5, abs=0.05)


def test_second_pass_gives_the_same_frames(make_video: MakeVideo) -> None:
    with open_video(make_video("a.mp4", frames=5)) as video:
        first, second = list(video.frames()), list(video.frames())
    assert [frame.time_s for frame in first] == [frame.time_s for frame in second]
    assert all(np.array_equal(one.rgb, two.rgb) for one, two in zip(first, second, strict=True))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files by way of /proc")
def test_abandoned_pass_closes_the_file(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=30)

    def is_open() -> bool:
        processes = [os.getpid(), *workers().pids()]
        links = [link for process in processes for link in Path(f"/proc/{process}/fd").iterdir()]
        return any(Path(os.path.realpath(link)) == path for link in links)

    with open_video(path) as video:
        frames = video.frames()
        next(frames)
        assert is_open()
    assert not is_open()
    assert list(frames) == []
    with pytest.raises(ValueError, match="closed"):
        video.frames()


def test_frames_carry_their_own_times_when_the_rate_varies(make_video: MakeVideo) -> None:
    times = [0.0, 0.04, 0.2, 0.24, 0.9, 1.0]
    with open_video(make_video("a.mp4", frames=6, times_s=times)) as video:
        assert [frame.time_s for frame in video.frames()] == pytest.approx(times, abs=1e-3)
        assert video.notes == []


def test_frames_are_freed_as_they_go(make_video: MakeVideo) -> None:
    # looking at a frame's side data ties it into a cycle, and then it lives until the garbage collector runs
    path = make_video("a.mp4", frames=200)
    gc.collect()
    gc.disable()
    try:
        with open_video(path) as video:
            for frame in video.frames():
                if frame.index == 150:
                    break
            alive = sum(type(one) is av.VideoFrame for one in gc.get_objects())
            assert alive < 75
    finally:
        gc.enable()


def test_late_start_is_subtracted(make_video: MakeVideo) -> None:
    path = make_video("a.ts", frames=10, fps=10, times_s=[5 + k / 10 for k in range(10)])
    with open_video(path) as video:
        assert [frame.time_s for frame in video.frames()] == pytest.approx(np.arange(10) / 10)


def test_file_without_time_stamps_gets_times_from_its_rate(make_video: MakeVideo) -> None:
    path = make_video("a.h264", frames=10, fps=25)
    with open_video(path) as video:
        list(video.frames())
        steps = np.diff(video.frame_times_s)
    assert len(steps) == 9
    assert steps == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, "left top"), (90, "right top"), (180, "right bottom"), (270, "left bottom")]
)
def test_turned_video_comes_out_upright(tmp_path: Path, degrees: int, corner: str) -> None:
    # the mark is top left as stored; turning the picture clockwise moves it
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:16, :16] = 255
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        stream.set_display_rotation(-degrees)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    with open_video(path) as video:
        frame = next(video.frames())
        wide = degrees % 180 == 0
        assert (video.info.width, video.info.height) == ((80, 48) if wide else (48, 80))
        assert frame.rgb.shape == ((48, 80, 3) if wide else (80, 48, 3))
    rows, columns = np.nonzero(frame.rgb.mean(axis=2) > 128)
    across = "left" if columns.mean() < frame.rgb.shape[1] / 2 else "right"
    down = "top" if rows.mean() < frame.rgb.shape[0] / 2 else "bottom"
    assert f"{across} {down}" == corner
    assert frame.rgb.flags.c_contiguous
    # OpenCV reads the same matrix by code of its own
    capture = cv2.VideoCapture(str(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    found, bgr = capture.read()
    capture.release()
    assert found
    assert np.abs(bgr[:, :, ::-1].astype(int) - frame.rgb).mean() < 4


def test_mirrored_video_is_mirrored_back(tmp_path: Path) -> None:
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:, :16] = 255
    path = tmp_path / "mirrored.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        stream.set_display_rotation(0, hflip=True)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    frame = poster(path)
    assert frame.rgb[:, -8:].mean() > 200
    assert frame.rgb[:, :8].mean() < 50


def test_size_change_in_the_middle_is_scaled_to_the_first_size_and_noted(make_video: MakeVideo, tmp_path: Path) -> None:
    small = make_video("small.ts", frames=10, size=(64, 48))
    large = make_video("large.ts", frames=10, size=(128, 96))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with open_video(joined) as video:
        shapes = {frame.rgb.shape for frame in video.frames()}
        times = video.frame_times_s
        notes = list(video.notes)
        assert (video.info.width, video.info.height) == (64, 48)
    assert shapes == {(48, 64, 3)}
    assert len(times) == 20
    assert (np.diff(times) > 0).all()
    assert any("picture size changes from 64 × 48 to 128 × 96" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "canonical_name"),
    [
        ("a.avi", "mpeg4", "yuv420p", "mpeg4"),
        ("a.mkv", "libx264", "yuv444p", "h264"),
        ("a.webm", "libvpx-vp9", "yuv420p", "vp9"),
        ("a.mov", "mjpeg", "yuvj420p", "mjpeg"),
        ("a.mp4", "libx265", "yuv420p10le", "hevc"),
        ("a.mp4", "libsvtav1", "yuv420p", "av1"),
        ("a.gif", "gif", "rgb8", "gif"),
        ("a.ts", "mpeg2video", "yuv420p", "mpeg2video"),
        ("a.flv", "flv", "yuv420p", "flv1"),
        ("a.wmv", "wmv2", "yuv420p", "wmv2"),
        ("a.3gp", "mpeg4", "yuv420p", "mpeg4"),
        ("a.mpg", "mpeg1video", "yuv420p", "mpeg1video"),
    ],
)
def test_usual_containers_and_codecs_are_read(
    tmp_path: Path, name: str, codec: str, pixels: str, canonical_name: str
) -> None:
    path = encode(tmp_path / name, moving_square(12), 25, codec, pixels)
    assert path.suffix[1:] in VIDEO_SUFFIXES
    with open_video(path) as video:
        frames = list(video.frames())
        assert video.info.codec == canonical_name
        assert len(frames) == 12
        assert np.diff(video.frame_times_s) == pytest.approx(0.04, abs=0.005)
        assert frames[6].rgb[12:20, 14:22].mean() > 150
        assert frames[6].rgb[40:].mean() < 100


def test_one_frame_is_a_video(make_video: MakeVideo) -> None:
    with open_video(make_video("a.mp4", frames=1)) as video:
        assert [frame.time_s for frame in video.frames()] == [0.0]


def test_metadata_in_another_encoding_does_no_harm(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=3)
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfeav"))
    assert probe(path).frame_count == 3


def test_recorder_that_claims_1000_frames_a_second_is_measured(make_video: MakeVideo, tmp_path: Path) -> None:
    # browsers record WebM without a default duration; FFmpeg then guesses from the clock's ticks
    path = make_video("a.webm", frames=40, times_s=[k * 0.04 for k in range(40)], fps=1000, codec="libvpx")
    assert float(probe(path).frame_rate or 0) == pytest.approx(25, rel=0.05)


# --- damage


def test_cut_file_gives_what_there_is_and_says_so(make_video: MakeVideo) -> None:
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)]
    whole = make_video("a.mp4", frames=pictures, fps=10, options={"movflags": "faststart"})
    with open_video(cut(whole, 0.6)) as video:
        frames = list(video.frames())
        assert 20 < len(frames) < 50
        assert any(note.startswith("The file ends early:") and "of 6.0 s" in note for note in video.notes)
        assert all(note.endswith(".") for note in video.notes)


def test_damaged_packets_are_skipped_counted_and_noted(make_video: MakeVideo) -> None:
    path = make_video("a.mkv", frames=moving_square(30), codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xd8\xff", packets[10][0])
    for number in (10, 11, 12):
        start = data.index(b"\xff\xd8\xff", packets[number][0])
        data[start : start + packets[number][1] - 8] = bytes(packets[number][1] - 8)
    path.write_bytes(data)
    with open_video(path) as video:
        frames = list(video.frames())
        assert len(frames) == 27
        assert video.notes == []
        (span,) = video.reading.damaged
        assert span.packets == 3
        assert (span.start_s, span.end_s) == pytest.approx((10 / 30, 13 / 30), abs=0.002)
        # the frames after the damage keep their time
        assert frames[-1].time_s == pytest.approx(29 / 30, abs=0.002)


def test_damaged_picture_data_never_ends_in_another_error(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=moving_square(40), options={"movflags": "faststart"})
    data = path.read_bytes()
    rng = np.random.default_rng(7)
    for _ in range(25):
        spoilt = np.frombuffer(data, np.uint8).copy()
        where = rng.integers(0, len(spoilt), 40)
        spoilt[where] = rng.integers(0, 256, 40)
        path.write_bytes(spoilt.tobytes())
        with suppress(VideoError), open_video(path) as video:
            list(video.frames(lambda index, _: index % 8 == 0))
            assert (np.diff(video.frame_times_s) > 0).all()


# --- refusals


def test_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("Dear diary, today was fine.\n" * 100)
    assert refusal(path) == "'notes.mp4' is a text file, not a video; choose a video file."


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert refusal(path) == "'empty.mp4' is empty, 0 bytes; copy or download it again."


def test_missing_file_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    assert "there is no file 'gone.mp4'" in refusal(tmp_path / "gone.mp4")
    assert "there is no file" in refusal(tmp_path / "a\0b.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert "'folder.mp4' is a folder" in refusal(tmp_path / "folder.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        assert "is a device or a pipe" in refusal(tmp_path / "pipe.mp4")


def test_forbidden_file_is_refused(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("a.mp4", frames=2)

    def forbidden(*_: object, **__: object) -> None:
        # the file mode is no help where tests run as root
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "permission is denied" in refusal(path)


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("bmp", "BMP"), ("webp", "WebP")])
def test_picture_posing_as_video_is_called_a_picture(tmp_path: Path, suffix: str, kind: str) -> None:
    _, data = cv2.imencode(f".{suffix}", np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))
    for name in (f"photo.{suffix}", "photo.mp4"):
        (tmp_path / name).write_bytes(data.tobytes())
        assert refusal(tmp_path / name) == f"'{name}' is a picture ({kind}), not a video; choose a video file."


def test_phone_photograph_in_a_video_container_is_called_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "photo.mp4"
    path.write_bytes(struct.pack(">I4s4sI4s", 20, b"ftyp", b"heic", 0, b"mif1") + bytes(200))
    assert "is a picture (HEIC)" in refusal(path)


def test_archive_is_refused(tmp_path: Path, make_video: MakeVideo) -> None:
    path = tmp_path / "clips.mp4"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(make_video("a.mp4", frames=2), "a.mp4")
    assert "is a ZIP archive" in refusal(path)


def write_audio(path: Path, codec: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=44100)
        assert isinstance(stream, av.AudioStream)
        for k in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 1024), np.int16), format="s16", layout="stereo")
            frame.sample_rate, frame.pts = 44100, 1024 * k
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [("talk.mp4", "aac"), ("talk.mp3", "libmp3lame"), ("talk.wav", "pcm_s16le"), ("talk.flac", "flac")],
)
def test_sound_alone_is_refused(tmp_path: Path, name: str, codec: str) -> None:
    message = refusal(write_audio(tmp_path / name, codec))
    assert message == f"no video stream in '{name}'; it holds audio only; choose a file with pictures."


def test_file_cut_before_its_index_is_called_incomplete(make_video: MakeVideo) -> None:
    path = cut(make_video("a.mp4", frames=moving_square(60)), 0.5)
    assert refusal(path) == "'cut_a.mp4' is incomplete, its index is missing; copy or download it again."


def test_file_over_the_limit_is_refused_with_both_sizes(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=30)
    size = path.stat().st_size
    assert f"'a.mp4' has {size / 1000:.1f} kB, the limit is 100 bytes" in refusal(path, max_file_bytes=100)
    open_video(path, max_file_bytes=size).close()


def test_noise_and_zeros_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    assert refusal(path) == "'noise.mp4' is not a video that can be read; choose another file."
    path.write_bytes(bytes(50_000))
    assert "nothing but zeros" in refusal(path)


def test_encrypted_and_unknown_codecs_are_named(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=3)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"avc1", b"encv"))
    assert "is encrypted" in refusal(path)
    path.write_bytes(data.replace(b"avc1", b"zzzz"))
    assert "codec of 'a.mp4' is not supported" in refusal(path)


def test_undecodable_pictures_are_refused(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"apcn"))
    assert "no picture of 'a.mp4' can be decoded (codec prores)" in refusal(path)


def test_oversized_pictures_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gif"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 20_000, 20_000, 0) + b"\x02\x02\x44\x01\0"
    path.write_bytes(b"GIF89a" + struct.pack("<HH", 20_000, 20_000) + b"\x80\0\0\0\0\0\xff\xff\xff" + picture + b"\x3b")
    message = refusal(path)
    assert (
        message == "the pictures of 'bomb.gif' are 20000 × 20000 pixels, the limit is 16384 a side and 100 million in"
        " all; convert it to a smaller size."
    )


# --- a file never leads to another


@pytest.fixture
def web_server() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a local web server and the list of its requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT3S">'
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "asx": '<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
    "pls": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "mpd", "sdp"])
def test_playlist_opens_no_other_file_and_no_address(
    make_video: MakeVideo, tmp_path: Path, web_server: tuple[str, list[str]], kind: str, suffix: str
) -> None:
    address, asked = web_server
    victim = make_video("victim.ts", frames=5)
    for target in (str(victim), "victim.ts", f"{address}/victim.ts"):
        path = tmp_path / f"list.{suffix}"
        path.write_text(PLAYLISTS[kind].format(target=target))
        os.utime(victim, ns=(1_000_000_000, 2_000_000_000))
        message = refusal(path)
        assert (
            message
            == f"'list.{suffix}' is a playlist that points to other files, not a video; choose the video itself."
        )
        # where the file system keeps access times: a read would have moved it past the old modification time
        assert victim.stat().st_atime_ns == 1_000_000_000
    assert asked == []


@pytest.mark.parametrize(("kind", "suffix"), [("hls", "m3u8"), ("ffconcat", "ffconcat")])
def test_playlist_leads_to_the_other_file_where_nothing_guards(
    make_video: MakeVideo, tmp_path: Path, kind: str, suffix: str
) -> None:
    # the test above proves nothing if this FFmpeg has no such playlists
    make_video("victim.ts", frames=5)
    path = tmp_path / f"list.{suffix}"
    path.write_text(PLAYLISTS[kind].format(target="victim.ts"))
    with av.open(str(path)) as container:
        assert container.streams.video


def refer_to(path: Path, other: Path) -> None:
    """Change a QuickTime file so that it refers to another file in its folder for its pictures."""
    data = path.read_bytes()
    parents = []
    where = 0
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        where = data.index(kind, where) - 4
        parents.append(where)
        where += 8
    start = where + 8  # behind version, flags and the number of entries
    old_size = int.from_bytes(data[start : start + 4])
    name = str(other).encode()
    levels_up, levels_down = 1, 1
    record = bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + struct.pack(">HH", levels_up, levels_down) + bytes(16)
    record += struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    spoilt = bytearray(data)
    for parent in parents:
        size = int.from_bytes(data[parent : parent + 4])
        spoilt[parent : parent + 4] = struct.pack(">I", size + len(entry) - old_size)
    spoilt[start : start + old_size] = entry
    path.write_bytes(spoilt)


def test_quicktime_file_that_refers_to_another_file_does_not_open_it(make_video: MakeVideo) -> None:
    dark, bright = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 250, np.uint8)
    path = make_video("a.mov", frames=[dark] * 3, codec="mjpeg", pix_fmt="yuvj420p")
    victim = make_video("victim.mov", frames=[bright] * 3, codec="mjpeg", pix_fmt="yuvj420p")
    refer_to(path, victim)
    # so it would go on without the guard
    with av.open(str(path), options={"enable_drefs": "1"}) as container:
        assert next(container.decode(video=0)).to_ndarray(format="rgb24").mean() > 200
    assert "holds no pictures" in refusal(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows allows none of these names")
@pytest.mark.parametrize(
    "name",
    [
        "http:x.mp4",
        "concat:a|b.mp4",
        "-i.mp4",
        "a%03d.mp4",
        "subfile,,start,0,end,9,,:x.mp4",
        "pipe:0",
        "file:x.mp4",
        "a?b#c",
    ],
)
def test_odd_names_are_plain_local_files(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    make_video("plain.mp4", frames=4).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for path in (name, tmp_path / name):
        with open_video(path) as video:
            assert len(list(video.frames())) == 4


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_name_that_is_no_text_is_read_and_shown(make_video: MakeVideo, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    make_video("plain.mp4", frames=2).rename(path)
    assert probe(path).frame_count == 2
    assert display_name(path) == "'caf\N{REPLACEMENT CHARACTER}.mp4'"


def test_names_are_shown_on_one_line_and_short() -> None:
    assert display_name("/videos/<b>clip</b>.mp4") == "'b>.mp4'"
    assert display_name("<img src=x>.mp4") == "'<img src=x>.mp4'"
    assert display_name("a\nb\x1b[31m\u202egpm.mp4") == "'a b�[31m�gpm.mp4'"
    assert display_name("Zoë läuft 走る.mp4") == "'Zoë läuft 走る.mp4'"
    long = display_name("x" * 300 + ".mp4")
    assert len(long) == 82
    assert long.endswith(".mp4'")


@given(st.text())
def test_any_name_is_shown_printable_enough(name: str) -> None:
    shown = display_name(name)
    assert shown.splitlines() == [shown]
    assert len(shown) <= 82


# --- the clock


@pytest.mark.parametrize(
    ("stamps", "times", "repaired"),
    [
        ([7.0, 7.1, 7.2], [0.0, 0.1, 0.2], 0),
        ([None, None, None], [0.0, 0.1, 0.2], 3),
        ([0.0, None, 0.2], [0.0, 0.1, 0.2], 1),
        ([0.0, 0.1, 0.1, 0.2], [0.0, 0.1, 0.15, 0.2], 1),
        ([0.0, 0.1, 0.1, 0.1, 0.2], [0.0, 0.1, 0.15, 0.175, 0.2], 2),
        ([0.0, 0.1, 9.0, 9.1], [0.0, 0.1, 9.0, 9.1], 0),
        ([0.0, 1.0, 2.0, 0.0, 0.1, 0.2], [0.0, 1.0, 2.0, 2.1, 2.2, 2.3], 1),
        ([0.0, 0.1, 5000.0, 0.3], [0.0, 0.1, 0.2, 0.3], 1),
    ],
)
def test_times_are_made_of_stamps(stamps: list[float | None], times: list[float], repaired: int) -> None:
    clock = PresentationClock(0.1, end_s=10.0)
    assert [clock.time_s(stamp) for stamp in stamps] == pytest.approx(times)
    assert clock.repaired == repaired


def test_clock_that_stands_still_is_replaced_by_the_rate() -> None:
    clock = PresentationClock(0.1)
    times = [clock.time_s(0.0) for _ in range(200)]
    assert np.diff(times[5:]) == pytest.approx(0.1)


def test_decoding_stamps_serve_where_presentation_stamps_run_backwards() -> None:
    presentation = [1, 4, 3, 5, 7, 6, 8, 10, 9, 11, 13, 12]
    clock = PresentationClock(1.0)
    times = [clock.time_s(float(stamp), float(k + 2)) for k, stamp in enumerate(presentation)]
    assert times[4:] == list(range(4, 12))


@given(
    st.lists(st.tuples(*[st.one_of(st.none(), st.floats(-1e5, 1e5), st.sampled_from([0.0, 0.04, 0.08]))] * 2)),
    st.sampled_from([0.001, 0.04, 1.0]),
    st.one_of(st.none(), st.floats(0.04, 1e4)),
)
def test_times_always_increase(
    stamps: list[tuple[float | None, float | None]], interval_s: float, duration_s: float | None
) -> None:
    clock = PresentationClock(interval_s, duration_s)
    times = [clock.time_s(*pair) for pair in stamps]
    assert times[:1] in ([], [0.0])
    assert all(later > earlier for earlier, later in pairwise(times))


# --- writing


def test_written_video_is_h264_with_its_index_in_front_and_its_times(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    times = [0.0, 0.04, 0.1, 0.5, 0.54, 1.3]
    with VideoWriter(path, 25, 96, 64) as writer:
        for picture, time_s in zip(moving_square(6), times, strict=True):
            writer.write(picture, time_s)
        assert not path.exists()
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert is_browser_playable(path)
    with open_video(path) as video:
        assert video.info.codec == "h264"
        frames = list(video.frames())
        assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
        assert np.abs(frames[3].rgb.astype(int) - moving_square(6)[3]).mean() < 4
        assert video.info.duration_s == pytest.approx(1.34, abs=0.01)
    assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]


def test_colours_survive_writing_and_reading(tmp_path: Path) -> None:
    colours = [(220, 30, 30), (30, 200, 40), (40, 40, 210), (250, 250, 250), (5, 5, 5)]
    with VideoWriter(tmp_path / "out.mp4", 10, 64, 48, crf=10) as writer:
        for k, colour in enumerate(colours):
            writer.write(np.full((48, 64, 3), colour, np.uint8), k / 10)
    with open_video(tmp_path / "out.mp4") as video:
        for frame, colour in zip(video.frames(), colours, strict=True):
            assert frame.rgb.mean(axis=(0, 1)) == pytest.approx(colour, abs=4)


@pytest.mark.parametrize(
    ("size", "written"), [((97, 65), (96, 64)), ((1, 1), (2, 2)), ((64, 48), (64, 48)), ((3, 900), (2, 900))]
)
def test_written_sizes_are_even(tmp_path: Path, size: tuple[int, int], written: tuple[int, int]) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, 25, *size) as writer:
        writer.write(np.full((size[1], size[0], 3), 120, np.uint8), 0.0)
    info = probe(path)
    assert (info.width, info.height) == written


def test_error_abort_and_nothing_written_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    picture = np.zeros((48, 64, 3), np.uint8)

    def interrupted() -> None:
        with VideoWriter(path, 25, 64, 48) as writer:
            writer.write(picture, 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    aborted = VideoWriter(path, 25, 64, 48)
    aborted.write(picture, 0.0)
    aborted.abort()
    with pytest.raises(VideoError, match=r"no picture was written to 'out\.mp4'"):
        VideoWriter(path, 25, 64, 48).close()
    assert list(tmp_path.iterdir()) == []


def test_failed_writing_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the old one")
    with pytest.raises(RuntimeError), VideoWriter(path, 25, 64, 48):
        raise RuntimeError
    assert path.read_bytes() == b"the old one"


def test_a_target_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"'out\.mp4' cannot be written, .*; choose another folder"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", 25, 64, 48)


def test_full_disk_is_reported_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", 25, 64, 48)
    writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(VideoError, match="no space left on device"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_writer_refuses_wrong_shapes_and_times(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", 25, 64, 48) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.2)
        with pytest.raises(ValueError, match="uint8"):
            writer.write(np.zeros((64, 48, 3), np.uint8), 0.3)
        with pytest.raises(ValueError, match="not after"):
            writer.write(np.zeros((48, 64, 3), np.uint8), 0.2)


# --- previews


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "plays"),
    [
        ("a.mp4", "libx264", "yuv420p", True),
        ("a.mov", "libx264", "yuv420p", True),
        ("a.mp4", "libx264", "yuv444p", False),
        ("a.mp4", "mpeg4", "yuv420p", False),
        ("a.mp4", "libx265", "yuv420p", False),
        ("a.mkv", "libx264", "yuv420p", False),
        ("a.avi", "libx264", "yuv420p", False),
        ("a.webm", "libvpx-vp9", "yuv420p", True),
        ("a.mkv", "libvpx-vp9", "yuv420p", False),
        ("a.gif", "gif", "rgb8", False),
    ],
)
def test_playable_in_every_browser(tmp_path: Path, name: str, codec: str, pixels: str, plays: bool) -> None:
    assert is_browser_playable(encode(tmp_path / name, moving_square(3), 25, codec, pixels)) is plays


def test_preview_is_small_playable_and_keeps_time(tmp_path: Path) -> None:
    source = encode(tmp_path / "a.avi", moving_square(60, (120, 80)), 60, "mpeg4", "yuv420p")
    target = tmp_path / "preview.mp4"
    shares: list[float] = []
    assert make_preview(source, target, max_height_px=40, progress=shares.append)
    assert is_browser_playable(target)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    with open_video(target) as video:
        list(video.frames())
        assert (video.info.width, video.info.height) == (60, 40)
        # 60 frames a second are thinned to 30
        assert np.diff(video.frame_times_s) == pytest.approx(1 / 30, abs=2e-3)
        assert video.frame_times_s[-1] == pytest.approx(58 / 60, abs=0.01)


def test_preview_stops_at_its_length(make_video: MakeVideo, tmp_path: Path) -> None:
    assert make_preview(make_video("a.mp4", frames=50, fps=10), tmp_path / "preview.mp4", max_seconds=2.0)
    assert probe(tmp_path / "preview.mp4").frame_count == 20


def test_cancelled_preview_leaves_nothing(make_video: MakeVideo, tmp_path: Path) -> None:
    source = make_video("a.mp4", frames=30)
    answers = iter([False] * 5 + [True] * 100)
    assert not make_preview(source, tmp_path / "preview.mp4", cancel=lambda: next(answers))
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]


def test_poster_passes_over_black_but_not_over_all(make_video: MakeVideo) -> None:
    black, grey = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 120, np.uint8)
    assert poster(make_video("a.mp4", frames=[black] * 4 + [grey] * 20, fps=10)).index == 4
    assert poster(make_video("b.mp4", frames=[black] * 24, fps=10)).index == 0
    assert poster(make_video("c.mp4", frames=[grey] * 3, fps=10)).index == 0


def test_facts_fit_in_a_line() -> None:
    info = VideoInfo("0" * 64, 340, 256, Fraction(28), 10.0, 280, "h264")
    assert describe(info) == "10.0 s, 340 × 256, 28 frames/s, H.264"
    ntsc = VideoInfo(None, 1920, 1080, Fraction(30000, 1001), 3725.4, None, "prores")
    assert describe(ntsc) == "1 h 2 min 5 s, 1920 × 1080, 29.97 frames/s, ProRes"
    assert describe(VideoInfo(None, 640, 480, None, None, None, None)) == "640 × 480"
