"""The color space of a frame whose file names none, or one that nothing converts."""

from __future__ import annotations

from typing import Final

from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

CONVERTED: Final = frozenset({0, 1, 4, 5, 6, 7, 9})
"""Color spaces (ITU-T H.273) that FFmpeg's scaler converts. libswscale 9.5 refuses the others with EOPNOTSUPP: reserved
numbers, and YCgCo and ICtCp, which its decoders hand out."""

_HD_HEIGHT_PX: Final = 720
"""Pictures of this height and more, shown with square pixels and before turning, are BT.709 where the file does not
say; smaller ones BT.601. Chromium's rule (156, measured)."""

COLORSPACE_NAMES: Final = {Colorspace.ITU709: "BT.709", Colorspace.ITU601: "BT.601"}


def assumed_colorspace(frame: VideoFrame, shown_height_px: int) -> Colorspace | None:
    """Return the color space that players assume for a frame that names none; None if it names one or needs none.

    One that cannot be converted counts as none, because approximate colours are better than no picture.
    """
    if frame.colorspace in CONVERTED or frame.format.is_rgb or len(frame.format.components) < 3:
        return None
    return Colorspace.ITU709 if shown_height_px >= _HD_HEIGHT_PX else Colorspace.ITU601
