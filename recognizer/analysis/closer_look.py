"""Look again, from closer, at people whom the detector is not sure of.

Somebody far away or in a crowd covers few of the detector's pixels. Enlarged, a person is found surely, and a thing or
a part of someone is not (docs/decisions/045-a-closer-look.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.clips.cropping import square_crop
from recognizer.errors import RecognizerError
from recognizer.people.tracklets import intersections_over_union
from recognizer.timeline.model import PersonTrack
from recognizer.types import CROP_SIZE_PX, Box, Detector, VideoInfo
from recognizer.video import VideoInput
from recognizer.video.looking import still
from recognizer.video.source import source_of

MOST_PEOPLE = 30
"""At most this many people are looked at, the longest present first: each takes three pictures of the video."""

_AT = (1 / 6, 1 / 2, 5 / 6)
"""Shares of a person's samples at which they are looked at; the middle one of the three confidences counts."""

_MARGIN_PERCENTAGE = 75
"""On each side of the person: without surroundings, the detector does not find whoever fills the picture."""

_IS_THEM = 0.4
"""Least intersection over union of a box that is found in the enlarged picture and the person's."""


def unconfirmed(
    weak: Sequence[PersonTrack],
    least: float,
    video: VideoInput,
    info: VideoInfo,
    detector: Detector,
    cancel: Callable[[], bool],
) -> list[PersonTrack]:
    """Return the people whom the detector does not find with a confidence of ``least`` from closer either.

    Somebody who cannot be looked at stays among them, as in a file without seeking or a recording in parts.

    Args:
        weak: people who were found with less confidence.
        least: see above.
        video: the file.
        info: its facts, as analyzed.
        detector: finds people.
        cancel: True ends the looking.
    """
    longest = sorted(weak, key=lambda track: -track.present_s)[:MOST_PEOPLE]
    confirmed = set()
    for track in longest:
        if cancel():
            break
        if (found := _from_closer(track, video, info, detector)) is not None and found >= least:
            confirmed.add(track.person_id)
    return [track for track in weak if track.person_id not in confirmed]


def _from_closer(track: PersonTrack, video: VideoInput, info: VideoInfo, detector: Detector) -> float | None:
    """Return how confidently the detector finds a person from closer; None if the video cannot show them."""
    source = source_of(video)
    if len(source.paths) > 1:
        return None
    views = []
    for row in sorted({int(share * len(track.time_s)) for share in _AT}):
        try:
            rgb = still(source.paths[0], float(track.time_s[row]), stream=source.stream)
        except RecognizerError:
            return None
        views.append(_view(rgb, track.box_xyxy[row], info))
    found = detector.detect([crop for crop, _ in views])
    sure = [
        max((one.confidence for one in people if _are_one(one.box_xyxy, box)), default=0.0)
        for people, (_, box) in zip(found, views, strict=True)
    ]
    return float(np.median(sure))


def _view(rgb: NDArray[np.uint8], box_xyxy: NDArray[np.float32], info: VideoInfo) -> tuple[NDArray[np.uint8], Box]:
    """Return the enlarged picture around a person, and their box in it."""
    height, width, _ = rgb.shape
    x1, y1, x2, y2 = (box_xyxy.astype(np.float64) * np.array([width / info.width, height / info.height] * 2)).tolist()
    scale = CROP_SIZE_PX / (max(x2 - x1, y2 - y1) * (1 + 2 * _MARGIN_PERCENTAGE / 100))
    half_x, half_y, middle = (x2 - x1) / 2 * scale, (y2 - y1) / 2 * scale, CROP_SIZE_PX / 2
    crop = square_crop(rgb, (x1, y1, x2, y2), _MARGIN_PERCENTAGE)
    return crop, (middle - half_x, middle - half_y, middle + half_x, middle + half_y)


def _are_one(one: Box, other: Box) -> bool:
    return float(intersections_over_union(np.array([one]), np.array([other]))[0]) >= _IS_THEM
