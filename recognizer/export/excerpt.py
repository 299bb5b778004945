"""One segment as a video of its own: the frames from its start up to its end, with their sound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from recognizer.export.frames import FrameNumbers
from recognizer.timeline.model import Timeline
from recognizer.video import VideoInput, VideoWriter, open_video
from recognizer.video.sound import SAMPLE_RATE_HZ, Samples


def write_excerpt(
    path: VideoInput,
    timeline: Timeline,
    start_s: float,
    end_s: float,
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
) -> None:
    """Write a stretch of a video as H.264: the frames that the CSV counts for it, at least one.

    The video is decoded from its start, so that frames and times are those of the analysis.

    Args:
        path: the analysed file, or source.
        timeline: the result of the analysis.
        start_s: start of the stretch.
        end_s: its end; exclusive.
        target: path of the MP4 file.
        name: the user's name for the video, for messages.

    Raises:
        VideoError: the video can no longer be read, ends before the stretch, or the target cannot be written.
    """
    numbers = FrameNumbers(timeline)
    first = numbers.first_at(start_s)
    past = max(first + 1, numbers.first_at(end_s))
    times_s = timeline.frame_times_s
    zero_s = float(times_s[first]) if first < len(times_s) else start_s
    with (
        open_video(path, sha256=timeline.video.sha256, name=name) as reader,
        closing(reader.frames(lambda index, _: first <= index < past)) as frames,
        VideoWriter(
            Path(os.path.realpath(target)),
            timeline.frame_rate_hz,
            reader.facts.width,
            reader.facts.height,
            sound=_from(reader.sound(), zero_s),
        ) as writer,
    ):
        for frame in frames:
            writer.write(frame.rgb, max(0.0, frame.time_s - zero_s))
            if frame.index >= past - 1:
                break


def _from(sound: Iterator[tuple[int, Samples]], zero_s: float) -> Iterator[tuple[int, Samples]]:
    """Yield the sound from ``zero_s`` on, counted from there."""
    zero = round(zero_s * SAMPLE_RATE_HZ)
    for begins, samples in sound:
        if begins + samples.shape[1] > zero:
            yield max(0, begins - zero), samples[:, max(0, zero - begins) :]
