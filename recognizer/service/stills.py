"""Small pictures of people, cut out of stored videos."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from recognizer.errors import RecognizerError
from recognizer.service.opened import Opened
from recognizer.service.store import AnalysisStore
from recognizer.timeline.model import PersonTrack
from recognizer.types import Box, VideoInfo
from recognizer.video.looking import still

HEIGHT_PX: Final = 96
_MARGIN: Final = 0.08
"""Share of the box's size that is shown around it."""

_QUALITY: Final = 85

_STRIP_AT: Final = (0.1, 0.5, 0.9)
"""Shares of a moment's length at which a filmstrip shows it: at the very ends another action begins."""


class VideoFile(NamedTuple):
    """A file with pictures.

    Attributes:
        path: the file.
        stream: number of its video stream among all streams; None for the one that a player shows.
        begins_s: the video's time at the file's zero, which differs for a camera's recording.
    """

    path: Path
    stream: int | None = None
    begins_s: float = 0.0


def video_file(store: AnalysisStore, opened: Opened) -> VideoFile | None:
    """Return the file to cut pictures of an analysis from; None if the video has gone."""
    path = opened.video_path
    if opened.machine.video.sha256 is None:
        return VideoFile(path, None, opened.machine.reading.first_picture_s) if path.is_file() else None
    copy = store.derived_path(path, "playable.mp4")
    if copy.is_file():
        return VideoFile(copy)
    if not store.is_here(path):
        return None
    source = store.source(path)
    return VideoFile(source.paths[0], source.stream) if len(source.paths) == 1 else None


def cut_out(file: VideoFile, video: VideoInfo, time_s: float, box_xyxy: Box) -> bytes | None:
    """Return the picture in a box, in pixels of the analyzed frames, as JPEG; None if the file cannot show it."""
    try:
        rgb = still(file.path, time_s - file.begins_s, stream=file.stream)
    except RecognizerError:  # there is no seeking in some files; a copy of them can be made
        return None
    height, width, _ = rgb.shape
    scale = np.array([width / video.width, height / video.height] * 2)
    x1, y1, x2, y2 = (np.array(box_xyxy) * scale).tolist()
    margin = _MARGIN * max(x2 - x1, y2 - y1)
    edges = max(0, x1 - margin), max(0, y1 - margin), min(width, x2 + margin), min(height, y2 + margin)
    picture = Image.fromarray(rgb).crop(tuple(map(round, edges)))
    picture.thumbnail((2 * HEIGHT_PX, HEIGHT_PX))
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def filmstrip(
    store: AnalysisStore, opened: Opened, person_id: int, start_s: float, end_s: float, at: Sequence[float] = _STRIP_AT
) -> tuple[bytes, ...]:
    """Return pictures of a person from a moment's beginning, middle and end, as JPEG; none if the video has gone.

    Args:
        store: where the video is.
        opened: the analysis.
        person_id: the person, as corrected.
        start_s: start of the moment.
        end_s: its end.
        at: shares of the moment's length at which it is shown.
    """
    file = video_file(store, opened)
    track = next((one for one in opened.corrected.timeline.people if one.person_id == person_id), None)
    if file is None or track is None:
        return ()
    seen = [_sample_near(track, start_s + share * (end_s - start_s)) for share in at]
    pictures = [cut_out(file, opened.machine.video, *one) for one in dict.fromkeys(seen) if one is not None]
    return tuple(one for one in pictures if one is not None)


def _sample_near(track: PersonTrack, time_s: float) -> tuple[float, Box] | None:
    """Return the sample that is nearest to a time: between samples, a box is a guess."""
    if not len(track.time_s):
        return None
    row = int(np.abs(track.time_s - time_s).argmin())
    x1, y1, x2, y2 = track.box_xyxy[row].astype(np.float64).tolist()
    return float(track.time_s[row]), (x1, y1, x2, y2)
