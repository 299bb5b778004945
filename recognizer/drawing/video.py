"""Rendering the annotated video: a second pass over the file that draws boxes and labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from recognizer.drawing.overlay import Overlay, draw_overlay
from recognizer.palette import ActionPalette
from recognizer.timeline.model import Timeline
from recognizer.types import Segment
from recognizer.video import VideoWriter, open_video

RenderProgress = Callable[[float, float | None], None]
"""``progress(done_s, duration_s)``, seconds of the video; the duration is None where nothing tells it."""


def render_video(
    path: str | os.PathLike[str],
    timeline: Timeline,
    segments: Iterable[Segment],
    palette: ActionPalette,
    target: str | os.PathLike[str],
    *,
    name: str | None = None,
    progress: RenderProgress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> bool:
    """Write the video again, in H.264, with everyone's box and label, and its sound.

    The file appears at ``target`` complete or not at all. Of an analysis that was cancelled, the part that was analysed
    is written.

    Args:
        path: the file that was analysed.
        timeline: who was where.
        segments: what they did, as ``timeline.segments`` gives it for the person's thresholds.
        palette: the colours.
        target: where the MP4 file is to appear; a link is followed, a file that is there is replaced.
        name: what the person calls the video, for messages.
        progress: told after each frame.
        cancel: asked before each frame; True ends the work.

    Returns:
        True when it was written, False when it was cancelled.

    Raises:
        VideoError: the video cannot be read any more, or the target cannot be written.
    """
    overlay = Overlay(timeline, segments, palette)
    times_s = timeline.frame_times_s
    # the frames that were decoded are the truth; a container's word on its length can be wrong
    duration_s = float(times_s[-1]) + 1 / timeline.frame_rate_hz if len(times_s) else timeline.video.duration_s
    if not timeline.complete:
        duration_s = timeline.analysed_s
    with (
        open_video(path, sha256=timeline.video.sha256, name=name) as reader,
        closing(reader.frames()) as frames,  # type: ignore[type-var]  # it is a generator
        VideoWriter(
            Path(os.path.realpath(target)),
            timeline.frame_rate_hz,
            reader.facts.width,
            reader.facts.height,
            pixel_aspect=reader.pixel_aspect,
            sound=reader.sound(),
        ) as writer,
    ):
        for frame in frames:
            if cancel is not None and cancel():
                writer.abort()
                return False
            if not timeline.complete and frame.index and frame.time_s >= timeline.analysed_s:
                break
            writer.write(draw_overlay(frame.rgb, overlay.at(frame.time_s)), frame.time_s)
            if progress is not None:
                progress(frame.time_s, duration_s)
    return True
