"""Detect shot boundaries in the sampled frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import ContentDetector, FrameTimecode

CONTENT_FROM = 27.0
"""Least mean change of hue, saturation and brightness (0 to 255) between two samples at a cut: the default of
PySceneDetect's content detector."""

COLOURS_BELOW = 0.86
"""A cut also changes the set of colours; a panning camera does not, however much each pixel changes. Overlap of two
colour histograms (Bhattacharyya coefficient, 0 to 1): over 0.87 between successive samples of each of 13 real videos,
including hand-held ones and skip intervals up to 8, and under 0.86 between any two of the videos
(docs/accuracy-identities.md)."""

_COMPARED_PX = 128
"""Longer side of the compared pictures: noise and compression average out at little cost."""

_ROWS_OF_EACH = 2
"""At least this many rows of a large picture are averaged into one row of the small one. More would change the overlap
of two samples by at most 0.004 on the 18 real videos, change no decision, and take three times as long."""

_BLANK_BELOW = 4.0
"""A picture of one colour (standard deviation of each channel, of 255) is a flash or a fade and is skipped: the next
picture is compared with the one before it."""

_BINS = (8, 4, 8)
_HSV_RANGES = (0, 180, 0, 256, 0, 256)


class CutDetector:
    """Detects which sampled frames of one stream begin another shot.

    PySceneDetect's content detector and the colours must agree: alone, the content detector mistakes a whip pan of
    a hand-held camera for a cut, more often the further apart the samples are.

    Attributes:
        skipped: whether the latest frame was skipped, because it is of one colour.
    """

    def __init__(self) -> None:
        self.skipped = False
        self._before_bgr: NDArray[np.uint8] | None = None
        self._colours_before = np.zeros(0)
        self._size_wh: tuple[int, int] | None = None

    def push(self, rgb: NDArray[np.uint8]) -> bool:
        """Add the next frame, uint8 (H, W, 3); return whether it begins another shot. The first frame does not."""
        bgr = np.asarray(cv2.cvtColor(self._small(rgb), cv2.COLOR_RGB2BGR), np.uint8)
        self.skipped = bool(cv2.meanStdDev(bgr)[1].max() < _BLANK_BELOW)
        if self.skipped:
            return False
        before_bgr, self._before_bgr = self._before_bgr, bgr
        colours_before, self._colours_before = self._colours_before, _colours(bgr)
        if before_bgr is None:
            return False
        # colours first: they take less time and rarely change
        overlap = float(np.sqrt(colours_before * self._colours_before).sum())
        return overlap < COLOURS_BELOW and _content_changes(before_bgr, bgr)

    def _small(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale a frame down to one size, even if the stream's size changes."""
        if self._size_wh is None:
            height, width = rgb.shape[:2]
            scale = min(1.0, _COMPARED_PX / max(width, height))
            self._size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        # some rows of a large picture suffice, as long as each small row averages several
        every = max(1, rgb.shape[0] // (_ROWS_OF_EACH * self._size_wh[1]))
        return np.asarray(cv2.resize(rgb[::every], self._size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _content_changes(before_bgr: NDArray[np.uint8], bgr: NDArray[np.uint8]) -> bool:
    """Return whether PySceneDetect detects a cut between two pictures."""
    content = ContentDetector(threshold=CONTENT_FROM, min_scene_len=0)
    # the times matter only for a minimum scene length, and there is none
    content.process_frame(FrameTimecode(0, 1.0), before_bgr)
    return bool(content.process_frame(FrameTimecode(1, 1.0), bgr))


def _colours(bgr: NDArray[np.uint8]) -> NDArray[np.float64]:
    counts = cv2.calcHist([cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)], [0, 1, 2], None, list(_BINS), list(_HSV_RANGES))
    return np.asarray(counts.ravel() / counts.sum(), np.float64)
