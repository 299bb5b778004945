"""A copy of a video has its sound, in time with the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.video import VideoWriter, make_preview, open_video
from recognizer.video.container import inspect
from recognizer.video.sound import read_sound

RATE_HZ = 16_000
FRAMES_PER_S = 25
PICTURES_S = 2.0

Piece = tuple[float, NDArray[np.float32]]
"""Start in the file, in seconds, and samples, float32 (samples,)."""


def tone(duration_s: float, loud: float = 0.5) -> NDArray[np.float32]:
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (loud * np.sin(2 * np.pi * 500 * times_s)).astype(np.float32)


def recorded(path: Path, pieces: Sequence[Piece], first_picture_s: float = 0.0) -> Path:
    """Write two seconds of pictures with mono sound."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=FRAMES_PER_S)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for k in range(round(PICTURES_S * FRAMES_PER_S)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(1000 * (first_picture_s + k / FRAMES_PER_S)), Fraction(1, 1000)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for begins_s, samples in pieces:
            for start in range(0, len(samples), 400):
                part = np.round(32_000 * samples[None, start : start + 400]).astype(np.int16)
                heard = av.AudioFrame.from_ndarray(part, "s16", "mono")
                heard.sample_rate, heard.pts = RATE_HZ, round(begins_s * RATE_HZ) + start
                container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    return path


def copied(source: Path, target: Path) -> Path:
    with open_video(source) as video, VideoWriter(target, FRAMES_PER_S, 64, 48, sound=video.sound()) as writer:
        for frame in video.frames():
            writer.write(frame.rgb, frame.time_s)
    return target


def loudness(path: Path, step_s: float = 0.05) -> NDArray[np.float64]:
    """Return the root mean square of each step from the first picture on."""
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
        heard = np.zeros(round(4 * RATE_HZ))
        for frame in container.decode(audio=0):
            assert frame.time is not None
            for part in resampler.resample(frame):
                begins = max(0, round(frame.time * RATE_HZ))
                samples = part.to_ndarray()[0]
                heard[begins : begins + len(samples)] = samples
    steps = heard.reshape(-1, round(step_s * RATE_HZ))
    return np.asarray(np.sqrt((steps**2).mean(axis=1)), np.float64)


def loud_from_to(path: Path) -> list[tuple[float, float]]:
    """Return the intervals with audible sound, in seconds, to a twentieth."""
    is_loud = np.concatenate(([False], loudness(path) > 0.15, [False]))
    edges = np.flatnonzero(np.diff(is_loud)) * 0.05
    return [(round(float(a), 2), round(float(b), 2)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize("first_picture_s", [0.0, 0.4])
def test_sound_is_heard_with_the_same_pictures(tmp_path: Path, first_picture_s: float) -> None:
    quiet_then_loud = np.concatenate((tone(0.8, 0), tone(0.5), tone(0.5, 0)))
    source = recorded(tmp_path / "a.mkv", [(first_picture_s, quiet_then_loud)], first_picture_s)
    assert loud_from_to(copied(source, tmp_path / "b.mp4")) == [(0.8, 1.3)]


def test_hole_in_the_sound_is_silence_and_moves_nothing(tmp_path: Path) -> None:
    source = recorded(tmp_path / "a.mkv", [(0.25, tone(0.25)), (1.5, tone(0.25))])
    assert loud_from_to(copied(source, tmp_path / "b.mp4")) == [(0.25, 0.5), (1.5, 1.75)]


def test_sound_before_the_pictures_is_kept_and_after_them_left_out(tmp_path: Path) -> None:
    source = recorded(tmp_path / "a.mkv", [(0.0, tone(4.0))], first_picture_s=0.5)
    copy = copied(source, tmp_path / "b.mp4")
    assert loud_from_to(copy) == [(0.0, pytest.approx(0.5 + PICTURES_S, abs=0.06))]
    with av.open(str(copy)) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(0.5 + PICTURES_S, abs=0.03)
        first = next(container.decode(video=0))
        assert first.time == pytest.approx(0.5, abs=1e-4)


def test_rounded_stamps_leave_no_gaps(tmp_path: Path) -> None:
    parts = [(k * 0.1 + (0.02 if k % 2 else 0.0), tone(0.1)) for k in range(10)]
    source = recorded(tmp_path / "a.mkv", parts)
    assert loudness(copied(source, tmp_path / "b.mp4"))[:19].min() > 0.3


def test_far_stamp_costs_no_memory(tmp_path: Path) -> None:
    def sound() -> Iterator[tuple[int, NDArray[np.float32]]]:
        yield 0, np.zeros((2, 1024), np.float32)
        yield 10**15, np.zeros((2, 1024), np.float32)

    with VideoWriter(tmp_path / "b.mp4", FRAMES_PER_S, 64, 48, sound=sound()) as writer:
        for k in range(10):
            writer.write(np.zeros((48, 64, 3), np.uint8), k / FRAMES_PER_S)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(0.4, abs=0.03)


def test_video_without_sound_stays_without(make_video: Callable[..., Path], tmp_path: Path) -> None:
    make_preview(make_video("a.mp4"), tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert not container.streams.audio


def test_damaged_sound_does_not_stop_the_pictures(tmp_path: Path) -> None:
    source = recorded(tmp_path / "a.mkv", [(0.0, tone(2.0))])
    content = source.read_bytes().replace(b"A_PCM/INT/LIT", b"A_OPUS\0\0\0\0\0\0\0")
    source.write_bytes(content)
    with open_video(copied(source, tmp_path / "b.mp4")) as video:
        assert len(list(video.frames())) == PICTURES_S * FRAMES_PER_S


@pytest.mark.real
def test_sound_of_a_real_clip_is_not_shifted(clips_dir: Path, tmp_path: Path) -> None:
    source = clips_dir / "decord_flipping_a_pancake.mkv"
    make_preview(source, tmp_path / "b.mp4")
    before, after = (_mono(path) for path in (source, tmp_path / "b.mp4"))
    length = 4 * RATE_HZ
    middle = before[RATE_HZ : RATE_HZ + length]
    shifts = range(-1600, 1601, 4)
    alike = [float(middle @ after[RATE_HZ + shift : RATE_HZ + shift + length]) for shift in shifts]
    assert abs(shifts[int(np.argmax(alike))]) <= 0.005 * RATE_HZ
    assert max(alike) / (np.linalg.norm(middle) * np.linalg.norm(after[RATE_HZ : RATE_HZ + length])) > 0.9


def _mono(path: Path) -> NDArray[np.float32]:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def test_sound_further_away_than_a_number_counts_is_left_out(tmp_path: Path) -> None:
    """Its position would not fit into a message, nor into FFmpeg's stamps."""
    path = recorded(tmp_path / "a.mkv", [(0.0, tone(1.0))])
    timing = inspect(path, "'a.mkv'", sha256=None).timing
    assert list(read_sound(path, "'a.mkv'", 0, timing))
    assert not list(read_sound(path, "'a.mkv'", 0, replace(timing, zero_s=-1e20)))
