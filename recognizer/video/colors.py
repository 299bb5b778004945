"""Which color space a frame has where its file does not say."""

from __future__ import annotations

from typing import Final

from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

_UNSPECIFIED: Final = 2
"""No value (ITU-T H.273)."""

_HD_HEIGHT_PX: Final = 720
"""Pictures of this height and more, shown with square pixels and before turning, are BT.709 where the file does not
say; smaller ones BT.601. Chromium's rule (156, measured)."""

COLORSPACE_NAMES: Final = {Colorspace.ITU709: "BT.709", Colorspace.ITU601: "BT.601"}


def assumed_colorspace(frame: VideoFrame, shown_height_px: int) -> Colorspace | None:
    """Return the color space that players assume for a frame that names none; None if it names one or needs none."""
    if frame.colorspace != _UNSPECIFIED or frame.format.is_rgb or len(frame.format.components) < 3:
        return None
    return Colorspace.ITU709 if shown_height_px >= _HD_HEIGHT_PX else Colorspace.ITU601
