"""A file's facts and single pictures, found where outside files are decoded: in another process or in this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer import processes
from recognizer.video.container import inspect
from recognizer.video.decoding_elsewhere import inspected_elsewhere, still_elsewhere
from recognizer.video.diagnosis import check_file, display_name
from recognizer.video.facts import Inspection
from recognizer.video.still import still_here


def inspected(
    path: Path,
    shown: str,
    *,
    sha256: str | None = None,
    max_file_bytes: int | None = None,
    stream: int | None = None,
    frame_rate_hz: float | None = None,
) -> Inspection:
    """Return a file's facts; see ``container.inspect``.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    check_file(path, shown, max_file_bytes)
    find = inspected_elsewhere if processes.are_used() else inspect
    return find(path, shown, sha256=sha256, stream=stream, frame_rate_hz=frame_rate_hz)


def still(path: Path, time_s: float, *, stream: int | None = None) -> NDArray[np.uint8]:
    """Return the picture that a player shows at a time, uint8 (H, W, 3), upright and with square pixels.

    Args:
        path: a file with time stamps, such as any that browsers play.
        time_s: seconds on the file's clock.
        stream: number of the video stream among all streams of the file; None for the one that a player shows.

    Raises:
        VideoError: the file is not a readable video, has no time stamps, or ends before ``time_s``.
    """
    shown = display_name(path)
    find = still_elsewhere if processes.are_used() else still_here
    return find(path, shown, inspected(path, shown, stream=stream), time_s)
