"""The limits that one analysis keeps to: how long a video is, how many pictures and people it has, what waits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from recognizer.limits import duration_text, exceeded, limits
from recognizer.types import Observation, VideoInfo

_CUT: Final = "cut it into shorter pieces"

_SHARE_OF_A_BATCH: Final = 4
"""Two batches exist at a time, one detected and one being collected; both together get half of what may wait."""


def check_stated(video: VideoInfo) -> None:
    """Refuse a video that says itself that it is too long.

    Raises:
        LimitError: it is longer, or has more pictures, than the operator allows.
    """
    if video.duration_s is not None:
        _check_length(video.duration_s)
    if video.frame_count is not None:
        _check_count(video.frame_count, "")


def check_picture(index: int, time_s: float) -> None:
    """Stop a video that turns out to be too long: what a file states need not be true.

    Raises:
        LimitError: as ``check_stated``.
    """
    _check_count(index + 1, " or more")
    _check_length(time_s)


def check_people(observations: Iterable[Observation]) -> None:
    """Stop a video with too many people; each costs memory until the end.

    Raises:
        LimitError: a number of a person exceeds what the operator allows.
    """
    most = max((one.person_id for each in observations for one in each.people), default=0)
    if most > limits().max_people:
        fact = f"{most:,} people were found in the video"
        raise exceeded("max_people", fact, "cut it into shorter pieces or raise the detector confidence")


def batch_size(wanted: int, width: int, height: int) -> int:
    """Return how many pictures are detected together: as many as wanted, unless they are large."""
    return max(1, min(wanted, limits().max_pixels_in_flight // (_SHARE_OF_A_BATCH * width * height)))


def _check_length(length_s: float) -> None:
    if length_s > limits().max_video_s:
        raise exceeded("max_video_s", f"the video lasts {duration_text(length_s)}", _CUT)


def _check_count(pictures: int, more: str) -> None:
    if pictures > limits().max_frames:
        raise exceeded("max_frames", f"the video has {pictures:,} pictures{more}", _CUT)
