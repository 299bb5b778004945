"""Render the annotated video: decode the file again and draw boxes and labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from recognizer.drawing.overlay import Overlay, draw_overlay
from recognizer.palette import ActionPalette
from recognizer.timeline.model import Timeline
from recognizer.types import Segment, VideoInfo
from recognizer.video import VideoInput, VideoWriter, open_video

RenderProgress = Callable[[float, float | None], None]
"""``progress(done_s, duration_s)``, seconds of the video; the duration is None if unknown."""


def render_video(
    path: VideoInput,
    timeline: Timeline,
    segments: Iterable[Segment],
    palette: ActionPalette,
    target: str | os.PathLike[str],
    *,
    names: Mapping[int, str] = MappingProxyType({}),
    name: str | None = None,
    progress: RenderProgress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> bool:
    """Write the video as H.264 with everyone's box, name or number, and label, and with its sound.

    The file at ``target`` is complete or does not exist. If the analysis was cancelled, only the analysed part is
    written.

    Args:
        path: the analysed file, or source; a camera's recording, whose clock begins later than the stream's.
        timeline: the result of the analysis.
        segments: from ``timeline.segments``, with the user's thresholds.
        palette: colours of the actions.
        target: path of the MP4 file; a link is followed, an existing file is replaced.
        names: users' names for people.
        name: the user's name for the video, for messages.
        progress: called after each frame.
        cancel: called before each frame; True stops.

    Returns:
        True if the file was written, False if it was cancelled.

    Raises:
        VideoError: the video can no longer be read, or the target cannot be written.
    """
    times_s = timeline.frame_times_s
    # the decoded frames decide: the container may state a wrong duration
    duration_s = float(times_s[-1]) + 1 / timeline.frame_rate_hz if len(times_s) else timeline.video.duration_s
    if not timeline.complete:
        duration_s = timeline.analysed_s
    starts_s = timeline.reading.first_picture_s if timeline.video.sha256 is None else 0.0
    with (
        open_video(path, sha256=timeline.video.sha256, name=name) as reader,
        closing(reader.frames()) as frames,
        VideoWriter(
            Path(os.path.realpath(target)),
            timeline.frame_rate_hz,
            reader.facts.width,
            reader.facts.height,
            sound=reader.sound(),
        ) as writer,
    ):
        overlay = Overlay(_fitted(timeline, reader.facts), segments, palette, names)
        for frame in frames:
            if cancel is not None and cancel():
                writer.abort()
                return False
            time_s = starts_s + frame.time_s
            if not timeline.complete and frame.index and time_s >= timeline.analysed_s:
                break
            writer.write(draw_overlay(frame.rgb, overlay.at(time_s)), frame.time_s)
            if progress is not None:
                begins_s = starts_s + reader.reading.first_picture_s
                progress(time_s - begins_s, None if duration_s is None else duration_s - begins_s)
    return True


def _fitted(timeline: Timeline, video: VideoInfo) -> Timeline:
    """Return the timeline with boxes in pixels of the pictures now read.

    Analyses made by version 0.2 and earlier have boxes in stored pixels, which may not be square.
    """
    scale_x, scale_y = video.width / timeline.video.width, video.height / timeline.video.height
    if scale_x == scale_y == 1:
        return timeline
    scale = np.array((scale_x, scale_y, scale_x, scale_y), np.float32)
    people = tuple(replace(one, box_xyxy=one.box_xyxy * scale) for one in timeline.people)
    return replace(timeline, video=replace(timeline.video, width=video.width, height=video.height), people=people)
