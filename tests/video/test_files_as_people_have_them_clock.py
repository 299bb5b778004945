"""Times of files as cameras, recorders and other programs write them: a player shows the same."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recognizer.video import VideoReader, VideoWriter, is_browser_playable, make_preview, open_video, poster, probe
from recognizer.video.reading import line
from tests.support.ffmpeg import ffmpeg

PICTURES = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=30000/1001:d=2")
SOUND = ("-f", "lavfi", "-i", "sine=d=3")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
CCTV = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=15:d=2", "-pix_fmt", "yuv420p")
FRAME_S = 1001 / 30000


def made(folder: Path, name: str, *arguments: str) -> Path:
    ffmpeg(*arguments, name, folder=folder)
    return folder / name


def read(video: VideoReader) -> np.ndarray:
    """Return the times of all frames."""
    for _ in video.frames(lambda index, time_s: False):
        pass
    return video.frame_times_s


def times_of(path: Path, frame_rate_hz: float | None = None) -> np.ndarray:
    with open_video(path, frame_rate_hz=frame_rate_hz) as video:
        return read(video)


def stamps_of(path: Path) -> np.ndarray:
    """Return the times that PyAV reads, from the start that FFmpeg states."""
    with av.open(str(path)) as container:
        start_s = 0.0 if container.start_time is None else container.start_time / av.time_base
        return np.array([frame.time for frame in container.decode(video=0)], np.float64) - start_s


# --- where the clock begins


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("late.mp4", (*H264, "-c:a", "aac")),
        ("late.mov", (*H264, "-c:a", "aac")),
        ("late.mkv", (*H264, "-c:a", "aac")),
        ("late.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")),
        ("late.ts", (*H264, "-c:a", "aac")),
        ("late.nut", (*H264, "-c:a", "aac")),
        ("late.flv", (*H264, "-c:a", "aac")),
    ],
)
def test_pictures_that_begin_after_the_sound_begin_late(tmp_path: Path, name: str, codecs: tuple[str, ...]) -> None:
    path = made(tmp_path, name, "-itsoffset", "0.8", *PICTURES, *SOUND, *codecs)
    times_s = times_of(path)
    assert times_s == pytest.approx(stamps_of(path), abs=1e-6)
    # FFmpeg's MPEG-TS and FLV muxers move the pictures by the sound's priming
    assert times_s[0] == pytest.approx(0.8, abs=0.03)
    assert len(times_s) == 60
    with open_video(path) as video:
        assert video.reading.first_picture_s == times_s[0]
        assert line(video.reading) == f"pictures begin at {times_s[0]:.2f} s"
        assert video.facts.duration_s is not None
        assert video.facts.duration_s >= times_s[-1]


def test_sound_that_begins_after_the_pictures_moves_nothing(tmp_path: Path) -> None:
    path = made(tmp_path, "a.mp4", *PICTURES, "-itsoffset", "0.8", *SOUND, *H264, "-c:a", "aac")
    assert times_of(path)[0] == 0.0


@pytest.mark.parametrize("flags", [("-movflags", "frag_keyframe+empty_moov"), ("-use_editlist", "0")])
def test_mp4_file_without_edit_list_begins_when_its_first_picture_is_shown(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    # Chromium's mediaTime and mpv's clock of such files: tests/browser/test_clock.py
    path = made(tmp_path, "a.mp4", *PICTURES, *H264, *flags)
    times_s = times_of(path)
    assert times_s[0] == pytest.approx(2 * FRAME_S, abs=1e-6)
    assert np.diff(times_s) == pytest.approx(FRAME_S, abs=1e-6)
    assert probe(path).duration_s == pytest.approx(62 * FRAME_S, abs=1e-3)


def test_mp4_file_keeps_its_own_time_line_and_other_containers_begin_with_their_first_stream(tmp_path: Path) -> None:
    for name, first_s in (("a.mp4", 0.8), ("a.mov", 0.8), ("a.mkv", 0.0), ("a.ts", 0.0)):
        path = made(tmp_path, name, "-itsoffset", "0.8", *PICTURES, *H264)
        assert times_of(path)[0] == pytest.approx(first_s, abs=2e-3)


def test_piece_of_a_long_matroska_recording_begins_at_zero(tmp_path: Path) -> None:
    path = made(tmp_path, "piece.mkv", *PICTURES, *H264, "-output_ts_offset", "600")
    with open_video(path) as video:
        shares = [video.progress for _ in video.frames()]
        assert video.frame_times_s[[0, -1]] == pytest.approx([0.0, 59 * FRAME_S], abs=1e-3)
        assert video.facts.duration_s == pytest.approx(2.0, abs=0.01)
        assert video.notes == []
        assert line(video.reading) == ""
    assert shares[30] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("offset_s", ["0.8", "600"])
def test_webm_file_whose_clock_a_browser_does_not_move_is_not_played_as_it_is(tmp_path: Path, offset_s: str) -> None:
    codec = ("-c:v", "libvpx", "-deadline", "realtime")
    assert is_browser_playable(made(tmp_path, "plain.webm", *PICTURES, *codec))
    path = made(tmp_path, "piece.webm", *PICTURES, *codec, "-output_ts_offset", offset_s)
    assert times_of(path)[0] == 0.0
    assert not is_browser_playable(path)


def test_later_segments_of_a_stream_keep_their_place_and_raise_no_alarm(tmp_path: Path) -> None:
    segments = ("-f", "dash", "-seg_duration", "0.5", "-use_timeline", "1", "-use_template", "1")
    ffmpeg(*PICTURES, *H264, "-g", "15", *segments, "all.mpd", folder=tmp_path)
    names = ("init-stream0.m4s", "chunk-stream0-00003.m4s", "chunk-stream0-00004.m4s")
    path = tmp_path / "piece.mp4"
    path.write_bytes(b"".join((tmp_path / name).read_bytes() for name in names))
    with open_video(path) as video:
        assert read(video)[0] == pytest.approx(30 * FRAME_S, abs=1e-6)
        assert video.notes == []


def test_avi_file_with_b_frames_begins_at_zero(tmp_path: Path) -> None:
    path = made(tmp_path, "a.avi", *PICTURES, "-c:v", "mpeg4", "-bf", "2")
    assert stamps_of(path)[0] == pytest.approx(FRAME_S)
    times_s = times_of(path)
    assert times_s[0] == 0.0
    assert np.diff(times_s) == pytest.approx(FRAME_S)


def test_trimmed_file_begins_where_its_edit_list_does(tmp_path: Path) -> None:
    whole = made(tmp_path, "whole.mp4", *PICTURES, *H264, "-g", "15")
    path = made(tmp_path, "trimmed.mp4", "-ss", "0.7", "-i", str(whole), "-c", "copy")
    times_s = times_of(path)
    assert times_s == pytest.approx(stamps_of(path), abs=1e-6)
    assert times_s[0] < FRAME_S
    assert len(times_s) == pytest.approx(60 - 0.7 / FRAME_S, abs=1)


# --- what is made of such a file


def test_copy_begins_where_the_original_does_and_keeps_the_sound_in_place(tmp_path: Path) -> None:
    beep = ("-f", "lavfi", "-i", "sine=d=3,volume=0:enable='not(between(t,0.4,0.6))'")
    path = made(tmp_path, "late.mkv", "-itsoffset", "0.8", *PICTURES, *beep, *H264, "-c:a", "pcm_s16le")
    copy = tmp_path / "copy.mp4"
    with open_video(path) as video, VideoWriter(copy, 30000 / 1001, 96, 64, sound=video.sound()) as writer:
        for frame in video.frames():
            writer.write(frame.rgb, frame.time_s)
        original_s = video.frame_times_s
    assert times_of(copy) == pytest.approx(original_s, abs=1e-4)
    assert _loud_at(copy) == pytest.approx((0.4, 0.6), abs=0.03)


def _loud_at(path: Path) -> tuple[float, float]:
    """Return the first and the last moment with sound."""
    with av.open(str(path)) as container:
        heard = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
    loud_s = [time_s for time_s, level in heard if time_s is not None and level > 0.02]
    return min(loud_s), max(loud_s)


def test_preview_and_poster_of_a_late_file_have_its_times(tmp_path: Path) -> None:
    path = made(tmp_path, "late.mkv", "-itsoffset", "1.5", *PICTURES, *SOUND, *H264, "-c:a", "aac")
    assert poster(path).time_s == pytest.approx(1.5, abs=5e-3)
    make_preview(path, tmp_path / "preview.mp4")
    assert times_of(tmp_path / "preview.mp4")[0] == pytest.approx(times_of(path)[0], abs=1e-4)


# --- clocks that step


def test_transport_stream_whose_clock_steps_back_goes_on(tmp_path: Path) -> None:
    for name, offset_s in (("a.ts", "7200"), ("b.ts", "3600")):
        made(tmp_path, name, *PICTURES, *SOUND, "-shortest", *H264, "-c:a", "aac", "-output_ts_offset", offset_s)
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    with open_video(path) as video:
        shares = [video.progress for _ in video.frames()]
        times_s = video.frame_times_s
        assert len(times_s) == 120
        assert np.diff(times_s) == pytest.approx(FRAME_S, abs=1e-5)
        assert video.notes == []
        copy = tmp_path / "copy.mp4"
        with VideoWriter(copy, 30, 96, 64, sound=video.sound()) as writer:
            for frame in video.frames():
                writer.write(frame.rgb, frame.time_s)
    assert shares[60] == pytest.approx(0.5, abs=0.1)
    assert _loud_at(copy) == pytest.approx((0.0, 4.0), abs=0.15)


def test_recorder_that_runs_past_the_end_of_mpegs_clock_goes_on(tmp_path: Path) -> None:
    # its 33 bits of 90 kHz last 26.5 hours
    path = made(tmp_path, "a.ts", *PICTURES, *H264, "-output_ts_offset", str(2**33 / 90000 - 2.4))
    assert np.diff(times_of(path)) == pytest.approx(FRAME_S, abs=1e-4)


# --- frame rates


@pytest.mark.parametrize("name", ["hole.mp4", "hole.mkv", "hole.ts", "hole.avi"])
def test_pause_in_a_recording_stays_and_does_not_slow_the_sampling(tmp_path: Path, name: str) -> None:
    pause = ("-vf", "setpts='if(lt(T,1),PTS,PTS+60/TB)'", "-fps_mode", "vfr")
    codec = ("-c:v", "mpeg4") if name.endswith("avi") else H264
    path = made(tmp_path, name, *PICTURES, *pause, *codec)
    assert probe(path).frame_rate == Fraction(30000, 1001)
    times_s = times_of(path)
    assert len(times_s) == 60
    assert times_s[-1] == pytest.approx(60 + 59 * FRAME_S, abs=0.04)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25", "15"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_usual_rates_are_read_from_every_container(tmp_path: Path, name: str, rate: str) -> None:
    path = made(tmp_path, name, "-f", "lavfi", "-i", f"testsrc=s=96x64:r={rate}:d=1", *H264)
    with open_video(path) as video:
        times_s = read(video)
        assert float(video.facts.frame_rate or 0) == pytest.approx(float(Fraction(rate)), rel=1e-3)
    assert times_s == pytest.approx(np.arange(len(times_s)) / float(Fraction(rate)), abs=0.6e-3)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("cctv.h264", ("-c:v", "libx264")),
        ("cctv.hevc", ("-c:v", "libx265", "-x265-params", "log-level=error")),
        ("cctv.m2v", ("-r", "30", "-c:v", "mpeg2video")),
        ("cctv.m4v", ("-c:v", "mpeg4", "-f", "m4v")),
    ],
)
def test_raw_stream_has_the_rate_in_its_own_header(tmp_path: Path, name: str, codec: tuple[str, ...]) -> None:
    path = made(tmp_path, name, *CCTV, *codec)
    with open_video(path) as video:
        times_s = read(video)
        rate_hz = 30 if name.endswith("m2v") else 15
        assert video.facts.frame_rate == rate_hz
        assert times_s == pytest.approx(np.arange(2 * rate_hz) / rate_hz, abs=1e-5)
        assert video.reading.rate_assumed_hz is None
        assert video.notes == []
        assert line(video.reading) == ""


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("cctv.h264", ("-c:v", "libopenh264")),
        ("cctv.hevc", ("-c:v", "libx265", "-x265-params", "log-level=error:vui-timing-info=0")),
        ("cctv.mjpeg", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
    ],
)
def test_rate_of_a_raw_stream_that_states_none_is_assumed_or_given(
    tmp_path: Path, name: str, codec: tuple[str, ...]
) -> None:
    path = made(tmp_path, name, *CCTV, *codec)
    with open_video(path) as video:
        assert video.facts.frame_rate == 25
        assert line(video.reading) == "25 frames/s assumed, because the file does not say"
    with open_video(path, frame_rate_hz=15) as video:
        assert read(video) == pytest.approx(np.arange(30) / 15)
        assert (video.facts.frame_rate, video.reading.rate_assumed_hz) == (15, None)
        assert line(video.reading) == "15 frames/s, as you gave it"


def test_given_rate_overrides_a_raw_streams_header_but_no_time_stamps(tmp_path: Path) -> None:
    raw = made(tmp_path, "cctv.m2v", *CCTV, "-r", "30", "-c:v", "mpeg2video")
    assert times_of(raw, 10) == pytest.approx(np.arange(60) / 10)
    stamped = made(tmp_path, "cctv.mp4", *CCTV, *H264)
    assert times_of(stamped, 10) == pytest.approx(np.arange(30) / 15)
    with open_video(stamped, frame_rate_hz=10) as video:
        assert video.reading.rate_given_hz is None


# --- more kinds


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.vob", (*PICTURES, *SOUND, "-c:v", "mpeg2video", "-c:a", "mp2", "-f", "vob")),
        ("a.flv", (*PICTURES, *SOUND, "-c:v", "flv1", "-c:a", "mp3")),
        ("a.wmv", (*PICTURES, *SOUND, "-c:v", "wmv2", "-c:a", "wmav2")),
        ("a.gif", ("-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=2")),
        ("a.mxf", ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=2", "-c:v", "mpeg2video")),
        ("a.3gp", (*PICTURES, *SOUND, *H264, "-c:a", "aac")),
        ("a.mkv", (*PICTURES, *SOUND, *H264, "-c:a", "libopus")),
    ],
)
def test_times_in_other_containers_are_ffmpegs_from_the_start(
    tmp_path: Path, name: str, arguments: tuple[str, ...]
) -> None:
    path = made(tmp_path, name, *arguments)
    with open_video(path) as video:
        assert read(video) == pytest.approx(stamps_of(path), abs=1e-6)
        assert video.notes == []
        assert video.reading.repaired_stamps == 0


def test_dropped_frames_of_an_avi_file_leave_holes(tmp_path: Path) -> None:
    dropped = ("-vf", "select='not(between(n,20,29))'", "-fps_mode", "passthrough")
    path = made(tmp_path, "a.avi", *PICTURES, *dropped, "-c:v", "mpeg4")
    times_s = times_of(path)
    kept = [k for k in range(60) if not 20 <= k <= 29]
    assert times_s == pytest.approx(np.array(kept) * FRAME_S)
    assert probe(path).frame_count == 60  # the container's, with the empty chunks; an analysis counts again


def test_variable_rate_of_a_phone_keeps_its_average(tmp_path: Path) -> None:
    wobble = ("-vf", "setpts='(N/29+0.004*mod(N,3))/TB'", "-fps_mode", "vfr", "-video_track_timescale", "90000")
    path = made(tmp_path, "phone.mp4", *PICTURES, *wobble, *H264)
    rate = probe(path).frame_rate
    assert rate is not None
    assert 28 < rate < 31
    times_s = times_of(path)
    assert times_s == pytest.approx(stamps_of(path), abs=1e-6)
    assert np.diff(times_s).std() > 0.001


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("period_s", [60, 3600])
def test_time_lapse_with_a_picture_an_hour_is_read_and_copied(tmp_path: Path, name: str, period_s: int) -> None:
    # Fraction.limit_denominator(1001) makes 0 of such a rate
    source = f"testsrc=s=96x64:r=1/{period_s}:d={10 * period_s}"
    path = made(tmp_path, name, "-f", "lavfi", "-i", source, *H264)
    assert probe(path).frame_rate == Fraction(1, period_s)
    assert times_of(path) == pytest.approx(np.arange(10) * period_s)
    make_preview(path, tmp_path / "preview.mp4", max_seconds=1e6)
    assert times_of(tmp_path / "preview.mp4") == pytest.approx(np.arange(10) * period_s)


@pytest.mark.parametrize("rate", ["120", "240"])
def test_rate_of_slow_motion_survives_stamps_in_milliseconds(tmp_path: Path, rate: str) -> None:
    path = made(tmp_path, "a.mkv", "-f", "lavfi", "-i", f"testsrc=s=96x64:r={rate}:d=1", *H264)
    assert probe(path).frame_rate == int(rate)


def test_transport_stream_cut_between_two_keyframes_keeps_the_time_of_its_first_whole_picture(tmp_path: Path) -> None:
    whole = made(tmp_path, "whole.ts", *PICTURES, *H264, "-g", "30")
    path = tmp_path / "cut.ts"
    path.write_bytes(whole.read_bytes()[20 * 188 :])
    times_s = times_of(path)
    assert len(times_s) == 30
    assert 0 < times_s[0] < 1
    assert times_s[0] == pytest.approx(_start_of(whole) + 30 * FRAME_S - _start_of(path), abs=1e-5)


def _start_of(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.start_time or 0) / av.time_base


def test_wrong_stamps_within_a_stream_do_not_move_the_others(tmp_path: Path) -> None:
    same = ("-bf", "0", "-bsf:v", "setts=ts='if(between(N,30,32),1/TB,TS)'")
    path = made(tmp_path, "a.mkv", *PICTURES, *H264, *same)
    with open_video(path) as video:
        times_s = read(video)
        assert video.reading.repaired_stamps <= 3
    assert times_s[40:] == pytest.approx(np.arange(40, 60) * FRAME_S, abs=1e-3)
    assert (np.diff(times_s) > 0).all()


def test_copy_of_a_piece_that_keeps_its_place_begins_there_without_hours_of_silence(tmp_path: Path) -> None:
    sound = ("-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac")
    path = made(tmp_path, "piece.mp4", *PICTURES, *sound, *H264, "-output_ts_offset", "40000")
    assert times_of(path)[0] == pytest.approx(40000, abs=1e-3)
    shares: list[float] = []
    assert make_preview(path, tmp_path / "copy.mp4", progress=shares.append)
    assert times_of(tmp_path / "copy.mp4") == pytest.approx(times_of(path), abs=1e-3)
    assert shares[0] < 0.1
    assert (tmp_path / "copy.mp4").stat().st_size < 200_000
    assert _loud_at(tmp_path / "copy.mp4") == pytest.approx((40000.0, 40002.0), abs=0.1)
